package definitions

import (
	"strings"
	"testing"
)

// loadOver loads a tenant whose settings stand over those of a class, and shows it.
func loadOver(t *testing.T, class, own string) (string, error) {
	t.Helper()
	files := tenant("classes = [\"c\"]\n[settings]\n" + own + "\n")
	files["wikictl.toml"] = strings.Replace(farmToml, "wgGroupPermissions", "#", 1)
	files["classes/c.toml"] = "[settings]\n" + class + "\n"
	dir := writeFarm(t, files)
	f, err := Load(dir)
	if err != nil {
		return "", err
	}
	show := Show(f.Tenant("x"), false)
	again := map[string]string{"wikictl.toml": files["wikictl.toml"], "tenants/x.toml": strings.Replace(show, "classes = ['c']\n", "", 1), "classes/c.toml": "sitename = \"C\"\n"}
	g, err := Load(writeFarm(t, again))
	if err != nil {
		t.Fatalf("what show says does not load: %v\n%s", err, show)
	}
	if second := Show(g.Tenant("x"), false); second != again["tenants/x.toml"] {
		t.Errorf("what show says is shown as\n%s, not as\n%s", second, show)
	}
	return show, nil
}

// Operations of a class and of a tenant become one.
func TestOperationsInherit(t *testing.T) {
	cases := []struct{ name, class, own, want string }{
		{"alone", "", `wgFileExtensions = { append = ["pdf"] }`, `wgFileExtensions = {append = ['pdf']}`},
		{"both append", `wgA = { append = ["a", "b"] }`, `wgA = { append = ["c", "a"] }`, `wgA = {append = ['b', 'c', 'a']}`},
		{"the tenant takes away what the class adds", `wgA = { append = ["a", "b"] }`, `wgA = { remove = ["a"] }`, `wgA = {append = ['b'], remove = ['a']}`},
		{"the tenant adds what the class takes away", `wgA = { remove = ["a", "b"] }`, `wgA = { append = ["a"] }`, `wgA = {append = ['a'], remove = ['b']}`},
		{"prepended", `wgA = { prepend = ["a"] }`, `wgA = { prepend = ["b"] }`, `wgA = {prepend = ['b', 'a']}`},
		{"over a list", `wgA = ["a", "b"]`, `wgA = { append = ["c"], prepend = ["b"], remove = ["a"] }`, `wgA = ['b', 'c']`},
		{"list over it", `wgA = { append = ["c"] }`, `wgA = ["a"]`, `wgA = ['a']`},
		{"names over a table", `wgA = { a = 1, b = 2 }`, `wgA = { remove = ["a"] }`, `wgA.a = {absent = true}`},
		{"table over names", `wgA = { remove = ["a", "b"] }`, `wgA = { a = 1 }`, "wgA.a = 1\nwgA.b = {absent = true}"},
		{"replaced, then changed", `wgA = { replace = ["a"] }`, `wgA = { append = ["b"] }`, `wgA = {replace = ['a', 'b']}`},
		{"replaced, then a member", `wgA = { replace = { a = 1 } }`, `wgA.b = 2`, `wgA = {replace = {a = 1, b = 2}}`},
		{"replaced deeper", `wgA.x = { replace = { a = 1 } }`, `wgA.x.b.c = 2`, `wgA.x = {replace = {a = 1, b = {c = 2}}}`},
		{"replace over all", `wgA.x.y = 1`, `wgA.x = { replace = {} }`, `wgA.x = {replace = {}}`},
		{"copied, then a member", `wgGroupPermissions.a = { copy = "b", edit = false }`, `wgGroupPermissions.a.move = true`, `wgGroupPermissions.a = {copy = 'b', edit = false, move = true}`},
		{"absent, then given", `wgGroupPermissions.a = { absent = true }`, `wgGroupPermissions.a.move = true`, `wgGroupPermissions.a = {replace = {move = true}}`},
		{"given, then absent", `wgGroupPermissions.a.move = true`, `wgGroupPermissions.a = { absent = true }`, `wgGroupPermissions.a = {absent = true}`},
		{"a table as it stands", "", `wgA = { replace = { append = ["a"] } }`, `wgA = {replace = {append = ['a']}}`},
		{"in a list it is a table", "", `wgA = [ { append = ["a"] } ]`, `wgA = [{append = ['a']}]`},
		{"a member called copy", "", `wgA.b = { copy = "a", other = 1 }`, "wgA.b.copy = \"a\"\nwgA.b.other = 1"},
		{"emptied", `wgA = { append = ["a"] }`, `wgA = {}`, `wgA = {}`},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			show, err := loadOver(t, tc.class, tc.own)
			if err != nil || !strings.Contains(show, tc.want+"\n") {
				t.Errorf("%v, want %s in:\n%s", err, tc.want, show)
			}
		})
	}
}

