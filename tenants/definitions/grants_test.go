package definitions

import (
	"strings"
	"testing"

	"wikictl/tenants"
)

// Databases and grants are those that a definition may have, and mistakes have their
// place.
func TestDatabasesAndGrants(t *testing.T) {
	farm := "state = \"state\"\ntenants = [\"tenants/*.toml\"]\nclasses = [\"classes/*.toml\"]\n[codebases.main]\npath = \"/nonexistent\"\n[servers.main]\nmanaged = true\n[servers.other]\ndsn = \"root@tcp(db:3306)/\"\n[defaults]\ncodebase = \"main\"\nserver = \"main\"\n"
	tenant := func(name, more string) string {
		return "name = \"" + name + "\"\nhosts = [\"" + name + ".example\"]\nsitename = \"" + name + "\"\nskins = [\"Vector\"]\n" + more + "\n"
	}
	grant := func(on, tables, rights string) string {
		return "grants = [{ on = \"" + on + "\", tables = [" + tables + "], rights = [" + rights + "] }]"
	}
	for name, c := range map[string]struct{ pool, a, want string }{
		"a database and a grant":   {"", "databases = [\"a_more\"]\n" + grant("wiki_pool", `"user"`, `"select"`), ""},
		"a grant on a further one": {`databases = ["pool_more"]`, grant("pool_more", `"*"`, `"SELECT", "DELETE"`), ""},
		"an unknown database":      {"", grant("wiki_pol", `"user"`, `"SELECT"`), `tenants/a.toml:5:11: grants.on: no tenant on its server has the database "wiki_pol"`},
		"a tenant's name":          {"", grant("pool", `"user"`, `"SELECT"`), `the database of tenant pool is "wiki_pool"`},
		"another server":           {`server = "other"`, grant("wiki_pool", `"user"`, `"SELECT"`), "tenant pool has it on server other, which no grant reaches"},
		"more than data rights":    {"", grant("wiki_pool", `"user"`, `"SELECT", "DROP"`), `tenants/a.toml:5:70: grants.rights: "DROP" is more than reading and writing rows (want DELETE, INSERT, SELECT, UPDATE)`},
		"no rights":                {"", `grants = [{ on = "wiki_pool", tables = ["user"] }]`, "grants.rights: is missing"},
		"an empty list of tables":  {"", grant("wiki_pool", "", `"SELECT"`), "tenants/a.toml:5:11: grants.tables: is missing"},
		"an empty list of rights":  {"", grant("wiki_pool", `"user"`, ""), "tenants/a.toml:5:11: grants.rights: is missing"},
		"no table's name":          {"", grant("wiki_pool", `"wiki_pool.user"`, `"SELECT"`), `"wiki_pool.user" is not a table's name`},
		"another tenant's":         {"", `databases = ["wiki_pool"]`, `"wiki_pool" of tenant "pool" is the same database as "wiki_pool" of tenant "a"`},
		"its own":                  {"", `databases = ["wiki_a"]`, `the tenant has "wiki_a" already`},
		"the same twice":           {`databases = ["more"]`, `databases = ["More"]`, `is the same database as`},
		"the server's":             {"", `databases = ["mysql"]`, `"mysql" belongs to the server or to wikictl`},
		"no name":                  {"", `databases = ["a-b"]`, `"a-b" is not made of 1 to 64`},
		"in a class":               {"", `classes = ["c"]`, ""},
	} {
		files := map[string]string{"wikictl.toml": farm, "tenants/pool.toml": tenant("pool", c.pool+"\nclasses = [\"c\"]"), "tenants/a.toml": tenant("a", c.a),
			"classes/c.toml": grant("wiki_pool", `"user"`, `"SELECT"`) + "\n"}
		f, err := Load(written(t, files))
		problems := problemsOf(f, err, "a", "grants")
		if (c.want == "") != (problems == "") || !strings.Contains(problems, c.want) {
			t.Errorf("%s: %q, want %q", name, problems, c.want)
		}
		if c.want == "" && len(f.Tenant("pool").Grants) > 0 {
			t.Errorf("%s: the owner has a grant on itself", name)
		}
	}
	shown := Show(&tenants.Tenant{Codebase: &tenants.Codebase{}, Server: &tenants.Server{}, Databases: []string{"x"},
		Grants: []tenants.Grant{{On: "p", Tables: []string{"user"}, Rights: []string{"SELECT"}}}}, false)
	if !strings.Contains(shown, "databases = ['x']\ngrants = [{on = 'p', rights = ['SELECT'], tables = ['user']}]\n") {
		t.Error(shown)
	}
}

// problemsOf returns why loading failed, or the faults of a tenant's key.
func problemsOf(f *tenants.Farm, err error, tenant, key string) (problems string) {
	if err != nil {
		return err.Error()
	}
	for _, p := range f.Tenant(tenant).Faults {
		if strings.HasPrefix(p.Key, key) {
			problems += p.String()
		}
	}
	return problems
}
