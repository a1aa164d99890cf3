package provision

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/backup"
	"wikictl/tenants/ledger"
	"wikictl/tenants/plan"
	"wikictl/tenants/session"
	"wikictl/tenants/wiki"
)

// Undelete brings tenants back that Apply removed: files, database, accounts and what
// the ledger knew; run, when it is not empty, is the removal to take back, else it is
// the latest of each. A removal that was interrupted is taken back, or ended first.
// What was interrupted is finished by the next Undelete.
func Undelete(ctx context.Context, h *session.Host, list []*tenants.Tenant, run string, o Options) ([]session.Outcome, error) {
	c := &creation{Host: h, o: o}
	if err := c.look(ctx, list); err != nil {
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
	for _, j := range c.each(ctx, jobs, o.Drain, c.bringBack, end) {
		end(j, session.Done, nil)
	}
	outcomes := make([]session.Outcome, len(list))
	for i, t := range list {
		outcomes[i] = session.OutcomeOf(t, ended, nil)
	}
	return outcomes, c.run.End(ctx, outcomes)
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
	r, err := FindRemoved(c.Layout, t.Name, j.removal)
	there := j.row.Name != "" && j.row.State != ledger.Returning
	switch {
	case there && (err != nil || j.row.State != ledger.Ready || !r.emptied()):
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
		// Before anybody can write into it: its database is not restored once more.
		{"ledger", func() error { return c.returned(ctx, r) }},
		{"release", func() error { return c.serveRemoved(ctx, j, r) }},
		{"probe", func() error { return c.askRemoved(ctx, j, r) }},
		{"dump", func() error { return c.keepDump(r) }},
	}
	if there {
		steps = steps[4:]
	}
	return c.steps(ctx, t, steps)
}

// existsError is the error of an Undelete of a tenant that is not removed: its state in
// the ledger.
type existsError ledger.State

// Error says that there is nothing to do.
func (e existsError) Error() string {
	return fmt.Sprintf("it exists (state %s in the ledger), so there is nothing to bring back", string(e))
}

// emptied reports whether all but the dump went back to its places: an Undelete was
// interrupted after that.
func (r *Removed) emptied() bool {
	return r.Database != "" && !deploy.Exists(filepath.Join(r.dir, "wiki")) && !deploy.Exists(filepath.Join(r.dir, "secrets.toml"))
}

// endRemoval takes an interrupted removal to one of its ends: what still has its
// database and no dump is kept as it was, anything else is removed first.
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
		there, err := server.Has(ctx, t.Database)
		switch {
		case err != nil:
			return false, err
		case there:
			return true, c.keepTenant(ctx, j)
		}
	}
	if _, err := c.Deploy.Withdraw(ctx, t.Name); err != nil {
		return false, err
	}
	gone := &job{tenant: t, row: row, kind: plan.Left}
	if err := c.remove(ctx, gone); err != nil {
		return false, fmt.Errorf("end the removal that run %s began: %w", row.Run, err)
	}
	j.row, j.removal = ledger.Tenant{}, gone.removal
	return false, nil
}

// keepTenant takes a removal back that came to nothing irreversible.
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
		{"accounts", func() error { return c.accountsOf(ctx, t) }},
		{"release", func() error { return c.serveRemoved(ctx, j, r) }},
		{"probe", func() error { return c.askRemoved(ctx, j, r) }},
		l, forget,
	})
}

// claimRemoved looks whether a tenant may come back, and notes in the ledger that it
// does.
func (c *creation) claimRemoved(ctx context.Context, j *job, r *Removed) error {
	if j.row.State == ledger.Returning {
		return nil
	}
	if err := c.mayReturn(ctx, j.tenant, r); err != nil {
		return err
	}
	row := r.row()
	row.Server = j.tenant.Server.Name
	return c.ledger.Claim(ctx, row)
}

