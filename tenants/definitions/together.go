package definitions

import (
	"slices"
	"strings"

	"wikictl/tenants"
)

// checkTogether reports mistakes that can be found only when all tenants are known.
func (l *loader) checkTogether() {
	names, hosts := map[string]tenants.Position{}, map[string][]*tenants.Tenant{}
	databases, accounts := map[string]*tenants.Tenant{}, map[string]*tenants.Tenant{}
	for _, t := range l.farm.Tenants {
		if before, twice := names[t.Name]; twice {
			l.report(t.Position, "name", "", "the tenant %q is also in %s", t.Name, before)
			continue
		}
		names[t.Name] = t.Position
		if l.checkDatabase(t, "database", t.Database, databases) {
			l.checkAccounts(t, accounts)
		}
		for _, name := range t.Databases {
			l.checkDatabase(t, "databases", name, databases)
		}
		for _, host := range slices.Concat(t.Hosts, t.Aliases) {
			l.checkHost(t, host, hosts[host])
			hosts[host] = append(hosts[host], t)
		}
		if t.Shares {
			l.farm.Parts = with(l.farm.Parts, t.Name)
		}
	}
	l.checkOneFile()
	l.checkGrants(databases)
	l.linkShared()
	l.linkMedia()
}

// checkHost reports a host that a tenant can't share with others.
func (l *loader) checkHost(t *tenants.Tenant, host string, others []*tenants.Tenant) {
	if len(t.Hosts) > 0 && host != t.Hosts[0] && slices.ContainsFunc(others, func(other *tenants.Tenant) bool {
		return other != t && len(other.Hosts) > 0 && other.Hosts[0] == t.Hosts[0]
	}) {
		return // reported for the first of them
	}
	for _, other := range others {
		l.checkShared(t, other, host)
		if !t.Shares || !other.Shares {
			return // once is enough
		}
	}
}

func with(set map[string]bool, name string) map[string]bool {
	if set == nil {
		set = map[string]bool{}
	}
	set[name] = true
	return set
}

// onServer returns a name on a tenant's server in lower case, because servers may compare names
// so.
func onServer(t *tenants.Tenant, name string) string {
	name = strings.ToLower(name)
	if t.Server != nil {
		name = addressOf(t.Server) + "/" + name
	}
	return name
}

// addressOf identifies a server: two definitions may name the same server.
func addressOf(s *tenants.Server) string {
	_, address, _ := strings.Cut(s.DSN, "@")
	if end := strings.LastIndex(address, ")"); end > 0 {
		return address[:end+1]
	}
	return s.Name
}

// checkDatabase reports whether no other tenant has that database.
func (l *loader) checkDatabase(t *tenants.Tenant, key, name string, databases map[string]*tenants.Tenant) bool {
	other := databases[onServer(t, name)]
	databases[onServer(t, name)] = t
	if other == nil {
		return true
	}
	at, taken, place := positionOf(t, key), other.Database, positionOf(other, "database")
	for _, d := range other.Databases {
		if strings.EqualFold(d, name) {
			taken, place = d, positionOf(other, "databases."+d)
		}
	}
	if key == "databases" {
		at = positionOf(t, "databases."+name)
	}
	l.report(at, key, "set "+key+" in one of them", "%q of tenant %q is the same database as %q of tenant %q at %s", name, t.Name, taken, other.Name, place)
	return false
}

// checkAccounts refuses a database whose accounts would be another tenant's (the
// databases x and x_schema would share one) or the administrator's own.
func (l *loader) checkAccounts(t *tenants.Tenant, accounts map[string]*tenants.Tenant) {
	for _, name := range []string{t.WebAccount(), t.SchemaAccount()} {
		if t.Server != nil && t.Server.DSN != "" && strings.EqualFold(name, strings.SplitN(t.Server.DSN, "@", 2)[0]) {
			l.report(positionOf(t, "database"), "database", "set another database", "its account %q would be the one that wikictl uses on server %q", name, t.Server.Name)
		}
		if other := accounts[onServer(t, name)]; other != nil {
			l.report(positionOf(t, "database"), "database", "set database in one of them", "%q of tenant %q would share the account %q with %q of tenant %q at %s",
				t.Database, t.Name, name, other.Database, other.Name, positionOf(other, "database"))
			return
		}
	}
	accounts[onServer(t, t.WebAccount())], accounts[onServer(t, t.SchemaAccount())] = t, t
}
