package definitions

import (
	"strings"
	"testing"
)

// An expression never drops an inherited table without a word, nor a table an
// inherited expression.
func TestExpressionOverTable(t *testing.T) {
	const table, expression = `wgGroupPermissions.user.pagelang = true`, `wgGroupPermissions.user = { php = "edit_rights()" }`
	cases := []struct {
		name, class, top, own string
		problem               string // the first; none: it loads
		want                  string // a line of show
	}{
		{"expression over a table", table, "", expression, `tenants/x.toml:6:20: settings.wgGroupPermissions.user: this expression would take the place of the table with pagelang at classes/c.toml:2:20 (unset = ["wgGroupPermissions.user"]`, ""},
		{"table over an expression", expression, "", table, `tenants/x.toml:6:20: settings.wgGroupPermissions.user: this table would take the place of the expression at classes/c.toml:2:20 (`, ""},
		{"expression over all groups", table, "", `wgGroupPermissions = { php = "[]" }`, `tenants/x.toml:6:1: settings.wgGroupPermissions: this expression would take the place of the table with *, user at classes/c.toml:2:1 (`, ""},
		{"unset before", table, `unset = ["wgGroupPermissions.user"]`, expression, "", `wgGroupPermissions.user = {php = 'edit_rights()'}`},
		{"the whole setting unset before", table, `unset = ["wgGroupPermissions"]`, `wgGroupPermissions = { php = "[]" }`, "", `wgGroupPermissions = {php = '[]'}`},
		{"expression over a leaf", table, "", `wgGroupPermissions.user.pagelang = { php = "true" }`, "", `wgGroupPermissions.user.pagelang = {php = 'true'}`},
		{"expression over an expression", expression, "", `wgGroupPermissions.user = { php = "[]" }`, "", `wgGroupPermissions.user = {php = '[]'}`},
		{"expression over a list", `wgFileExtensions = ["png"]`, "", `wgFileExtensions = { php = "[]" }`, "", `wgFileExtensions = {php = '[]'}`},
		{"expression beside a table", table, "", `wgGroupPermissions.sysop = { php = "[]" }`, "", `wgGroupPermissions.user.pagelang = true`},
		{"emptied", expression, "", `wgGroupPermissions.user = {}`, "", `wgGroupPermissions.user = {}`},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			files := tenant("classes = [\"c\"]\n[settings]\n" + tc.own + "\n")
			if tc.top != "" {
				files = tenant("classes = [\"c\"]\n" + tc.top + "\n[settings]\n" + tc.own + "\n")
			}
			files["wikictl.toml"] = "allow_php = true\n" + farmToml
			files["classes/c.toml"] = "[settings]\n" + tc.class + "\n"
			f, err := Load(writeFarm(t, files))
			switch {
			case tc.problem == "" && err != nil:
				t.Error(err)
			case tc.problem == "" && !strings.Contains(Show(f.Tenant("x"), false), tc.want+"\n"):
				t.Errorf("want %s in:\n%s", tc.want, Show(f.Tenant("x"), false))
			case tc.problem != "" && (err == nil || !strings.HasPrefix(err.Error(), tc.problem)):
				t.Errorf("it says %v, want %s", err, tc.problem)
			}
		})
	}
}

// Members of tables can be taken away, and nothing beside them; a layer takes away
// what it inherits and not what it sets.
func TestUnsetMembers(t *testing.T) {
	files := tenant("classes = [\"c\"]\nunset = [\"wgGroupPermissions.user\", \"wgExtra.a.b.c\", \"wgMaxUploadSize\"]\n[settings]\nwgMaxUploadSize = 5\n")
	files["wikictl.toml"] = farmToml
	files["classes/c.toml"] = "[settings]\nwgMaxUploadSize = { \"*\" = 7 }\nwgGroupPermissions.user.edit = false\nwgExtra.\"a.b\" = { c = 1, d = 2 }\n"
	files["tenants/y.toml"] = "name = \"y\"\nhosts = [\"y.example\"]\nsitename = \"Y\"\nclasses = [\"c\"]\n"
	f, err := Load(writeFarm(t, files))
	if err != nil {
		t.Fatal(err)
	}
	show := Show(f.Tenant("x"), false)
	for _, line := range []string{`wgGroupPermissions."*".edit = false`, `wgExtra."a.b".d = 2`, "wgMaxUploadSize = 5"} {
		if !strings.Contains(show, line+"\n") {
			t.Errorf("%s is gone:\n%s", line, show)
		}
	}
	if strings.Contains(show, "user") || strings.Contains(show, ".c = 1") {
		t.Errorf("it was not taken away:\n%s", show)
	}
	if other := Show(f.Tenant("y"), false); !strings.Contains(other, "wgGroupPermissions.user.edit = false\n") || !strings.Contains(other, ".c = 1") {
		t.Errorf("another tenant lost it, too:\n%s", other)
	}
}
