package definitions

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"wikictl/tenants"
)

func TestReadUpgrade(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"all", `pages = ["/wiki/Report", "/index.php?title=X&action=history"]
step = [{ script = "extensions/Foo/maintenance/setup.php", arguments = ["--all"], when = "before", where = "extension=Foo" }]`, ""},
		{"unknown key", `page = "/wiki/Report"`, `upgrade.page: is not a key that wikictl knows here`},
		{"no path", `pages = ["wiki/Report"]`, `upgrade.pages: "wiki/Report" is not a path of a page (such as "/wiki/Report")`},
		{"an address", `pages = ["//other.example.org/wiki"]`, `upgrade.pages: "//other.example.org/wiki" is not a path of a page`},
		{"absolute script", `step = [{ script = "/bin/x.php" }]`, `upgrade.step.script: "/bin/x.php" is not a path of a PHP script below the codebase's folder`},
		{"script elsewhere", `step = [{ script = "../x.php" }]`, `is not a path of a PHP script`},
		{"not PHP", `step = [{ script = "maintenance/x.sh" }]`, `is not a path of a PHP script`},
		{"no script", `step = [{ when = "after" }]`, `upgrade.step.script: is missing`},
		{"when", `step = [{ script = "maintenance/x.php", when = "later" }]`, `upgrade.step.when: "later" is none of after, before`},
		{"where", `step = [{ script = "maintenance/x.php", where = "colour=red" }]`, `"colour" is not a field`},
		{"no list", `step = "maintenance/x.php"`, `upgrade.step: is a string, want an array of tables, [[upgrade.step]]`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			root, problems := parseDocument("wikictl.toml", []byte(tc.text))
			if problems != nil {
				t.Fatal(problems)
			}
			l := &loader{farm: &tenants.Farm{}}
			l.readUpgrade(newSection(find(farmKeys, "upgrade").Keys, "upgrade.", root, &l.problems))
			if got := l.problems.Error(); tc.want == "" && len(l.problems) > 0 || !strings.Contains(got, tc.want) {
				t.Errorf("%s", got)
			}
		})
	}
}

func TestUpgradeStepFor(t *testing.T) {
	root, _ := parseDocument("wikictl.toml", []byte(`step = [{ script = "extensions/Foo/x.php", where = "extension=Foo" }, { script = "maintenance/y.php", when = "before" }]`))
	l := &loader{farm: &tenants.Farm{}}
	l.readUpgrade(newSection(find(farmKeys, "upgrade").Keys, "upgrade.", root, &l.problems))
	steps := l.farm.UpgradeSteps
	with, without := &tenants.Tenant{Extensions: []string{"Foo"}}, &tenants.Tenant{}
	if !steps[0].After || steps[1].After || !steps[0].For(with) || steps[0].For(without) || !steps[1].For(without) {
		t.Errorf("%+v", steps)
	}
}

// Pages of the farm, of classes and of the tenant are joined, each once.
func TestPagesAreJoined(t *testing.T) {
	page := func(names ...string) (list []text) {
		for _, name := range names {
			list = append(list, text{value: name, at: tenants.Position{File: "x.toml"}})
		}
		return list
	}
	l := &loader{pages: page("/wiki/Farm")}
	found := &tenants.Tenant{Origins: tenants.Origins{}}
	l.setPages(found, []*layer{{pages: page("/wiki/Class", "/wiki/Farm")}, {pages: page("/wiki/Own")}})
	if diff := cmp.Diff([]string{"/wiki/Farm", "/wiki/Class", "/wiki/Own"}, found.Pages); diff != "" {
		t.Error(diff)
	}
	if text := Show(&tenants.Tenant{Codebase: &tenants.Codebase{}, Server: &tenants.Server{}, Pages: found.Pages, Origins: found.Origins}, true); !strings.Contains(text, "[upgrade]\npages = [\n  \"/wiki/Farm\", # x.toml") {
		t.Error(text)
	}
}
