package definitions

import (
	"strings"
	"testing"
)

// A file of the farm as a whole has a place of its own, a kind, and a mode that lets not
// everybody write.
func TestFiles(t *testing.T) {
	cases := []struct{ text, says string }{
		{"[files.a]\ntemplate = \"a.tmpl\"\npath = \"/srv/a.json\"\nmode = \"0640\"", ""},
		{"[files.a]\ntemplate = \"a.tmpl\"\npath = \"public/a\"\nkind = \"hosts\"", ""},
		{"[files.a]\ntemplate = \"a.tmpl\"", "files.a.path: is missing"},
		{"[files.a]\npath = \"/srv/a.json\"", "files.a.template: is missing"},
		{"[files.a]\ntemplate = \"a.tmpl\"\npath = \"/srv/a\"", "files.a.kind: is missing"},
		{"[files.a]\ntemplate = \"a.tmpl\"\npath = \"/srv/a\"\nkind = \"jsn\"", "is none of html, json"},
		{"[files.a]\ntemplate = \"../a.tmpl\"\npath = \"/srv/a.json\"", "not a file name of a template"},
		{"[files.a]\ntemplate = \"a\"\npath = \"/srv/a.json\"", "not a file name of a template"},
		{"[files.a]\ntemplate = \"a.tmpl\"\npath = \"/srv/a.json\"\nmode = \"0666\"", "lets everybody write"},
		{"[files.a]\ntemplate = \"a.tmpl\"\npath = \"/srv/a.json\"\nmode = \"4755\"", "not a mode"},
		{"[files.a]\ntemplate = \"a.tmpl\"\npath = \"/srv/a.json\"\nmode = \"0200\"", "does not let its owner read"},
		{"[files.a]\ntemplate = \"a.tmpl\"\npath = \"/srv/a.json\"\nmode = \"rw\"", "not a mode"},
		{"[files.a]\ntemplate = \"a.tmpl\"\npath = \"state/x/../vhosts/a.conf\"", "is in the state folder"},
		{"[files.a]\ntemplate = \"a.tmpl\"\npath = \"/nonexistent/a.conf\"", "is in the codebase main"},
		{"[files.a]\ntemplate = \"a.tmpl\"\npath = \"templates/a.conf\"", "is in the folder of templates"},
		{"[files.a]\ntemplate = \"a.tmpl\"\npath = \"tenants/a.toml\"\nkind = \"conf\"", "could be taken for a definition"},
		{"[files.\"A b\"]\ntemplate = \"a.tmpl\"\npath = \"/srv/a.conf\"", "other characters"},
		{"[files.a]\ntemplate = \"a.tmpl\"\npath = \"/srv/a.json\"\n[files.b]\ntemplate = \"b.tmpl\"\npath = \"/srv/x/../a.json\"", "is written by the file at wikictl.toml:"},
	}
	for _, tc := range cases {
		farm := "state = \"state\"\ntenants = [\"tenants/*.toml\"]\ncodebases.main.path = \"/nonexistent\"\nservers.main.managed = true\n" + tc.text + "\n"
		f, err := Load(writeFarm(t, map[string]string{"wikictl.toml": farm, "tenants/.keep": ""}))
		if tc.says == "" {
			if err != nil || len(f.Files) != 1 || !strings.HasPrefix(f.Files[0].Path, "/") {
				t.Errorf("%s: %v", tc.text, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), tc.says) || !strings.Contains(err.Error(), "wikictl.toml:") {
			t.Errorf("%s: %v, want %q", tc.text, err, tc.says)
		}
	}
}
