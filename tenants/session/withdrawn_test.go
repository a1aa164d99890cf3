package session

import (
	"testing"

	"wikictl/tenants"
	"wikictl/tenants/definitions"
	"wikictl/tenants/mariadb"
)

// A withdrawal consists of the namespaces and models that the release has and the definitions don't,
// except those that another extension has as well, and namespaces that stay under another key.
func TestWithdrawal(t *testing.T) {
	module := []tenants.ExtensionNamespace{{Number: 828, Constant: "NS_MODULE", Name: "Module"}}
	declares := func(models ...string) func() tenants.Declared {
		return func() tenants.Declared { return tenants.Declared{Namespaces: module, Models: models} }
	}
	code := &tenants.Codebase{Name: "new", Extensions: map[string]*tenants.Component{
		"Kept": {Name: "Kept", Path: "/k", Declares: declares("Lua")}, "Gone": {Name: "Gone", Path: "/g", Declares: declares()},
	}}
	old := &tenants.Codebase{Name: "old", Extensions: map[string]*tenants.Component{"Gone": {Name: "Gone", Path: "/old"}}}
	h := &Host{Farm: &tenants.Farm{Codebases: map[string]*tenants.Codebase{"old": old, "new": code}}}
	wiki := &tenants.Tenant{Codebase: code, Extensions: []string{"Kept"}, Settings: map[string]tenants.Value{"wgExtraNamespaces": {Data: map[string]tenants.Value{"3000": {Data: "P"}}}}}
	was := definitions.DefinedLoads([]byte("codebase = 'old'\nextensions = ['Kept', 'Gone', 'Lost']\n[settings]\nwgExtraNamespaces = { 3000 = 'Portal', 3010 = 'Old', 828 = 'M' }\n"))
	w := h.withdrawal(wiki, was)
	if len(w.extensions) != 1 || w.extensions[0].Path != "/old" || len(w.unknown) != 1 || w.unknown[0] != "Lost" || len(w.namespaces) != 1 || w.namespaces[3010] != "Old" {
		t.Errorf("%+v", w)
	}
	if !handles(wiki, "Lua") || handles(wiki, "Other") {
		t.Error("content models of what stays")
	}
	none := h.withdrawal(wiki, definitions.DefinedLoads([]byte("not TOML")))
	if len(none.extensions)+len(none.unknown)+len(none.namespaces) > 0 {
		t.Errorf("of nothing: %+v", none)
	}
}

func TestUseInWords(t *testing.T) {
	for want, use := range map[string]mariadb.Use{
		"": {},
		"1 page in namespace 828 (Module), 2 pages of content model Scribunto: readers will not be able to open these pages": {Namespaces: map[int64]int64{828: 1}, Models: map[string]int64{"Scribunto": 2}},
		"1 row in table a, 100000 or more rows in table b":                                                                   {Tables: map[string]int64{"a": 1, "b": mariadb.Many}},
	} {
		if got := inWords(use, map[int64]string{828: "Module"}); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
