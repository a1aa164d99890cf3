package tenants

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"wikictl/cmd/wikictl/manual"
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
			name = FarmFile
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
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
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

// The manual tells the defaults that a farm has that says nothing.
func TestManualTellsDefaults(t *testing.T) {
	page := examples(t)[FarmFile]
	f, err := Load(written(t, map[string]string{FarmFile: farmToml, "tenants/.keep": ""}))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{f.Web.Kind, f.Web.Probe, f.Web.URL, f.Web.FPM, f.Web.Listen[0]} {
		if !regexp.MustCompile(`\(default ` + regexp.QuoteMeta(want) + `[;)]`).MatchString(page) {
			t.Errorf("the manual does not tell the default %q", want)
		}
	}
}
