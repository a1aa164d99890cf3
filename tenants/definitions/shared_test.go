package definitions

import (
	"strings"
	"testing"
)

// A tenant has the accounts of one that has its own, on its server and on no older code.
func TestSharedUsers(t *testing.T) {
	farm := "state = \"state\"\ntenants = [\"tenants/*.toml\"]\nclasses = [\"classes/*.toml\"]\n[codebases.main]\npath = \"/nonexistent\"\n[servers.main]\nmanaged = true\n[servers.other]\ndsn = \"root@tcp(db:3306)/\"\n[web]\npools = true\n[defaults]\ncodebase = \"main\"\nserver = \"main\"\n"
	tenant := func(name, more string) string {
		return "name = \"" + name + "\"\nhosts = [\"" + name + ".example\"]\nsitename = \"" + name + "\"\nskins = [\"Vector\"]\n" + more + "\n"
	}
	users := func(name string) string { return "[shared]\nusers = \"" + name + "\"" }
	for name, c := range map[string]struct{ pool, a, want string }{
		"a pool":              {"", users("pool"), ""},
		"a class with it":     {"", `classes = ["c"]`, ""},
		"an unknown tenant":   {"", users("poool"), `tenants/a.toml:6:1: shared.users: there is no tenant "poool" (did you mean "pool"?)`},
		"a member":            {users("b"), users("pool"), `"pool" has the accounts of "b" itself (users = "b")`},
		"each other":          {users("a"), users("pool"), `"pool" has the accounts of "a" itself`},
		"another server":      {`server = "other"`, users("pool"), `"pool" is on another server`},
		"another user":        {"", users("pool") + "\n[pool]\nuser = \"nobody\"", `"pool" runs as another user`},
		"MediaWiki's own way": {"", "[settings]\nwgSharedTables = [\"user\"]\n" + users("pool"), `$wgSharedTables is set, too, at tenants/a.toml:6:`},
		"itself":              {"", users("a"), `tenants/a.toml:6:1: shared.users: "a" is the tenant itself`},
		"another key":         {"", "[shared]\nblocks = \"pool\"", "shared.blocks: is not a key"},
	} {
		files := map[string]string{"wikictl.toml": farm, "tenants/pool.toml": tenant("pool", "classes = [\"c\"]\n"+c.pool), "tenants/a.toml": tenant("a", c.a), "tenants/b.toml": tenant("b", ""),
			"classes/c.toml": "[shared]\nusers = \"pool\"\n"}
		if c.pool != "" {
			files["classes/c.toml"] = "\n"
		}
		f, err := Load(written(t, files))
		said := saidAgainst(f, err, "a", "shared")
		if (c.want == "") != (said == "") || !strings.Contains(said, c.want) {
			t.Errorf("%s: %q, want %q", name, said, c.want)
		}
		if a := f; c.want == "" && (a.Tenant("a").Owner != a.Tenant("pool") || a.Tenant("pool").Owner != nil || len(a.Tenant("pool").Members) != 1) {
			t.Errorf("%s: the owner is not pool", name)
		}
	}
}
