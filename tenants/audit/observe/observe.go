// Package observe reads the actual state of a farm: servers, ledger, disk, codebases, and
// the wikis' answers. The rules of an audit compare it with the definitions.
package observe

import (
	"context"

	"wikictl/tenants"
	"wikictl/tenants/ledger"
	"wikictl/tenants/mariadb"
	"wikictl/tenants/session"
)

// Observed is the actual state of servers, ledger, disk and wikis, as far as it could be
// read.
type Observed struct {
	Servers map[string]Server        // by name
	Ledger  map[string]ledger.Tenant // by tenant; nil if it can't be read
	History LedgerState              // the rest of the ledger
	Busy    map[string]string        // the run that is working on a tenant, by tenant
	Schemas map[string]Reference     // the expected schema, by component set
	FarmSQL []SQLWords               // of the farm's own SQL files
	Wikis   map[string]*Wiki         // by tenant, of those that are ready and that no run is changing
	Farm    Farm

	Repository Repository // of the farm's backups

	FarmID   string                      // of its identity; empty: not created yet
	Accounts map[string]mariadb.Accounts // by tenant, with the passwords in the secrets file

	Certificates map[CertificatePaths]Certificate // of the audited tenants
	Folders      map[string]error                 // errors of the farm's folders that the web server can't send files from, by path
}

// Scope selects the tenants and the depth of an audit.
type Scope struct {
	Farm  *tenants.Farm
	List  []*tenants.Tenant
	Whole bool // list is every tenant
	Quick bool // request nothing from wikis, and read no dumps
}

// Inspect reads everything once, and the ledger and the locks twice, to find the tenants
// that a run changes meanwhile. It writes nothing and takes no lock.
func Inspect(ctx context.Context, h *session.Host, w Scope) (*Observed, error) {
	t := &Observed{Servers: connect(ctx, h), Certificates: inspectCertificates(w), Folders: inspectFolders(w), FarmID: h.FarmID(), Accounts: map[string]mariadb.Accounts{}}
	for _, tenant := range w.List {
		t.Accounts[tenant.Name] = h.AccountsOf(tenant)
	}
	before, err := inspectLedger(ctx, h, t.Servers)
	if err != nil {
		return nil, err
	}
	inspectServers(ctx, h, t.Servers)
	t.Repository = inspectRepository(ctx, w)
	if t.Farm, err = inspectFarm(ctx, h, w, before.tenants); err != nil {
		return nil, err
	}
	if t.Wikis, err = inspectWikis(ctx, h, w, t.Servers, before); err != nil {
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
