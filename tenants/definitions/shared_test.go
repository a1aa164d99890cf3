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
		problems := problemsOf(f, err, "a", "shared")
		if (c.want == "") != (problems == "") || !strings.Contains(problems, c.want) {
			t.Errorf("%s: %q, want %q", name, problems, c.want)
		}
		if a := f; c.want == "" && (a.Tenant("a").Owner != a.Tenant("pool") || a.Tenant("pool").Owner != nil || len(a.Tenant("pool").Members) != 1) {
			t.Errorf("%s: the owner is not pool", name)
		}
	}
}

// A tenant shows the files of one on its server that all may read, and that has them on its disk.
func TestSharedMedia(t *testing.T) {
	farm := "allow_php = true\nstate = \"state\"\ntenants = [\"tenants/*.toml\"]\nclasses = [\"classes/*.toml\"]\n[codebases.main]\npath = \"/nonexistent\"\n[servers.main]\nmanaged = true\n[servers.other]\ndsn = \"root@tcp(db:3306)/\"\n[defaults]\ncodebase = \"main\"\nserver = \"main\"\n"
	tenant := func(name, more string) string {
		return "name = \"" + name + "\"\nhosts = [\"" + name + ".example\"]\nsitename = \"" + name + "\"\nskins = [\"Vector\"]\n" + more + "\n"
	}
	media := func(name string) string { return "[shared]\nmedia = \"" + name + "\"" }
	for name, c := range map[string]struct{ pool, a, want string }{
		"a pool":            {"", media("pool"), ""},
		"a class with it":   {"classes = [\"c\"]", `classes = ["c"]`, ""},
		"closed":            {`state = "closed"`, media("pool"), ""},
		"an unknown tenant": {"", media("poool"), `tenants/a.toml:6:1: shared.media: there is no tenant "poool" (did you mean "pool"?)`},
		"a viewer":          {media("b"), media("pool"), `"pool" itself shows the files of "b"`},
		"another server":    {`server = "other"`, media("pool"), `"pool" is on another server`},
		"private":           {`state = "private"`, media("pool"), `"pool" is private by tenants/pool.toml:5:`},
		"private by rights": {"[settings]\nwgGroupPermissions.\"*\".read = false", media("pool"), `"pool" is private by tenants/pool.toml:6:`},
		"private for PHP":   {"[settings]\nwgGroupPermissions.\"*\".read = { php = \"f()\" }", media("pool"), `"pool" may be private`},
		"files elsewhere":   {"[settings]\nwgFileBackends = [{ name = \"s3\" }]", media("pool"), `"pool" has its files elsewhere, by $wgFileBackends at tenants/pool.toml:6:`},
		"small letters":     {"[settings]\nwgCapitalLinks = false", media("pool"), `names of files of "pool" may begin with a small letter`},
		"itself":            {"", media("a"), `tenants/a.toml:6:1: shared.media: "a" is the tenant itself`},
	} {
		files := map[string]string{"wikictl.toml": farm, "tenants/pool.toml": tenant("pool", c.pool), "tenants/a.toml": tenant("a", c.a), "tenants/b.toml": tenant("b", ""), "classes/c.toml": media("pool") + "\n"}
		f, err := Load(written(t, files))
		problems := problemsOf(f, err, "a", "shared")
		if f != nil && f.Tenant("a").MediaDenied != nil {
			a := f.Tenant("a")
			blocked := problems != ""
			problems += a.MediaDenied.String()
			if blocked || a.Media != nil || len(a.AllGrants())+len(f.Tenant("pool").Viewers) > 0 {
				t.Errorf("%s: it is blocked, or has rights on pool's tables", name)
			}
		}
		if (c.want == "") != (problems == "") || !strings.Contains(problems, c.want) {
			t.Errorf("%s: %q, want %q", name, problems, c.want)
		}
		if a := f; c.want == "" && (a.Tenant("a").Media != a.Tenant("pool") || a.Tenant("pool").Media != nil || len(a.Tenant("pool").Viewers) != 1) {
			t.Errorf("%s: it does not show pool's files", name)
		}
	}
}
