package provision

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/backup"
	"wikictl/tenants/disk"
	"wikictl/tenants/ledger"
	"wikictl/tenants/plan"
	"wikictl/tenants/session"
	"wikictl/tenants/wiki"
)

// Undelete brings back tenants that Apply removed: files, database, accounts and rows of
// the ledger. If run is not empty it selects the removal, otherwise the latest of each
// tenant. An interrupted removal is reverted, or completed first. The next Undelete
// finishes an interrupted one.
func Undelete(ctx context.Context, h *session.Host, list []*tenants.Tenant, run string, o Options) ([]session.Outcome, error) {
	c := &creation{Host: h, o: o}
	if err := c.inspect(ctx, list); err != nil {
		return nil, err
	}
	ctx, err := c.Lock(ctx, tenants.ServersOf(list))
	if err != nil {
		return nil, err
	}
	if c.ledger, err = c.Ledger(ctx); err != nil {
		return nil, err
	}
	if c.run, err = c.Begin(ctx, "undelete", o.Observer); err != nil {
		return nil, err
	}
	jobs := make([]*job, len(list))
	for i, t := range list {
		jobs[i] = &job{tenant: t, removal: run}
	}
	ended := map[string]session.Outcome{}
	end := func(j *job, status session.Status, err error) {
		ended[j.tenant.Name] = c.run.Finish(session.Outcome{Tenant: j.tenant, Status: status, Err: err, Elapsed: j.elapsed})
	}
	for _, round := range ownersFirst(jobs) {
		for _, j := range c.each(ctx, round, o.Drain, c.bringBack, end) {
			end(j, session.Done, nil)
		}
	}
	outcomes := make([]session.Outcome, len(list))
	for i, t := range list {
		outcomes[i] = session.OutcomeOf(t, ended, nil)
	}
	return outcomes, c.run.End(ctx, outcomes)
}

// ownersFirst divides jobs into rounds: a tenant that reads tables of others of the list comes
// in a later round than those.
func ownersFirst(jobs []*job) (rounds [][]*job) {
	for len(jobs) > 0 {
		all := tenants.NamesOf(tenantsOf(jobs))
		waits := func(j *job) bool {
			return slices.ContainsFunc(j.tenant.ReadsFrom(), func(t *tenants.Tenant) bool { return slices.Contains(all, t.Name) })
		}
		round := slices.DeleteFunc(slices.Clone(jobs), waits)
		if len(round) == 0 { // they read from each other
			return append(rounds, jobs)
		}
		rounds = append(rounds, round)
		jobs = slices.DeleteFunc(slices.Clone(jobs), func(j *job) bool { return !waits(j) })
	}
	return rounds
}

// bringBack brings one tenant back.
func (c *creation) bringBack(ctx context.Context, j *job) error {
	t := j.tenant
	c.o.Observer.Started(t.Name)
	err := c.step(t, "lock", func() error { return c.Locks(t.Server).Acquire(ctx, t.Database) })
	if err != nil {
		return err
	}
	if j.row, _, err = c.ledger.Tenant(ctx, t.Name); err != nil {
		return err
	}
	if j.row.State == ledger.Leaving {
		if kept, err := c.endRemoval(ctx, j); err != nil || kept {
			return err
		}
	}
	if j.row.State == ledger.Returning {
		j.removal = j.row.Run
	}
	r, err := removalOf(c.Layout, t, j.removal)
	found := j.row.Name != "" && j.row.State != ledger.Returning
	switch {
	case found && (err != nil || j.row.State != ledger.Ready || !r.emptied()):
		if c.o.Gone {
			return errMade
		}
		return existsError(j.row.State)
	case err != nil:
		return err
	}
	steps := []namedStep{
		{"claim", func() error { return c.claimRemoved(ctx, j, r) }},
		{"files", func() error { return c.bringFiles(ctx, t, r) }},
		{"database", func() error { return c.restoreRemoved(ctx, j, r) }},
		// Before users can write, as the next run would otherwise restore the database
		// again.
		{"ledger", func() error { return c.returned(ctx, r) }},
		{"release", func() error { return c.serveRemoved(ctx, j, r) }},
		{"probe", func() error { return c.askRemoved(ctx, j, r) }},
		{"dump", func() error { return c.keepDump(t, r) }},
	}
	if found {
		steps = steps[4:]
	}
	if err = c.steps(ctx, t, steps); errors.As(err, new(*tenants.Hint)) {
		return err
	}
	return tenants.WithHint(err, "wikictl undelete "+t.Name+" continues")
}

