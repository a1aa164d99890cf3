package audit

import (
	"context"

	"wikictl/tenants"
	"wikictl/tenants/ledger"
	"wikictl/tenants/mariadb"
	"wikictl/tenants/session"
)

// there is what is really there, as far as it could be looked at. The rules
// compare it with what is wanted.
type Observed struct {
	servers map[string]serverState   // by name
	ledger  map[string]ledger.Tenant // by tenant; nil when it can't be read
	past    ledgerState              // what else the ledger knows
	busy    map[string]string        // who works on a tenant right now, by tenant
	schemas map[string]reference     // what a database should have, by component set
	farmSQL []words                  // of the farm's own files
	disk    map[string]*diskState    // by tenant, of those that are ready and that no run changes
	farm    farmState

	farmID   string                      // of its identity; empty: none was made yet
	accounts map[string]mariadb.Accounts // by tenant, with the passwords of the secrets file

	certificates map[certificatePaths]certificate // of the tenants that are looked at
}

// scope is which tenants are audited, and how.
type scope struct {
	farm  *tenants.Farm
	list  []*tenants.Tenant
	whole bool // list is every tenant
	quick bool // no wiki is asked, and no dump is read
}

// gather looks at everything once, before any rule does, and at the ledger and
// the locks twice: what a run works on meanwhile is in between two states.
func Inspect(ctx context.Context, h *session.Host, w scope) (*Observed, error) {
	t := &Observed{servers: connect(ctx, h), certificates: lookAtCertificates(w), farmID: h.FarmID(), accounts: map[string]mariadb.Accounts{}}
	for _, tenant := range w.list {
		t.accounts[tenant.Name] = h.AccountsOf(tenant)
	}
	before, err := lookAtLedger(ctx, h, t.servers)
	if err != nil {
		return nil, err
	}
	inspectServers(ctx, h, t.servers)
	if t.farm, err = lookAtFarm(ctx, h, w, before.tenants); err != nil {
		return nil, err
	}
	if t.disk, err = lookAtTenants(ctx, h, w, before); err != nil {
		return nil, err
	}
	if t.past, err = lookAtLedger(ctx, h, t.servers); err != nil {
		return nil, err
	}
	t.ledger, t.busy = t.past.tenants, busyIn(before, t.past)
	for name := range t.busy {
		delete(t.disk, name)
	}
	t.past.keep(before)
	if t.farmSQL, err = readFarmSQL(h.Farm.Migrations); err != nil {
		return nil, err
	}
	t.schemas, err = readReferences(h.Layout, t)
	return t, err
}
