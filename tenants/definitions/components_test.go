package definitions

import (
	"strings"
	"testing"
)

// Parts stand behind what they are a part of, wherever layers name them; extensions of
// the farm's own are of every codebase; without a skin the codebase's is taken.
func TestComponentsAsTheyAre(t *testing.T) {
	files := tenant("classes = [\"c\"]\nextensions = [\"ConfirmEdit\", \"Mine\", \"Cite\"]\n")
	files["wikictl.toml"] = strings.Replace(farmToml, `skins = ["Vector"]`, "", 1)
	files["wikictl.toml"] = strings.Replace(files["wikictl.toml"], "[servers", "[extensions.Mine]\npath = \"own/Mine\"\n[servers", 1)
	files["own/Mine/extension.json"] = `{"namespaces": [{"id": 4000, "constant": "NS_MINE", "name": "Mine"}]}`
	files["classes/c.toml"] = "extensions = [\"Poem\", \"ConfirmEdit/QuestyCaptcha\"]\n[settings]\nwgNamespaceProtection.NS_MINE = [\"a\"]\n"
	f, err := Load(writeFarm(t, files))
	if err != nil {
		t.Fatal(err)
	}
	x := f.Tenant("x")
	show := Show(x, false)
	for _, line := range []string{`extensions = ['Poem', 'ConfirmEdit', 'ConfirmEdit/QuestyCaptcha', 'Mine', 'Cite']`, `skins = ['Vector']`, "wgNamespaceProtection.4000 = ['a']"} {
		if !strings.Contains(show, line+"\n") || x.Blocked() {
			t.Errorf("no %s in\n%s", line, show)
		}
	}
}

// What can't be loaded is the tenant's fault, with what to do.
func TestComponentsRefused(t *testing.T) {
	cases := []struct{ name, farm, own, problem string }{
		{"a part alone", "", `["ConfirmEdit/QuestyCaptcha"]`, `ConfirmEdit/QuestyCaptcha is a part of ConfirmEdit, which the tenant "x" does not load (add "ConfirmEdit")`},
		{"a skin among extensions", "", `["Vector"]`, `has no extension "Vector" (it is a skin: name it in skins)`},
		{"no such part", "", `["ConfirmEdit", "ConfirmEdit/QuestyCaptch"]`, `has no extension "ConfirmEdit/QuestyCaptch" (did you mean "ConfirmEdit/QuestyCaptcha"?)`},
		{"part of core", "", `["Renameuser"]`, `Renameuser is part of MediaWiki since 1.40, and MediaWiki 1.43`},
		{"a path", "", `["../../etc"]`, `has no extension "../../etc"`},
		{"outside, not there", "[extensions.Mine]\npath = \"own\"\n", `["Mine"]`, `the extension "Mine" of MediaWiki 1.43`},
		{"outside, no path", "[extensions.Mine]\n", `[]`, `extensions.Mine.path: is missing (the folder of an extension, or git and version, or archive and sha256)`},
		{"outside, a bad name", "[extensions.\"a/b\"]\npath = \"own\"\n", `[]`, `the extension's name "a/b" can't be one`},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			files := tenant("extensions = " + tc.own + "\n")
			files["wikictl.toml"] = strings.Replace(farmToml, "[servers", tc.farm+"[servers", 1)
			files["classes/c.toml"] = "sitename = \"C\"\n"
			f, err := Load(writeFarm(t, files))
			problems := ""
			if err != nil {
				problems = err.Error()
			} else {
				problems = Show(f.Tenant("x"), false)
			}
			if !strings.Contains(problems, tc.problem) {
				t.Errorf("it says %s\nwant %s", problems, tc.problem)
			}
		})
	}
}
