package definitions

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"wikictl/tenants"
)

// A state is inherited, taken back, and says why; private comes after all other settings.
func TestState(t *testing.T) {
	for _, c := range []struct {
		name, class, tenant string
		state               tenants.State
		reason              string
		private             bool
	}{
		{"none", "", "", tenants.StateOpen, "", false},
		{"closed", "", "state = \"closed\"\nreason = \"It's \\\"over\\\": $5\"\n", tenants.StateClosed, `It's "over": $5`, false},
		{"without a reason", "", "state = \"closed\"\n", tenants.StateClosed, closedReason, false},
		{"inherited", "state = \"closed\"\nreason = \"r\"\n", "", tenants.StateClosed, "r", false},
		{"taken back", "state = \"closed\"\nreason = \"r\"\n", "state = \"open\"\n", tenants.StateOpen, "", false},
		{"taken away", "state = \"closed\"\nreason = \"r\"\n", "unset = [\"state\"]\n", tenants.StateOpen, "", false},
		{"private", "", "state = \"private\"\n[settings]\nwgGroupPermissions.\"*\".read = true\n", tenants.StatePrivate, "", true},
		{"private over an operation", "", "state = \"private\"\n[settings]\nwgGroupPermissions.bot = { absent = true }\n", tenants.StatePrivate, "", true},
	} {
		files := tenant("classes = [\"k\"]\n" + c.tenant)
		files["wikictl.toml"], files["classes/k.toml"] = farmToml, "language = \"en\"\n"+c.class
		f, err := Load(writeFarm(t, files))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		x := f.Tenant("x")
		if x.State != c.state || x.Reason != c.reason || x.Private() != c.private {
			t.Errorf("%s: %q %q private %t", c.name, x.State, x.Reason, x.Private())
		}
		if shown := Show(x, false); strings.Contains(shown, "state = ") != (c.state != tenants.StateOpen) {
			t.Errorf("%s: %s", c.name, shown)
		}
	}
	files := tenant("reason = \"r\"\n")
	files["wikictl.toml"] = farmToml
	_, err := Load(writeFarm(t, files))
	if err == nil || !strings.Contains(err.Error(), `reason: only a closed wiki has a reason, and this one is open`) {
		t.Error(err)
	}
}

// From 1.47 on MediaWiki gives an account to users who are logged in elsewhere, unless a wiki
// says otherwise.
func TestPrivateWikisMakeNoAccounts(t *testing.T) {
	for version, want := range map[string]string{"1.43.9": "createaccount edit read", "1.46.2": "createaccount edit read", "1.47.0": "autocreateaccount createaccount edit read", "1.48.0-alpha": "autocreateaccount createaccount edit read"} {
		groups, _ := forbidden(tenants.Position{}, &tenants.Codebase{Version: version})["wgGroupPermissions"].Data.(map[string]tenants.Value)
		rights, _ := groups["*"].Data.(map[string]tenants.Value)
		if got := strings.Join(slices.Sorted(maps.Keys(rights)), " "); got != want {
			t.Errorf("%s: %s, want %s", version, got, want)
		}
	}
}
