package provision

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"wikictl/tenants"
	"wikictl/tenants/backup"
	"wikictl/tenants/ledger"
	"wikictl/tenants/mariadb"
	"wikictl/tenants/plan"
	"wikictl/tenants/session"
)

// patience is how long running requests to a wiki that is being removed may take.
const patience = 10 * time.Second

// remove removes a tenant that the web server no longer serves. Nothing is lost: its
// files move into a folder below state/removed, with a verified dump of the database,
// before the database is dropped, so that a lack of space is noticed while everything can
// still be kept. The ledger's rows are removed last, so that the next run finds an
// interrupted removal.
func (c *creation) remove(ctx context.Context, j *job) error {
	name := j.tenant.Name
	j.removal = c.RunID
	if j.row.State == ledger.Leaving {
		j.removal = j.row.Run
	}
	j.removed = c.Layout.RemovedTenant(name, j.removal)
	steps := []namedStep{
		{"withdrawn", func() error { c.AwaitGone(ctx, j.tenant); return nil }},
		{"mark", func() error { return c.leave(ctx, j) }},
		{"definition", func() error { return c.describe(ctx, j) }},
		{"last dump", func() error { return c.lastDump(ctx, j) }},
		{"files", func() error { return c.Deploy.Retire(ctx, name, j.removed) }},
		{"database", func() error { return c.dropDatabase(ctx, j.tenant) }},
		{"secrets", func() error { return c.Deploy.RetireSecrets(ctx, name, j.removed) }},
		{"verify", func() error { return c.nothingLeft(ctx, j.tenant) }},
		{"ledger", func() error { return c.ledger.Forget(ctx, name) }},
	}
	if j.row.Name == "" { // only in the state folder
		steps = []namedStep{steps[2], steps[4], steps[6], steps[7]}
	}
	return c.steps(ctx, j.tenant, steps)
}

// namedStep is one step of a tenant.
type namedStep struct {
	name string
	do   func() error
}

// steps runs steps of a tenant until one fails, which the error names. Each first
// verifies the tenant's lock.
func (c *creation) steps(ctx context.Context, t *tenants.Tenant, steps []namedStep) error {
	for _, s := range steps {
		if err := c.held(ctx, t, s.name, s.do); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

// leave records in the ledger which run began to remove a tenant.
func (c *creation) leave(ctx context.Context, j *job) error {
	if j.row.State == ledger.Leaving {
		return nil
	}
	was := j.row
	j.was = was.State
	j.row.State, j.row.Run = ledger.Leaving, c.RunID
	return c.ledger.Advance(ctx, was, j.row)
}

// lastDump dumps the database, unless the run that began the removal did: the database
// may be half dropped now.
func (c *creation) lastDump(ctx context.Context, j *job) error {
	server, err := c.Server(ctx, j.tenant.Server)
	if err != nil {
		return err
	}
	base := filepath.Join(j.removed, dumpBase)
	b, err := backup.Find(base)
	if err == nil {
		j.backup = b.File
		return b.Verify()
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	found, err := server.Has(ctx, j.tenant.Database)
	if err != nil || !found {
		return err
	}
	further, err := c.existing(ctx, server, j.tenant)
	if err != nil {
		return err
	}
	accounts := c.AccountsOf(j.tenant, further...)
	if err := server.StopWork(ctx, j.tenant.Database, accounts.Schema.Name); err != nil {
		return err
	}
	// An account that is not the tenant's stays unchanged, and the plan names it.
	if err := c.Freeze(ctx, j.tenant, accounts, patience); err != nil && !errors.Is(err, mariadb.ErrForeign) {
		return err
	}
	if err := backup.Remove(base); err != nil { // incomplete, from a killed run
		return err
	}
	if b, err = server.Dump(ctx, j.tenant.Database, base, tenants.Backup{}, further...); err != nil {
		return err
	}
	j.backup = b.File
	return nil
}

func (c *creation) dropDatabase(ctx context.Context, t *tenants.Tenant) error {
	server, err := c.Server(ctx, t.Server)
	if err != nil {
		return err
	}
	accounts := c.AccountsOf(t)
	further, err := c.existing(ctx, server, t)
	if err != nil {
		return err
	}
	for _, name := range further {
		if err := server.DropDatabase(ctx, name); err != nil {
			return err
		}
	}
	if err := server.DropOwnDatabase(ctx, accounts); err != nil {
		return err
	}
	if err := server.DropAccounts(ctx, accounts); err != nil {
		return err
	}
	switch left, err := server.Holds(ctx, accounts); {
	case err != nil:
		return err
	case left.Database || left.Web || left.Schema:
		return fmt.Errorf("the database %s or its accounts are still on server %s after they were removed", t.Database, t.Server.Name)
	}
	return nil
}

// nothingLeft checks that a tenant is removed completely.
func (c *creation) nothingLeft(ctx context.Context, t *tenants.Tenant) error {
	left := &Leftover{Leftover: plan.Leftover{Name: t.Name}}
	left.addFiles(c.Layout)
	if t.Server != nil {
		server, err := c.Server(ctx, t.Server)
		if err != nil {
			return err
		}
		further, err := c.ledger.DatabasesOf(ctx, t.Name)
		if err != nil {
			return err
		}
		for _, name := range append(session.Names(further), t.Database) {
			found, err := server.Has(ctx, name)
			if err != nil {
				return err
			}
			if found {
				left.Items = append(left.Items, "database "+name)
			}
		}
	}
	if len(left.Items) > 0 {
		return fmt.Errorf("still exists after the removal: %v", left.Items)
	}
	return nil
}
