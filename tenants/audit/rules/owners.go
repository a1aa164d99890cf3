package rules

import (
	"wikictl/tenants"
	"wikictl/tenants/audit/observe"
)

// owners maps databases and accounts on servers to tenants, by the definitions and the
// ledger.
type owners struct {
	databases, accounts map[string]string // tenant by server and name
}

func onServer(server, name string) string { return server + "\x00" + name }

func (o owners) database(server, name string) string { return o.databases[onServer(server, name)] }
func (o owners) account(server, user string) string  { return o.accounts[onServer(server, user)] }

func (o owners) add(server, database, tenant string) {
	t := tenants.Tenant{Database: database}
	o.databases[onServer(server, database)] = tenant
	o.accounts[onServer(server, t.WebAccount())] = tenant
	o.accounts[onServer(server, t.SchemaAccount())] = tenant
}

// owners returns those of the whole farm; the definitions override the ledger.
func (w *wanted) owners() owners {
	o := owners{map[string]string{}, map[string]string{}}
	for name, row := range w.observed.Ledger {
		o.add(row.Server, row.Database, name)
	}
	for _, t := range w.Farm.Tenants {
		o.add(t.Server.Name, t.Database, t.Name)
	}
	for _, d := range w.observed.History.Further {
		o.databases[onServer(d.Server, d.Name)] = d.Tenant
	}
	return o
}

// othersAccounts returns the accounts of other farms' databases, by server and name.
func (w *wanted) othersAccounts() map[string]bool {
	all := map[string]bool{}
	w.eachServer(func(server string, state observe.Server) {
		for database := range state.Others {
			t := tenants.Tenant{Database: database}
			all[onServer(server, t.WebAccount())], all[onServer(server, t.SchemaAccount())] = true, true
		}
	})
	return all
}
