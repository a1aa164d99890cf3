package upgrade

import (
	"fmt"
	"strings"
	"testing"

	"wikictl/cmd/testbed/needs"
	"wikictl/tenants"
	"wikictl/tenants/definitions"
)

// treeFarm is a farm with a tenant x and codebases that hold nothing but their versions.
func treeFarm(t *testing.T, versions map[string]string) *tenants.Farm {
	t.Helper()
	dir := t.TempDir()
	files := map[string]string{"tenants/x.toml": "name = \"x\"\nhosts = [\"x.test\"]\nsitename = \"X\"\ncodebase = \"wanted\"\nskins = [\"Plain\"]\n"}
	text := "state = \"state\"\ntenants = [\"tenants/*.toml\"]\nservers.main.managed = true\n[defaults]\nserver = \"main\"\n"
	for name, version := range versions {
		text += fmt.Sprintf("[codebases.%q]\npath = %q\n", name, "trees/"+name)
		files["trees/"+name+"/includes/Defines.php"] = "<?php\ndefine( 'MW_VERSION', '" + version + "' );\n"
		files["trees/"+name+"/skins/Plain/skin.json"] = "{}"
		files["trees/"+name+"/extensions/README"] = ""
		files["trees/"+name+"/languages/i18n/en.json"] = "{}"
	}
	files["wikictl.toml"] = text
	needs.Files(t, dir, files)
	f, err := definitions.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// A missing release is rendered again with the present code; if that is impossible, the error says
// what to do.
func TestRemakable(t *testing.T) {
	was := treeFarm(t, map[string]string{"wanted": "1.43.9", "old": "1.39.17"})
	set := was.Tenants[0].ComponentSet(was.Codebases["old"])
	for name, c := range map[string]struct {
		trees      map[string]string
		want, says string
	}{
		"as it was":            {map[string]string{"old": "1.39.17"}, "old", ""},
		"under another name":   {map[string]string{"lts": "1.39.17"}, "lts", ""},
		"beside an update":     {map[string]string{"old": "1.39.18", "kept": "1.39.17"}, "kept", ""},
		"updated in place":     {map[string]string{"old": "1.39.18"}, "old", ""},
		"of another schema":    {map[string]string{"old": "1.43.9"}, "", "bring MediaWiki 1.39.17 with"},
		"not named any more":   {map[string]string{}, "", "[codebases.\"old\"]"},
		"another patch, other": {map[string]string{"lts": "1.39.18"}, "", "name a folder that holds MediaWiki 1.39.17"},
	} {
		c.trees["wanted"] = "1.43.9"
		f := treeFarm(t, c.trees)
		got, err := remakable(f, f.Tenants[0], 1, "old", set, "1.39.17")
		switch {
		case c.want != "" && (err != nil || got.Name != c.want):
			t.Errorf("%s: %v, want the codebase %s", name, err, c.want)
		case c.want == "" && (err == nil || !strings.Contains(err.Error(), c.says)):
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
	f := treeFarm(t, map[string]string{"wanted": "1.43.9", "old": "1.39.17"})
	f.Tenants[0].Extensions = []string{"Cite"}
	if _, err := remakable(f, f.Tenants[0], 1, "old", set, "1.39.17"); err == nil || !strings.Contains(err.Error(), "give the definition those that it had") {
		t.Error(err)
	}
}
