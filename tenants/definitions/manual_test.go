package definitions

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"wikictl/cmd/testbed/needs"
	"wikictl/cmd/wikictl/manual"
	"wikictl/tenants"
)

// examples are the files of the manual's page on files, by name: each block of TOML begins
// with its file's name, but for that of wikictl.toml.
func examples(t *testing.T) map[string]string {
	t.Helper()
	page, _ := manual.Find("files")
	files := map[string]string{}
	for _, m := range regexp.MustCompile("(?s)```toml\n(.*?)```").FindAllStringSubmatch(page.Text, -1) {
		name, named := strings.CutPrefix(strings.SplitN(m[1], "\n", 2)[0], "# ")
		if !named {
			name = tenants.FarmFile
		}
		files[name] = m[1]
	}
	if len(files) != 3 {
		t.Fatalf("the manual has the files %v", slices.Sorted(maps.Keys(files)))
	}
	return files
}

// written is a folder with those files, whose codebases are missing.
func written(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	needs.Files(t, dir, files)
	return dir
}

// The manual's examples load.
func TestManualLoads(t *testing.T) {
	files := examples(t)
	files["classes/docs.toml"] = "[settings]\nwgEnableUploads = true\nwgGroupPermissions.\"*\".edit = true\n"
	f, err := Load(written(t, files))
	if err != nil || len(f.Tenants) != 1 || len(f.Servers) != 2 {
		t.Errorf("%+v, %v", f, err)
	}
}

// The manual's examples have every key that a definition may have.
func TestManualHasEveryKey(t *testing.T) {
	files := examples(t)
	for name, keys := range map[string][]Key{tenants.FarmFile: farmKeys, "classes/handbook.toml": classKeys, "tenants/alpha.toml": tenantKeys} {
		root, problems := parseDocument(name, []byte(files[name]))
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		for _, key := range lacking(keys, []map[string]tenants.Value{root}, "") {
			if key == "stage_of" { // wikictl stage writes it, and a wiki that has it can't be closed
				continue
			}
			t.Errorf("the manual's %s lacks the key %s", name, key)
		}
	}
}

// lacking lists the keys that none of some tables has. The values of [defaults] are those
// of a class, and the keys of [skins] those of [extensions].
func lacking(keys []Key, tables []map[string]tenants.Value, path string) (paths []string) {
	for _, k := range keys {
		var values []any
		for _, table := range tables {
			if v, given := table[k.Name]; given {
				values = append(values, v.Data)
			}
		}
		if len(values) == 0 && path != "defaults." && !strings.HasPrefix(path, "skins.") {
			paths = append(paths, path+k.Name)
			continue
		}
		var below []map[string]tenants.Value
		for _, v := range values {
			below = append(below, tablesIn(v, k.Type)...)
		}
		if len(k.Keys) > 0 && len(values) > 0 {
			paths = append(paths, lacking(k.Keys, below, path+k.Name+".")...)
		}
	}
	return paths
}

// tablesIn lists the tables that the keys below a key are in.
func tablesIn(value any, kind Type) (tables []map[string]tenants.Value) {
	table, _ := value.(map[string]tenants.Value)
	list, _ := value.([]tenants.Value)
	switch kind {
	case Table:
		return []map[string]tenants.Value{table}
	case Tables:
		list = slices.Collect(maps.Values(table))
	}
	for _, v := range list {
		if inner, is := v.Data.(map[string]tenants.Value); is {
			tables = append(tables, inner)
		}
	}
	return tables
}

// The manual tells the defaults that a farm has that says nothing.
func TestManualTellsDefaults(t *testing.T) {
	page := examples(t)[tenants.FarmFile]
	f, err := Load(written(t, map[string]string{tenants.FarmFile: farmToml, "tenants/.keep": ""}))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{f.Web.Kind, f.Web.Probe, f.Web.URL, f.Web.FPM, f.Web.Listen[0]} {
		if !regexp.MustCompile(`\(default ` + regexp.QuoteMeta(want) + `[;)]`).MatchString(page) {
			t.Errorf("the manual does not tell the default %q", want)
		}
	}
}