// What can't be an operation, or sets what no definition may, is a mistake at its place.
func TestOperationsRefused(t *testing.T) {
	cases := []struct{ name, class, own, problem string }{
		{"no list", "", `wgA = { append = "a" }`, `settings.wgA.append: is a string, want a list`},
		{"nothing", "", `wgA = { append = [] }`, `settings.wgA.append: is an empty list`},
		{"misspelt", "", `wgA = { append = ["a"], remov = ["b"] }`, `settings.wgA: has remov beside append`},
		{"absent setting", "", `wgA = { absent = true }`, `settings.wgA.absent: MediaWiki needs each setting`},
		{"not absent", "", `wgA.b = { absent = false }`, `settings.wgA.b.absent: is true or false, want true`},
		{"copy of a number", "", `wgA.b = { copy = 1 }`, `settings.wgA.b.copy: is an integer`},
		{"copy of itself", "", `wgA.b = { copy = "b" }`, `settings.wgA.b.copy: copies itself`},
		{"onto a table", `wgA.b = 1`, `wgA = { append = ["a"] }`, `settings.wgA: this operation { append } would take the place of the table with b at classes/c.toml:2:1`},
		{"onto a text", `wgA = "b"`, `wgA = { append = ["a"] }`, `settings.wgA: this operation { append } would take the place of the value at`},
		{"a table onto it", `wgA = { append = ["a"] }`, `wgA.b = 1`, `settings.wgA: this table would take the place of the operation { append } at`},
		{"own", "", `wgDBname = { replace = "mysql" }`, `settings.wgDBname: is not for definitions to set (database decides it)`},
		{"own below", "", `wgLocalFileRepo = { replace = { directory = "/tmp" } }`, `settings.wgLocalFileRepo.directory: is not for definitions`},
		{"own absent", "", `wgLocalFileRepo.directory = { absent = true }`, `settings.wgLocalFileRepo.directory: is not for definitions`},
		{"own deeper", "", `wgObjectCaches = { replace = { redis = { keyspace = "x" } } }`, `settings.wgObjectCaches.redis.keyspace: is not for definitions`},
		{"code", "", `wgHooks.BeforePageDisplay = { append = ["system"] }`, `settings.wgHooks.BeforePageDisplay[0]: MediaWiki runs this as code`},
		{"code below", "", `wgPasswordPolicy = { replace = { checks = { x = "system" } } }`, `settings.wgPasswordPolicy.checks.x: MediaWiki runs`},
		{"program", "", `wgDiff3 = { replace = "/tmp/x" }`, `settings.wgDiff3: MediaWiki runs`},
		{"php", "", `wgA = { append = [ { php = "1" } ] }`, `settings.wgA.append[0]: PHP expressions are not allowed on this farm`},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			if _, err := loadOver(t, tc.class, tc.own); err == nil || !strings.Contains(err.Error(), tc.problem) {
				t.Errorf("it says %v, want %s", err, tc.problem)
			}
		})
	}
}

// A wiki whose visitors lose the right to read by an operation is private.
func TestOperationsAndPrivateWikis(t *testing.T) {
	cases := []struct {
		own     string
		private bool
	}{
		{`wgGroupPermissions."*" = { replace = { createaccount = false, read = true } }`, false},
		{`wgGroupPermissions."*" = { replace = { createaccount = false } }`, true},
		{`wgGroupPermissions."*" = { replace = { read = false } }`, true},
		{`wgGroupPermissions."*" = { absent = true }`, true},
		{`wgGroupPermissions."*".read = { absent = true }`, true},
		{`wgGroupPermissions."*" = { copy = "nobody" }`, true},
		{`wgGroupPermissions = { replace = { user = { read = true } } }`, true},
		{`wgGroupPermissions = { replace = { "*" = { read = true } } }`, false},
		{`wgGroupPermissions = { remove = ["*"] }`, true},
		{`wgGroupPermissions.bot = { absent = true }`, false},
		{`wgRevokePermissions."*" = { replace = { read = true } }`, true},
		{`wgRevokePermissions."*" = { absent = true }`, false},
	}
	for _, tc := range cases {
		files := tenant("[settings]\n" + tc.own + "\n")
		files["wikictl.toml"], files["classes/.keep"] = strings.Replace(farmToml, "wgGroupPermissions", "#", 1), "#\n"
		f, err := Load(writeFarm(t, files))
		if err != nil || f.Tenant("x").Private() != tc.private {
			t.Errorf("%s: %v, private is %v", tc.own, err, !tc.private)
		}
	}
}

// Groups that are copied in a circle are the tenant's fault; a chain of copies is none.
func TestCopiesInACircle(t *testing.T) {
	for settings, problem := range map[string]string{
		`wgGroupPermissions = { a = { copy = "b" }, b = { copy = "c" }, c = { copy = "a" } }`:  `settings.wgGroupPermissions.a: is copied from b, which is copied from c, which is copied from a: in a circle`,
		`wgGroupPermissions = { a = { copy = "b" }, b = { copy = "c" }, c = { copy = "b" } }`:  `settings.wgGroupPermissions.b: is copied from c, which is copied from b: in a circle`,
		`wgGroupPermissions = { a = { copy = "b" }, b = { copy = "c" }, c = { edit = true } }`: "",
	} {
		show, err := loadLayers(t, "", "[settings]\n"+settings)
		if err != nil || problem == "" && strings.Contains(show, "blocked") || !strings.Contains(show, problem) {
			t.Errorf("%s: %v\n%s", settings, err, show)
		}
	}
}
