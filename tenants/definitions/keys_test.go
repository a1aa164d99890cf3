package definitions

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"wikictl/cmd/testbed/needs"
	"wikictl/tenants"
)

// wrongValues are values in TOML that no key of a type takes.
var wrongValues = map[Type]string{
	Text: "5", Blank: "5", Bool: `"yes"`, Texts: `"x"`, Number: `"x"`, Size: "true", Days: "true", Folders: "5", Map: "5", Table: "5", Tables: "5", List: "5", Settings: "5",
}

// placed is a key with the dotted path that a file has it under.
type placed struct {
	Key
	path string
}

// walkKeys lists keys with those below them. A table of the user's choice is called main.
func walkKeys(keys []Key, prefix string) []placed {
	var all []placed
	for _, k := range keys {
		path := prefix + k.Name
		all = append(all, placed{k, path})
		if k.Type == Tables {
			path += ".main"
		}
		all = append(all, walkKeys(k.Keys, path+".")...)
	}
	return all
}

// Each key of the tables is read by the program, with the type that it has there, and
// the schemas say the same.
func TestKeysAreRead(t *testing.T) {
	for _, file := range []struct {
		name string
		keys []Key
	}{{"wikictl.toml", farmKeys}, {"classes/c.toml", classKeys}, {"tenants/x.toml", tenantKeys}} {
		schema := compiled(t, file.keys)
		for _, k := range walkKeys(file.keys, "") {
			if k.Doc == "" || (k.Example == "") != (len(k.Keys) > 0 || k.Type == Settings) {
				t.Errorf("%s %s: %q, %q", file.name, k.path, k.Doc, k.Example)
			}
			if k.Example != "" {
				problems, valid := tried(t, file.name, k, k.Example, schema)
				if !valid || strings.Contains(problems, "is not a key") || strings.Contains(problems, "want ") {
					t.Errorf("%s: %s = %s: %q, by the schema %t", file.name, k.path, k.Example, problems, valid)
				}
			}
			values := []string{wrongValues[k.Type]}
			if len(k.Choices) > 0 {
				values = append(values, `"other"`)
			}
			for _, value := range values {
				if value == "" {
					continue
				}
				if problems, valid := tried(t, file.name, k, value, schema); problems == "" || valid {
					t.Errorf("%s: %s = %s: %q, by the schema %t", file.name, k.path, value, problems, valid)
				}
			}
		}
	}
}

// tried loads a farm with a key set, and returns what is said of it, and whether the
// schema takes the file.
func tried(t *testing.T, name string, k placed, value string, schema *jsonschema.Schema) (problems string, valid bool) {
	t.Helper()
	lines := map[string]string{"name": `"x"`, "hosts": `["x.example"]`, "sitename": `"X"`, "codebase": `"main"`, "server": `"main"`, "skins": `["Vector"]`}
	if name == "classes/c.toml" {
		lines = map[string]string{}
	}
	if name == tenants.FarmFile {
		lines = map[string]string{"state": `"state"`, "tenants": `["tenants/*.toml"]`, "classes": `["classes/*.toml"]`, "codebases.main.path": `"/nonexistent"`, "servers.main.managed": "true"}
		if k.Name == "dsn" {
			delete(lines, "servers.main.managed")
		}
	}
	if strings.HasPrefix(k.path, "files.main.") {
		lines["files.main.template"], lines["files.main.path"] = `"x.tmpl"`, `"/srv/x.conf"`
	}
	table, below, list := strings.Cut(k.path, ".")
	switch {
	case list && find(farmKeys, table) != nil && find(farmKeys, table).Type == List && name == tenants.FarmFile:
		item := map[string]string{"setting": `"wgX"`, "must": "1"}
		if table == "ignore" {
			item = map[string]string{"rule": `"x"`, "reason": `"x"`, "until": `"2099-01-01"`}
		}
		item[below] = value
		lines[table] = "[{ " + strings.Join(assigned(item), ", ") + " }]"
	case strings.Contains("."+k.path, ".grants."):
		path, field, _ := strings.Cut(k.path, "grants.")
		item := map[string]string{"on": `"wiki_y"`, "tables": `["user"]`, "rights": `["SELECT"]`}
		item[field] = value
		lines[path+"grants"] = "[{ " + strings.Join(assigned(item), ", ") + " }]"
	case k.path == "servers.main.load" || k.path == "servers.main.replica_wait":
		delete(lines, "servers.main.managed")
		lines["servers.main.dsn"], lines["servers.main.replicas"], lines[k.path] = `"root@unix(/s)/"`, `[{ dsn = "root@unix(/copy)/" }]`, value
	case strings.HasPrefix(k.path, "servers.main.replicas."):
		item := map[string]string{"dsn": `"root@unix(/copy)/"`}
		item[strings.TrimPrefix(k.path, "servers.main.replicas.")] = value
		lines["servers.main.dsn"] = `"root@unix(/s)/"`
		lines["servers.main.account_host"] = `"%"`
		delete(lines, "servers.main.managed")
		lines["servers.main.replicas"] = "[{ " + strings.Join(assigned(item), ", ") + " }]"
	case strings.HasPrefix(k.path, "jobs.weight."):
		item := map[string]string{"where": `"name=x"`}
		item[strings.TrimPrefix(k.path, "jobs.weight.")] = value
		lines["jobs.weight"] = "[{ " + strings.Join(assigned(item), ", ") + " }]"
	case strings.HasPrefix(k.path, "upgrade.step."):
		item := map[string]string{"script": `"maintenance/x.php"`}
		item[strings.TrimPrefix(k.path, "upgrade.step.")] = value
		lines["upgrade.step"] = "[{ " + strings.Join(assigned(item), ", ") + " }]"
	default:
		for other := range lines {
			if strings.HasPrefix(other, k.path+".") {
				delete(lines, other)
			}
		}
		lines[k.path] = value
	}
	files := map[string]string{tenants.FarmFile: "state = \"state\"\ntenants = [\"tenants/*.toml\"]\nclasses = [\"classes/*.toml\"]\ncodebases.main.path = \"/nonexistent\"\nservers.main.managed = true\n", "tenants/.keep": ""}
	files[name] = strings.Join(assigned(lines), "\n") + "\n"
	return problemOf(t, files, k.path), validates(t, schema, files[name])
}