// existsError reports that a tenant is not removed, with its state in the ledger.
type existsError ledger.State

// Error returns the reason.
func (e existsError) Error() string {
	return fmt.Sprintf("it exists (state %s in the ledger), so there is nothing to bring back", string(e))
}

// emptied reports whether everything but the dump has been moved back, by an interrupted
// Undelete.
func (r *Removed) emptied() bool {
	return r.Database != "" && !deploy.Exists(filepath.Join(r.dir, "wiki")) && !deploy.Exists(filepath.Join(r.dir, "secrets.toml"))
}

// endRemoval ends an interrupted removal: it keeps a tenant that still has its database
// and no dump, and completes any other removal.
func (c *creation) endRemoval(ctx context.Context, j *job) (kept bool, err error) {
	t, row := j.tenant, j.row
	if row.Server != t.Server.Name || row.Database != t.Database {
		return false, fmt.Errorf("run %s began to remove it from database %s on server %s: set that in its definition", row.Run, row.Database, row.Server)
	}
	dir := c.Layout.RemovedTenant(t.Name, row.Run)
	_, err = backup.Find(filepath.Join(dir, dumpBase))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	if err != nil {
		server, err := c.Server(ctx, t.Server)
		if err != nil {
			return false, err
		}
		found, err := server.Has(ctx, t.Database)
		switch {
		case err != nil:
			return false, err
		case found:
			return true, c.keepTenant(ctx, j)
		}
	}
	if _, err := c.Deploy.Withdraw(ctx, t.Name); err != nil {
		return false, err
	}
	gone := &job{tenant: t, row: row, kind: plan.Undefined}
	if err := c.remove(ctx, gone); err != nil {
		return false, fmt.Errorf("complete the removal that run %s began: %w", row.Run, err)
	}
	j.row, j.removal = ledger.Tenant{}, gone.removal
	return false, nil
}

// keepTenant reverts a removal before its irreversible steps.
func (c *creation) keepTenant(ctx context.Context, j *job) error {
	t, was := j.tenant, j.row
	row := was
	row.State, row.Run = ledger.Creating, c.RunID
	r := &Removed{Name: t.Name, Run: was.Run, Database: was.Database, Version: was.Version, ComponentSet: was.ComponentSet, dir: c.Layout.RemovedTenant(t.Name, was.Run)}
	l := namedStep{"ledger", func() error { return c.ledger.Advance(ctx, was, row) }}
	forget := namedStep{"forget", func() error {
		if err := backup.Remove(filepath.Join(r.dir, dumpBase)); err != nil {
			return err
		}
		return c.Deploy.ForgetRemoved(t.Name, r.dir, nil, definitionFile, manifestFile)
	}}
	if !deploy.Exists(c.Layout.LocalSettings(t.Name)) { // it was never served
		return c.steps(ctx, t, []namedStep{l, forget})
	}
	row.State = ledger.Ready
	return c.steps(ctx, t, []namedStep{
		{"accounts", func() error { return c.RestoreAccounts(ctx, c.ledger, t) }},
		{"release", func() error { return c.serveRemoved(ctx, j, r) }},
		{"probe", func() error { return c.askRemoved(ctx, j, r) }},
		l, forget,
	})
}

// claimRemoved checks that a tenant may be brought back, and records that in the ledger.
func (c *creation) claimRemoved(ctx context.Context, j *job, r *Removed) error {
	if j.row.State == ledger.Returning {
		return nil
	}
	if err := c.mayReturn(ctx, j.tenant, r); err != nil {
		return err
	}
	row := r.row()
	row.Server = j.tenant.Server.Name
	if err := c.ledger.Claim(ctx, row); err != nil {
		return err
	}
	return c.claimDumped(ctx, j.tenant, r)
}

// claimDumped records the further databases that come back.
func (c *creation) claimDumped(ctx context.Context, t *tenants.Tenant, r *Removed) error {
	for _, name := range r.dumped() {
		if err := c.ledger.ClaimDatabase(ctx, ledger.Database{Server: t.Server.Name, Name: name, Tenant: t.Name}, c.RunID); err != nil {
			return err
		}
	}
	return nil
}

