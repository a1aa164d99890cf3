package definitions

import (
	"strings"
	"testing"

	"wikictl/tenants"
)

// Only what is plainly open is public, whichever layer or table decides it.
func TestPrivate(t *testing.T) {
	cases := []struct {
		name, class, settings string
		right                 tenants.ReadRight
		at                    string
	}{
		{name: "nothing"},
		{name: "true", settings: `wgGroupPermissions."*".read = true`},
		{name: "one", settings: `wgGroupPermissions."*".read = 1`},
		{name: "another right", settings: `wgGroupPermissions."*".edit = false`},
		{name: "another group", settings: `wgGroupPermissions.user.read = false`},
		{name: "false", settings: `wgGroupPermissions."*".read = false`, right: tenants.ReadDenied, at: "tenants/x.toml:6:24"},
		{name: "zero", settings: `wgGroupPermissions."*".read = 0`, right: tenants.ReadDenied, at: "tenants/x.toml:6:24"},
		{name: "empty string", settings: `wgGroupPermissions."*".read = ""`, right: tenants.ReadUnclear, at: "tenants/x.toml:6:24"},
		{name: "string", settings: `wgGroupPermissions."*".read = "false"`, right: tenants.ReadUnclear, at: "tenants/x.toml:6:24"},
		{name: "list", settings: `wgGroupPermissions."*".read = []`, right: tenants.ReadUnclear, at: "tenants/x.toml:6:24"},
		{name: "expression", settings: `wgGroupPermissions."*".read = { php = "true" }`, right: tenants.ReadUnclear, at: "tenants/x.toml:6:24"},
		{name: "expression for the group", settings: `wgGroupPermissions."*" = { php = "[ 'read' => true ]" }`, right: tenants.ReadUnclear, at: "tenants/x.toml:6:20"},
		{name: "expression for all groups", settings: `wgGroupPermissions = { php = "[]" }`, right: tenants.ReadUnclear, at: "tenants/x.toml:6:1"},
		{name: "empty group", settings: `wgGroupPermissions."*" = {}`, right: tenants.ReadDenied, at: "tenants/x.toml:6:20"},
		{name: "no groups", settings: `wgGroupPermissions = {}`, right: tenants.ReadDenied, at: "tenants/x.toml:6:1"},
		{name: "revoked", settings: `wgRevokePermissions."*".read = true`, right: tenants.ReadDenied, at: "tenants/x.toml:6:25"},
		{name: "not revoked", settings: `wgRevokePermissions."*".read = false`},
		{name: "revoked by an expression", settings: `wgRevokePermissions = { php = "[]" }`, right: tenants.ReadUnclear, at: "tenants/x.toml:6:1"},
		{name: "nothing revoked", settings: `wgRevokePermissions = {}`},
		{name: "given and revoked", settings: "wgGroupPermissions.\"*\".read = true\nwgRevokePermissions.\"*\".read = \"yes\"", right: tenants.ReadUnclear, at: "tenants/x.toml:7:25"},
		{name: "of a class", class: `wgGroupPermissions."*".read = false`, right: tenants.ReadDenied, at: "classes/c.toml:2:24"},
		{name: "expression over a class", class: `wgGroupPermissions."*".read = false`, settings: `wgGroupPermissions."*".read = { php = "true" }`, right: tenants.ReadUnclear, at: "tenants/x.toml:6:24"},
		{name: "opened again", class: `wgGroupPermissions."*".read = false`, settings: `wgGroupPermissions."*".read = true`},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			files := tenant("classes = [\"c\"]\n[settings]\n" + tc.settings + "\n")
			files["wikictl.toml"] = "allow_php = true\n" + strings.Replace(farmToml, `wgGroupPermissions."*".edit = false`, "", 1)
			files["classes/c.toml"] = "[settings]\n" + tc.class + "\n"
			f, err := Load(writeFarm(t, files))
			if err != nil {
				t.Fatal(err)
			}
			x := f.Tenant("x")
			v, right := x.ReadRight()
			if right != tc.right || v.Position.String() != tc.at || x.Private() != (tc.right != tenants.ReadOpen) {
				t.Errorf("%v at %q, private %v; want %v at %q", right, v.Position, x.Private(), tc.right, tc.at)
			}
		})
	}
}