func assigned(lines map[string]string) []string {
	var all []string
	for _, key := range slices.Sorted(maps.Keys(lines)) {
		all = append(all, key+" = "+lines[key])
	}
	return all
}

// problemOf loads a farm and returns the problem of a key, or "".
func problemOf(t *testing.T, files map[string]string, key string) string {
	t.Helper()
	dir := t.TempDir()
	needs.Files(t, dir, files)
	_, err := Load(dir)
	var problems tenants.Problems
	errors.As(err, &problems)
	for _, p := range problems {
		if p.Key == key {
			return p.String()
		}
	}
	return ""
}

func compiled(t *testing.T, keys []Key) *jsonschema.Schema {
	t.Helper()
	text, err := Schema("test", keys)
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("test.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("test.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// validates reports whether a schema takes a TOML file, as an editor does.
func validates(t *testing.T, schema *jsonschema.Schema, text string) bool {
	t.Helper()
	var values any
	if err := toml.Unmarshal([]byte(text), &values); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	data, err := json.Marshal(values)
	if err != nil {
		t.Fatal(err)
	}
	instance, err := jsonschema.UnmarshalJSON(strings.NewReader(string(data)))
	if err != nil {
		t.Fatal(err)
	}
	return schema.Validate(instance) == nil
}

// An unknown key, and one that lacks, are mistakes for the schema as for the program.
func TestSchemaFindsMistakes(t *testing.T) {
	farm := compiled(t, farmKeys)
	const good = "state = \"s\"\ntenants = [\"t/*.toml\"]\n"
	for _, text := range []string{"tenants = [\"t/*.toml\"]", good + "[wbe]\n", good + "[web]\nlisten = 80\n", good + "[servers.main]\ndns = \"x\"\n", good + "[codebases.x]\nphp = \"php\"\n",
		good + "[defaults.settings]\n\"$wgX\" = 1\n", good + "[defaults]\nname = \"x\"\n", good + "[[ignore]]\nrule = \"x\"\n", good + "[keep]\nlogs = \"90\"\n", good + "[php]\nopcache = \"1 GB\"\n"} {
		if validates(t, farm, text) {
			t.Errorf("it takes %q", text)
		}
	}
	if !validates(t, farm, good) {
		t.Error("it refuses what is good")
	}
	tenant := compiled(t, tenantKeys)
	files, err := filepath.Glob("../audit/rules/testdata/real/*.toml")
	if err != nil || len(files) < 10 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !validates(t, tenant, string(text)) {
			t.Errorf("it refuses %s", file)
		}
		if validates(t, tenant, fmt.Sprintf("hots = [\"x\"]\n%s", text)) {
			t.Errorf("it takes another key in %s", file)
		}
	}
}
