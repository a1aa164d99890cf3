package rules

import (
	"fmt"
	"strings"
	"testing"
)

// Operations that change nothing, and tables that look like one, are found; those on what
// there is are not.
func TestOperationsWithoutEffect(t *testing.T) {
	cases := []struct{ settings, rule, message string }{
		{`wgGroupPermissions.x = { copy = "nosuch" }`, "operation-vain", `there is no group "nosuch"`},
		{`wgGroupPermissions.x = { copy = "Sysop" }`, "operation-vain", `there is no group "Sysop" (did you mean "sysop"?)`},
		{`wgGroupPermissions.interface_admin = { absent = true }`, "operation-vain", `did you mean "interface-admin"?`},
		{`wgUrlProtocols = { remove = ["gofer://"] }`, "operation-vain", `MediaWiki's default has no "gofer://" to remove`},
		{`wgFileExtensions = { apend = ["pdf"] }`, "setting-type", `wgFileExtensions.apend: is neither an operation on a list nor a member of one (did you mean "append"?)`},
		{`wgNamespacesWithSubpages = { append = ["NS_HELP"] }`, "setting-type", "is no list but a table of truth values, and 12 would be one of them (wgNamespacesWithSubpages.12 = true)"},
		{`wgNamespacesWithSubpages = { prepend = [0] }`, "setting-type", "(wgNamespacesWithSubpages.0 = true)"},
		{`wgNamespacesWithSubpages = { remove = [1] }`, "", ""},
		{`wgCapitalLinks = { append = [true] }`, "setting-type", "want true or false"},
		{`wgGroupPermissions."*".read = false`, "private-accounts", "visitors may not read, but have the right createaccount"},
		{"wgGroupPermissions.\"*\".read = false\nwgGroupPermissions.\"*\".createaccount = true", "private-accounts", "createaccount"},
		{`wgGroupPermissions."*" = { read = false, createaccount = false, autocreateaccount = true }`, "private-accounts", "autocreateaccount"},
		{`wgGroupPermissions."*" = { read = false, createaccount = false }`, "", ""},
		{`wgGroupPermissions."*" = { replace = {} }`, "", ""},
		{`wgGroupPermissions."*" = { absent = true }`, "", ""},
		{`wgRevokePermissions."*" = { read = true, createaccount = true }`, "", ""},
		{`wgGroupPermissions.x = { copy = "sysop" }`, "", ""},
		{`wgGroupPermissions = { y = { edit = true }, x = { copy = "y" } }`, "", ""},
		{`wgAddGroups.x = { copy = "bureaucrat" }`, "", ""},
		{`wgGroupPermissions.flow-bot = { absent = true }`, "", ""},
		{`wgGroupPermissions.bureaucrat = { absent = true }`, "", ""},
		{`wgFileExtensions = { append = ["pdf"], remove = ["svg"] }`, "", ""},
		{`wgUrlProtocols = { remove = ["gopher://"] }`, "", ""},
		{`wgContentNamespaces = { append = ["NS_HELP"] }`, "", ""},
	}
	files := map[string]string{"wikictl.toml": farmToml, "classes/c.toml": "[settings]\nwgNamespacesToBeSearchedDefault.4 = true\n"}
	for i, tc := range cases {
		name := fmt.Sprintf("t%02d", i)
		files["tenants/"+name+".toml"] = tenantToml(name, name+".example", "\nclasses = [\"c\"]", tc.settings)
	}
	found := map[string]string{}
	for _, f := range static(t, load(t, files)).Findings {
		if len(f.Tenants) == 1 {
			found[f.Tenants[0]] += f.Rule + " " + f.Key + ": " + f.Sentence() + "\n"
		}
	}
	for i, tc := range cases {
		got := found[fmt.Sprintf("t%02d", i)]
		if !strings.HasPrefix(got, tc.rule) || !strings.Contains(got, tc.message) || strings.Count(got, "\n") > 1 || (got == "") != (tc.rule == "") {
			t.Errorf("%s: found %q, want %s %s", tc.settings, got, tc.rule, tc.message)
		}
	}
}