// dumped returns the further databases in a removal's dump, whose description may have
// been moved back already.
func (r *Removed) dumped() []string {
	names, _ := backup.Further(filepath.Join(r.dir, dumpBase)) // mayReturn and restoreRemoved open the dump
	return names
}

// bringFiles moves a tenant's files back. A tenant that was never served had no folders
// for uploads and caches.
func (c *creation) bringFiles(ctx context.Context, t *tenants.Tenant, r *Removed) error {
	err := c.Deploy.BringBack(ctx, t.Name, r.dir)
	if err != nil || r.State != ledger.Made {
		return err
	}
	return c.Deploy.MakeOwn(t.Name, c.Layout.Cache(t.Name), c.Layout.Images(t.Name))
}

// restoreRemoved restores the database from its dump and makes its accounts.
func (c *creation) restoreRemoved(ctx context.Context, j *job, r *Removed) error {
	b, err := backup.Find(filepath.Join(r.dir, dumpBase))
	if err != nil {
		return err
	}
	server, err := c.Server(ctx, j.tenant.Server)
	if err != nil {
		return err
	}
	if err := c.claimDumped(ctx, j.tenant, r); err != nil {
		return err
	}
	if err := server.Restore(ctx, b, func() error { return c.Verify(ctx, j.tenant) }); err != nil {
		return err
	}
	for _, name := range r.dumped() {
		if err := c.ledger.DatabaseMade(ctx, ledger.Database{Server: j.tenant.Server.Name, Name: name, Tenant: j.tenant.Name}); err != nil {
			return err
		}
	}
	return c.RestoreAccounts(ctx, c.ledger, j.tenant)
}

// sameCode reports whether a tenant's definition has the code of its database.
func (r *Removed) sameCode(t *tenants.Tenant) bool {
	return r.ComponentSet == t.ComponentSet(t.Codebase)
}

// serveRemoved publishes a tenant again: from its definition or, if that has other code,
// from its former release; an upgrade does the rest.
func (c *creation) serveRemoved(ctx context.Context, j *job, r *Removed) error {
	if !r.sameCode(j.tenant) {
		if err := c.Replicated(ctx, j.tenant.Server); err != nil {
			return err
		}
		return c.ServeAgain(ctx, j.tenant.Name)
	}
	refused, err := c.publish(ctx, []*job{{tenant: j.tenant, kind: plan.Change}})
	return cmp.Or(err, refused[j.tenant.Name])
}

// askRemoved probes a tenant through the web server.
func (c *creation) askRemoved(ctx context.Context, j *job, r *Removed) error {
	t := j.tenant
	want := wiki.SiteInfo{DBName: t.Database, Version: r.Version}
	if r.sameCode(t) {
		want.Sitename, want.Lang = t.Sitename, t.Language
	}
	_, err := c.Identify(ctx, c.ServedHost(t), want)
	return err
}

// returned records that a tenant is back.
func (c *creation) returned(ctx context.Context, r *Removed) error {
	row := r.row()
	row.State, row.Run = ledger.Ready, c.RunID
	return c.ledger.Returned(ctx, row, r.Ledger, r.SQL)
}

// keepDump moves the removal's dump among the tenant's dumps.
func (c *creation) keepDump(t *tenants.Tenant, r *Removed) error {
	dumps := map[string]string{}
	for _, ending := range []string{".json", ".sql.zst"} {
		dumps[dumpBase+ending] = r.Run + ending
		for _, name := range r.dumped() {
			if ending != ".json" {
				dumps[backup.FurtherBase(dumpBase, name)+ending] = backup.FurtherBase(r.Run, name) + ending
			}
		}
	}
	gone := []string{returningFile, definitionFile, manifestFile}
	if r.definedBy(filepath.Join(c.Farm.Dir, t.Position.File)) {
		gone = append([]string{deploy.RetiredDefinition}, gone...)
	}
	return c.Deploy.ForgetRemoved(r.Name, r.dir, dumps, gone...)
}

// definedBy reports whether a file is the same as the one that defined the tenant before a
// delete.
func (r *Removed) definedBy(file string) bool {
	was, err := disk.Read(filepath.Join(r.dir, deploy.RetiredDefinition))
	if err != nil {
		return false
	}
	now, err := disk.Read(file)
	return err == nil && bytes.Equal(was, now)
}
