package mariadb

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestListBackups(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"b.sql.zst", "b.json", "a.dump", "a.json", "alone.sql.zst", "empty.json", "c.sql.zst.half", "README"} {
		if err := os.WriteFile(path(name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := ListBackups(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := Backups{
		Dumps: []string{path("b.sql.zst"), path("a.dump")}, Undescribed: []string{path("alone.sql.zst")},
		Dumpless: []string{path("empty.json")}, Half: []string{path("c.sql.zst.half")},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got, err := ListBackups(path("nowhere")); err != nil || len(got.Dumps) > 0 {
		t.Errorf("a folder that is not there: %v %+v", err, got)
	}
}
