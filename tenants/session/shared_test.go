package session

import (
	"strings"
	"testing"

	"wikictl/tenants"
)

// A wiki has the accounts that it was created with, whatever its definition says.
func TestUsersFault(t *testing.T) {
	t.Parallel()
	server := &tenants.Server{Name: "main"}
	pool := &tenants.Tenant{Name: "pool", Database: "wiki_pool", Server: server}
	other := &tenants.Tenant{Name: "other", Database: "wiki_other", Server: server}
	f := &tenants.Farm{Tenants: []*tenants.Tenant{other, pool}}
	for name, c := range map[string]struct {
		owner *tenants.Tenant
		made  string
		want  string
	}{
		"its own":           {nil, "", ""},
		"pool's":            {pool, "wiki_pool", ""},
		"no more its own":   {pool, "", "it was created with accounts of its own, whose ids belong to other users in pool (take users out"},
		"no more pool's":    {nil, "wiki_pool", `it was created with the accounts in the database wiki_pool (set users = "pool" in [shared])`},
		"another's":         {other, "wiki_pool", `wiki_pool (set users = "pool" in [shared])`},
		"those of one gone": {nil, "wiki_gone", "it was created with the accounts in the database wiki_gone"},
	} {
		problem := usersFault(&tenants.Tenant{Name: "a", Server: server, Owner: c.owner}, c.made, f)
		remarks := ""
		if problem.Message != "" {
			remarks = problem.String()
		}
		if (c.want == "") != (remarks == "") || !strings.Contains(remarks, c.want) {
			t.Errorf("%s: %q, want %q", name, remarks, c.want)
		}
	}
}
