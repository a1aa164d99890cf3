// Package observe reads what a farm really has: servers, ledger, disk, codebases, and what
// the wikis answer. The rules of an audit compare it with the definitions.
package observe

import (
	"context"

	"wikictl/tenants"
	"wikictl/tenants/ledger"
	"wikictl/tenants/mariadb"
	"wikictl/tenants/session"
)

// Observed is what servers, ledger, disk and wikis hold, as far as they could be read.
type Observed struct {
	Servers map[string]Server        // by name
	Ledger  map[string]ledger.Tenant // by tenant; nil when it can't be read
	History LedgerState              // what else the ledger knows
	Busy    map[string]string        // who works on a tenant right now, by tenant
	Schemas map[string]Reference     // what a database should have, by component set
	FarmSQL []SQLWords               // of the farm's own files
	Wikis   map[string]*Wiki         // by tenant, of those that are ready and that no run changes
	Farm    Farm

	FarmID   string                      // of its identity; empty: none was made yet
	Accounts map[string]mariadb.Accounts // by tenant, with the passwords of the secrets file

	Certificates map[CertificatePaths]Certificate // of the tenants that are looked at
}

// Scope is which tenants are audited, and how.
type Scope struct {
	Farm  *tenants.Farm
	List  []*tenants.Tenant
	Whole bool // list is every tenant
	Quick bool // no wiki is asked, and no dump is read
}

// Inspect reads everything once, and the ledger and the locks twice: a tenant that a run
// works on meanwhile is between two states. It writes nothing and takes no lock.
func Inspect(ctx context.Context, h *session.Host, w Scope) (*Observed, error) {
	t := &Observed{Servers: connect(ctx, h), Certificates: inspectCertificates(w), FarmID: h.FarmID(), Accounts: map[string]mariadb.Accounts{}}
	for _, tenant := range w.List {
		t.Accounts[tenant.Name] = h.AccountsOf(tenant)
	}
	before, err := inspectLedger(ctx, h, t.Servers)
	if err != nil {
		return nil, err
	}
	inspectServers(ctx, h, t.Servers)
	if t.Farm, err = inspectFarm(ctx, h, w, before.tenants); err != nil {
		return nil, err
	}
	if t.Wikis, err = inspectWikis(ctx, h, w, before); err != nil {
		return nil, err
	}
	if t.History, err = inspectLedger(ctx, h, t.Servers); err != nil {
		return nil, err
	}
	t.Ledger, t.Busy = t.History.tenants, busyIn(before, t.History)
	for name := range t.Busy {
		delete(t.Wikis, name)
	}
	t.History.keep(before)
	if t.FarmSQL, err = readFarmSQL(h.Farm.Migrations); err != nil {
		return nil, err
	}
	t.Schemas, err = readReferences(h.Layout, t)
	return t, err
}
