package mariadb

import (
	"slices"
	"testing"
)

// Rights on a farm's databases are made what they should be, and no others are touched.
func TestChangesOfGrants(t *testing.T) {
	a := Accounts{
		Database: "wiki_a", Host: "localhost", Web: Account{Name: "wiki_a"}, Schema: Account{Name: "wiki_a_schema"}, More: []string{"a_more"},
		Rights: []Right{
			{Database: "wiki_pool", Table: "user", Privileges: []string{"SELECT"}},
			{Database: "wiki_pool", Table: "user", Privileges: []string{"UPDATE"}},
		},
	}
	web, schema := WantedGrants()
	user := Grant{Database: "wiki_pool", Table: "user", Privileges: []string{"SELECT", "UPDATE"}}
	more := func(rights ...string) Grant { return Grant{Database: `a\_more`, Privileges: rights} }
	good := map[string][]Grant{
		"wiki_a@localhost":        {user, more(web...)},
		"wiki_a_schema@localhost": {user, more(append([]string{"EVENT"}, schema...)...)},
	}
	known := func(database string) bool {
		return slices.Contains([]string{"wiki_a", "a_more", "wiki_pool"}, database)
	}
	for name, c := range map[string]struct {
		web  []Grant
		want []string
	}{
		"as it should be":          {good["wiki_a@localhost"], nil},
		"a right is missing":       {[]Grant{{Database: "wiki_pool", Table: "user", Privileges: []string{"SELECT"}}, more(web...)}, []string{"grant UPDATE on wiki_pool.user to wiki_a@localhost"}},
		"a right too many":         {append(good["wiki_a@localhost"], Grant{Database: "wiki_pool", Table: "page", Privileges: []string{"SELECT"}}), []string{"revoke SELECT on wiki_pool.page from wiki_a@localhost"}},
		"on a whole database":      {append(good["wiki_a@localhost"], Grant{Database: `wiki\_pool`, Privileges: []string{"SELECT"}}), []string{"revoke SELECT on wiki_pool.* from wiki_a@localhost"}},
		"on a stranger's database": {append(good["wiki_a@localhost"], Grant{Database: "ldap", Table: "x", Privileges: []string{"SELECT"}}), nil},
		"on its own database":      {append(good["wiki_a@localhost"], Grant{Database: `wiki\_a`, Privileges: web}), nil},
		"by a pattern":             {append(good["wiki_a@localhost"], Grant{Database: "wiki_%", Privileges: web}), nil},
		"by a name as typed":       {append(good["wiki_a@localhost"], Grant{Database: "wiki_pool", Privileges: []string{"SELECT"}}), []string{"revoke SELECT on wiki_pool.* from wiki_a@localhost"}},
		"further ones as typed":    {append(good["wiki_a@localhost"], Grant{Database: "a_more", Privileges: web[:1]}), []string{"revoke " + web[0] + " on a_more.* from wiki_a@localhost"}},
		"its own as typed":         {append(good["wiki_a@localhost"], Grant{Database: "wiki_a", Privileges: web}), nil},
		"on everything":            {append(good["wiki_a@localhost"], Grant{Privileges: web}, Grant{Role: "r"}), nil},
		"by column":                {append(good["wiki_a@localhost"], Grant{Database: "wiki_pool", Table: "user.user_id", Privileges: web}), nil},
	} {
		have := map[string][]Grant{"wiki_a@localhost": c.web, "wiki_a_schema@localhost": good["wiki_a_schema@localhost"]}
		changes := a.Changes(func(account string) []Grant { return have[account] }, known)
		var got []string
		for _, change := range changes {
			got = append(got, change.String())
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
