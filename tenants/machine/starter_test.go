package machine

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	toml "github.com/pelletier/go-toml/v2"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"wikictl/tenants/definitions"
)

// A new farm can be read, says what was found, and is good by its own schemas; so is a
// wiki made of the example.
func TestStarter(t *testing.T) {
	debian := Found{
		Root: true, State: "/var/lib/wikictl", FPM: "unix:/run/php/php8.2-fpm.sock", User: "www-data", Kind: "nginx",
		Check: []string{"nginx", "-t"}, Reload: []string{"systemctl", "reload", "nginx"}, DSN: "root@unix(/run/mysqld/mysqld.sock)/",
		Codebases: []Tree{{"1.43", "/srv/mediawiki/1.43", "1.43.9"}, {"1.39", `/srv/media"wiki`, "1.39.17"}},
	}
	bare := Found{State: "state", FPM: "127.0.0.1:9000", User: "nobody", Kind: "apache", Check: []string{"apache2ctl", "-t"}, Reload: []string{"service", "apache2", "reload"}}
	for name, found := range map[string]Found{"Debian": debian, "nothing": bare} {
		dir := t.TempDir()
		all, err := Starter(found)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range all {
			put(t, filepath.Join(dir, f.Name), f.Text)
			if example, ok := strings.CutSuffix(f.Name, ".example.toml"); ok {
				put(t, filepath.Join(dir, example, "example.toml"), f.Text)
			}
		}
		f, err := definitions.Load(dir)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		state := found.State
		if !filepath.IsAbs(state) {
			state = filepath.Join(dir, state)
		}
		if f.State != state || f.Web.FPM != found.FPM || f.Web.Kind != found.Kind || strings.Join(f.Web.Reload, " ") != strings.Join(found.Reload, " ") ||
			f.Servers["main"].DSN != found.DSN || f.Servers["main"].Managed != (found.DSN == "") || (f.Web.User == found.User) != found.Root {
			t.Errorf("%s: %+v", name, f.Web)
		}
		for _, tree := range found.Codebases {
			if f.Codebases[tree.Name].Path != tree.Path {
				t.Errorf("%s: %+v", name, f.Codebases[tree.Name])
			}
		}
		if len(f.Tenants) != 1 || f.Tenants[0].Codebase.Name != "1.43" || len(f.Classes) != 1 {
			t.Errorf("%s: %+v", name, f.Tenants)
		}
		for file, schema := range map[string]string{"wikictl.toml": "farm", "tenants/example.toml": "tenant", "classes/example.toml": "class"} {
			text, err := os.ReadFile(filepath.Join(dir, file))
			if err != nil || !strings.HasPrefix(string(text), "#:schema ") {
				t.Fatalf("%v: %.40q", err, text)
			}
			path := strings.TrimPrefix(strings.SplitN(string(text), "\n", 2)[0], "#:schema ")
			if path = filepath.Join(dir, filepath.Dir(file), path); path != filepath.Join(dir, ".schemas", schema+".json") {
				t.Errorf("%s names the schema %s", file, path)
			}
			if err := validate(t, path, string(text)); err != nil {
				t.Errorf("%s: %s: %v", name, file, err)
			}
			if validate(t, path, "sate = 1\n"+string(text)) == nil {
				t.Errorf("%s: %s takes any key", name, path)
			}
		}
	}
}

func put(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
}

// validate checks a TOML text by the schema in a file.
func validate(t *testing.T, schema, text string) error {
	t.Helper()
	var values any
	if err := toml.Unmarshal([]byte(text), &values); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(values)
	if err != nil {
		t.Fatal(err)
	}
	instance, err := jsonschema.UnmarshalJSON(strings.NewReader(string(data)))
	if err != nil {
		t.Fatal(err)
	}
	compiled, err := jsonschema.NewCompiler().Compile(schema)
	if err != nil {
		t.Fatal(err)
	}
	return compiled.Validate(instance)
}