// mayReturn returns why a removed tenant can't be brought back; nil when it can.
func (c *creation) mayReturn(ctx context.Context, t *tenants.Tenant, r *Removed) error {
	switch {
	case r.Database == "":
		return fmt.Errorf("only files were removed of it; %s says how to move them back", filepath.Join(r.dir, manifestFile))
	case !r.returns():
		return fmt.Errorf("it was never whole when run %s removed it, so that there is nothing to bring back: wikictl create %s makes it anew", r.Run, t.Name)
	case !deploy.Exists(filepath.Join(r.dir, "secrets.toml")):
		return fmt.Errorf("its secrets are not in %s, which it left when it was brought back since: undelete --run takes another removal", r.dir)
	case r.Database != t.Database:
		return fmt.Errorf("it had the database %s, and its definition says %s: set the former", r.Database, t.Database)
	}
	for _, path := range []string{c.Layout.Wiki(t.Name), c.Layout.Secrets(t.Name)} {
		if deploy.Exists(path) {
			return fmt.Errorf("%s is there already; move it away first", path)
		}
	}
	if _, err := backup.Find(filepath.Join(r.dir, dumpBase)); err != nil {
		return err
	}
	server, err := c.Server(ctx, t.Server)
	if err != nil {
		return err
	}
	switch there, err := server.Holds(ctx, c.AccountsOf(t)); {
	case err != nil:
		return err
	case there.Database:
		return fmt.Errorf("the database %s is on server %s already and wikictl did not make it; remove or rename it first", t.Database, t.Server.Name)
	case len(there.Foreign) > 0:
		return fmt.Errorf("the account %s is on server %s already and wikictl did not make it; remove it first", there.Foreign[0].Name(), t.Server.Name)
	}
	return nil
}

// bringFiles moves a tenant's files back. One that was removed before it was served
// never had folders for uploads and caches.
func (c *creation) bringFiles(ctx context.Context, t *tenants.Tenant, r *Removed) error {
	err := c.Deploy.BringBack(ctx, t.Name, r.dir)
	if err != nil || r.State != ledger.Made {
		return err
	}
	return c.Deploy.MakeOwn(t.Name, c.Layout.Cache(t.Name), c.Layout.Images(t.Name))
}

// restoreRemoved loads the database from its dump and makes its accounts.
func (c *creation) restoreRemoved(ctx context.Context, j *job, r *Removed) error {
	b, err := backup.Find(filepath.Join(r.dir, dumpBase))
	if err != nil {
		return err
	}
	server, err := c.Server(ctx, j.tenant.Server)
	if err != nil {
		return err
	}
	if err := server.Restore(ctx, b, func() error { return c.Verify(ctx, j.tenant) }); err != nil {
		return err
	}
	return c.accountsOf(ctx, j.tenant)
}

// accountsOf gives a tenant's accounts the passwords and rights that they had.
func (c *creation) accountsOf(ctx context.Context, t *tenants.Tenant) error {
	secrets, err := c.Deploy.ReadSecrets(t.Name)
	if err != nil {
		return err
	}
	server, err := c.Server(ctx, t.Server)
	if err != nil {
		return err
	}
	return server.EnsureAccounts(ctx, session.Accounts(t, secrets))
}

// sameCode reports whether a tenant is wanted on the code that its database is for.
func (r *Removed) sameCode(t *tenants.Tenant) bool {
	return r.ComponentSet == t.ComponentSet(t.Codebase)
}

// serveRemoved has the web server serve a tenant again: as its definition wants it, or,
// where that wants other code, from the release that it had; upgrade does the rest.
func (c *creation) serveRemoved(ctx context.Context, j *job, r *Removed) error {
	if !r.sameCode(j.tenant) {
		_, err := c.Deploy.Publish(ctx, j.tenant.Name)
		return err
	}
	refused, err := c.publish(ctx, []*job{{tenant: j.tenant, kind: plan.Change}})
	return cmp.Or(err, refused[j.tenant.Name])
}

// askRemoved asks a tenant through the web server who it is.
func (c *creation) askRemoved(ctx context.Context, j *job, r *Removed) error {
	t := j.tenant
	want := wiki.SiteInfo{DBName: t.Database, Version: r.Version}
	if r.sameCode(t) {
		want.Sitename, want.Lang = t.Sitename, t.Language
	}
	_, err := c.Identify(ctx, c.ServedHost(t), want)
	return err
}

// returned notes that a tenant is back.
func (c *creation) returned(ctx context.Context, r *Removed) error {
	row := r.row()
	row.State, row.Run = ledger.Ready, c.RunID
	return c.ledger.Returned(ctx, row, r.Ledger, r.SQL)
}

// keepDump makes the dump of the removal one of the tenant's dumps.
func (c *creation) keepDump(r *Removed) error {
	dumps := map[string]string{}
	for _, ending := range []string{".json", ".sql.zst"} {
		dumps[dumpBase+ending] = r.Run + ending
	}
	return c.Deploy.ForgetRemoved(r.Name, r.dir, dumps, definitionFile, manifestFile)
}
