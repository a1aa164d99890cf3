package rules

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Tenants in the shapes of public wikis' LocalSettings.php have only settings
// that MediaWiki and their extensions read, with values of the right types.
func TestRealSettings(t *testing.T) {
	fine := []string{"setting-deprecated", "setting-repeated", "mediawiki-eol", "codebase-unused", "override-equal", "list-shortened"}
	for _, version := range []string{"1.39", "1.43"} {
		t.Run(version, func(t *testing.T) {
			files := map[string]string{"wikictl.toml": strings.ReplaceAll(strings.Replace(farmToml, `skins = ["Vector"]`, "", 1), "1.43", version)}
			names, err := filepath.Glob("testdata/real/*.toml")
			if err != nil || len(names) != 20 {
				t.Fatalf("%d tenants: %v", len(names), err)
			}
			files["classes/c.toml"] = "[settings]\nwgCapitalLinks = true\n"
			for _, name := range names {
				data, err := os.ReadFile(name)
				if err != nil {
					t.Fatal(err)
				}
				files["tenants/"+filepath.Base(name)] = string(data)
			}
			set := map[string]bool{}
			f := load(t, files)
			for _, tenant := range f.Tenants {
				for name := range maps.Keys(tenant.Settings) {
					set[name] = true
				}
			}
			for _, found := range static(t, f).Findings {
				if found.Rule != "class-unused" && !slices.Contains(fine, found.Rule) {
					t.Errorf("%s: %s: %s", found.Position, found.Rule, found.Sentence())
				}
			}
			if len(set) < 200 {
				t.Errorf("only %d settings are tried", len(set))
			}
		})
	}
}
