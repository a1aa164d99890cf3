package rules

import (
	"slices"
	"testing"

	"wikictl/tenants"
	"wikictl/tenants/audit/observe"
	"wikictl/tenants/ledger"
	"wikictl/tenants/mariadb"
)

// A wiki that is half made, restored or removed has one finding with the command that completes it.
// Its database is not complete: what it lacks is no fault, least of all one for audit --fix.
func TestUnfinishedWikiHasOneFinding(t *testing.T) {
	alpha := &tenants.Tenant{
		Name: "alpha", Server: &tenants.Server{Name: "main", AccountHost: "localhost"}, Database: "wiki_alpha",
		Codebase: &tenants.Codebase{}, Position: tenants.Position{File: "tenants/alpha.toml"},
	}
	lacking := []string{"account-missing", "database-missing", "schema-version"}
	for state, next := range map[ledger.State]string{
		ledger.Creating: "wikictl create alpha", ledger.Made: "wikictl create alpha", ledger.Leaving: "wikictl undelete alpha",
		ledger.Returning: "wikictl undelete alpha", ledger.Recovering: "wikictl restore alpha", ledger.Ready: "",
	} {
		row := ledger.Tenant{Name: "alpha", Server: "main", Database: "wiki_alpha", Version: "1.43.9", State: state}
		for _, found := range []*mariadb.Found{nil, {}} {
			databases := map[string]*mariadb.Found{}
			if found != nil {
				databases["wiki_alpha"] = found
			}
			w := &wanted{Scope: observe.Scope{Farm: &tenants.Farm{}, List: []*tenants.Tenant{alpha}}, today: today(), observed: &observe.Observed{
				Ledger:  map[string]ledger.Tenant{"alpha": row},
				Servers: map[string]observe.Server{"main": {Inspection: &mariadb.Inspection{Databases: databases}}},
			}}
			r := newReporter(nil)
			for _, id := range append(slices.Clone(lacking), "create-unfinished") {
				r.rule, r.tenant = findRule(id), "alpha"
				r.rule.observed(&subject{w, alpha, nil}, r)
			}
			var lacks int
			hint := ""
			for _, f := range r.report(w).Findings {
				if f.Rule == "create-unfinished" {
					hint = f.Hint
				} else {
					lacks++
				}
			}
			if whole := state == ledger.Ready || state == ledger.Made; hint != next || whole != (lacks > 0) {
				t.Errorf("%s, database %t: %d faults, hint %q", state, found != nil, lacks, hint)
			}
		}
	}
}
