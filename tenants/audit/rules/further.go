package rules

import (
	"slices"

	"wikictl/tenants/ledger"
	"wikictl/tenants/session"
)

// further returns the tenant's further databases, by the ledger.
func (s *subject) further() (own []ledger.Database) {
	for _, d := range s.observed.History.Further {
		if d.Tenant == s.tenant.Name && d.Server == s.tenant.Server.Name {
			own = append(own, d)
		}
	}
	return own
}

func furtherMissing(s *subject, r *reporter) {
	if _, found := s.inUse(); found == nil {
		return
	}
	state, _ := s.server()
	exists := func(name string) bool { return state.Databases[name] != nil }
	if err := session.FurtherFault(s.tenant, s.observed.History.Further, exists); err != nil {
		r.say(s.at("databases"), "databases", "", "%s", err)
	}
	for _, d := range s.further() {
		if f := state.Databases[d.Name]; f != nil && d.Made && state.Marks && f.Farm != s.observed.FarmID {
			r.say(s.at("databases"), d.Name, "rename it, or ALTER DATABASE … COMMENT if it is the wiki's", "its database %s does not have the mark of this farm: something replaced it", d.Name)
		}
	}
}

func furtherPending(s *subject, r *reporter) {
	if _, found := s.inUse(); found == nil {
		return
	}
	state, _ := s.server()
	made := ledger.MadeDatabases(s.further())
	for _, name := range s.tenant.Databases {
		if !slices.Contains(made, name) && state.Databases[name] == nil {
			r.say(s.at("databases."+name), name, "wikictl apply "+s.tenant.Name, "its database %s is not made yet", name)
		}
	}
}

func furtherUnused(s *subject, r *reporter) {
	if _, found := s.inUse(); found == nil {
		return
	}
	for _, d := range s.further() {
		if !slices.Contains(s.tenant.Databases, d.Name) {
			r.say(s.tenant.Position, d.Name, "DROP DATABASE, then wikictl apply "+s.tenant.Name, "its database %s is not in its definition any more; it is kept", d.Name)
		}
	}
}
