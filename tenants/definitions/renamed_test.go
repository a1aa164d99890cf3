package definitions

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A managed server that gets another name is not taken for a new one.
func TestRenamedServer(t *testing.T) {
	named := strings.NewReplacer("[servers.main]", "[servers.db1]", `server = "main"`, `server = "db1"`).Replace(farmToml)
	both := named + "[servers.main]\nmanaged = true\n"
	other := strings.Replace(named, "managed = true", `dsn = "root@unix(/s)/"`, 1)
	for _, tc := range []struct {
		name, farm string
		data       []string // servers with data
		want       string
	}{
		{"renamed", named, []string{"main"}, "servers.db1: would be a new, empty server, and "},
		{"new farm", named, nil, ""},
		{"one more", both, []string{"main"}, ""},
		{"its folder was renamed, too", named, []string{"db1"}, ""},
		{"one was given up", named, []string{"db1", "main"}, ""},
		{"not managed any more", other, []string{"main"}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := writeFarm(t, map[string]string{"wikictl.toml": tc.farm, "tenants/a.toml": "name = \"a\"\nhosts = [\"a.example\"]\nsitename = \"A\"\n"})
			for _, name := range tc.data {
				if err := os.MkdirAll(filepath.Join(dir, "state/servers", name, "data"), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			_, err := Load(dir)
			switch {
			case tc.want == "" && err != nil:
				t.Error(err)
			case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), "name it main again")):
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}
