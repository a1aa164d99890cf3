package provision

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"wikictl/tenants"
	"wikictl/tenants/ledger"
	"wikictl/tenants/plan"
	"wikictl/tenants/session"
)

// Apply carries out a plan except for upgrades: it makes, changes and renames tenants,
// and with o.Prune removes leftovers, with one check and one reload of the web server for
// all. It returns an outcome for each tenant of the plan and for each removed one. The
// error is of the run as a whole.
func Apply(ctx context.Context, h *session.Host, p *Plan, o Options) ([]session.Outcome, error) {
	c := &creation{Host: h, o: o, web: len(p.Farm) > 0}
	jobs, outcomes := jobsOf(p, o.Prune)
	order := slices.Clone(p.all)
	for _, left := range p.Leftovers {
		if o.Prune {
			order = append(order, left.tenant)
		}
	}
	for _, t := range order {
		if outcome := outcomes[t.Name]; outcome.Status.Failure() {
			o.Observer.Finished(outcome)
		}
	}
	var err error
	before := len(outcomes)
	if len(jobs) > 0 || c.web {
		err = c.inspect(ctx, tenantsOf(jobs))
		if err == nil {
			jobs = c.unobstructed(jobs, outcomes)
			err = c.work(ctx, c.command(), jobs, max(len(jobs), 1), outcomes)
		}
	}
	if err != nil && len(outcomes) == before { // nothing was done
		return nil, err
	}
	ordered := make([]session.Outcome, 0, len(order))
	for _, t := range order {
		ordered = append(ordered, session.OutcomeOf(t, outcomes, err))
	}
	return ordered, err
}

// command returns the command whose run Apply is.
func (c *creation) command() string {
	if c.o.Defined != nil {
		return "delete"
	}
	return "apply"
}

// jobsOf returns the jobs of a plan, and the outcomes of tenants without a job.
func jobsOf(p *Plan, prune bool) ([]*job, map[string]session.Outcome) {
	outcomes := map[string]session.Outcome{}
	for _, t := range p.all {
		outcomes[t.Name] = session.Outcome{Tenant: t, Status: session.Unchanged}
	}
	var jobs []*job
	for _, t := range p.Tenants {
		for _, e := range t.Entries {
			if e.Kind == plan.Upgrade {
				continue
			}
			delete(outcomes, t.Name)
			if e.Kind == plan.Blocked {
				outcomes[t.Name] = session.Outcome{Tenant: t.tenant, Status: session.Blocked, Err: t.Err()}
			} else {
				jobs = append(jobs, &job{tenant: t.tenant, kind: e.Kind, row: t.row, accounts: t.accounts, access: t.access})
			}
			break
		}
	}
	for _, left := range p.Leftovers {
		switch {
		case !prune:
		case left.Problem != "":
			outcomes[left.Name] = session.Outcome{Tenant: left.tenant, Status: session.Failed, Err: errors.New(left.Problem)}
		default:
			jobs = append(jobs, &job{tenant: left.tenant, kind: plan.Undefined, row: left.row})
		}
	}
	return jobs, outcomes
}

// unobstructed drops the jobs of tenants that have become blocked since the plan was
// made, and adds their outcomes.
func (c *creation) unobstructed(jobs []*job, outcomes map[string]session.Outcome) []*job {
	return slices.DeleteFunc(jobs, func(j *job) bool {
		problems := c.obstacles[j.tenant.Name]
		if problems == nil {
			return false
		}
		outcomes[j.tenant.Name] = session.Outcome{Tenant: j.tenant, Status: session.Blocked, Err: session.InTheWay(problems)}
		c.o.Observer.Finished(outcomes[j.tenant.Name])
		return true
	})
}

// prepare does the steps before the web server's configuration changes.
func (c *creation) prepare(ctx context.Context, j *job) error {
	c.o.Observer.Started(j.tenant.Name)
	if err := c.unsound[j.tenant.Name]; err != nil {
		return err
	}
	if j.tenant.Server != nil {
		err := c.step(j.tenant, "lock", func() error { return c.Locks(j.tenant.Server).Acquire(ctx, j.tenant.Database) })
		if err != nil {
			return err
		}
	}
	switch j.kind {
	case plan.Make:
		if err := c.makeDatabase(ctx, j); err != nil {
			return err
		}
		return c.step(j.tenant, "folders", func() error { return c.makeFolders(j) })
	case plan.Rename:
		return c.step(j.tenant, "move", func() error { return c.move(ctx, j) })
	case plan.Change:
		if c.half[j.tenant.Name] != "" {
			if err := c.step(j.tenant, "move back", func() error { return c.moveBack(ctx, j) }); err != nil {
				return err
			}
		}
		if err := c.step(j.tenant, "accounts", func() error { return c.remakeAccounts(ctx, j) }); err != nil {
			return err
		}
		return c.step(j.tenant, "before", func() (err error) {
			j.seen, j.before, err = c.Before(ctx, j.tenant, j.tenant.ComponentSet(j.tenant.Codebase))
			return err
		})
	}
	if err := c.same(ctx, j); err != nil {
		return err
	}
	if _, err := c.room(ctx, j.tenant, 0); err != nil || j.row.Name == "" { // before it is withdrawn
		return err
	}
	server, err := c.Server(ctx, j.tenant.Server)
	if err != nil {
		return err
	}
	return server.OwnDatabase(ctx, c.AccountsOf(j.tenant))
}

// makeFolders makes the writable folders of a tenant's wiki. If the tenant was served
// before, its uploads may have been lost; leave that for audit to report.
func (c *creation) makeFolders(j *job) error {
	name := j.tenant.Name
	if j.row.State == ledger.Ready {
		return c.Deploy.MakeOwn(name, c.Layout.Cache(name))
	}
	if err := c.Deploy.MakeOwn(name, c.Layout.Cache(name), c.Layout.Images(name)); err != nil {
		return err
	}
	return c.Deploy.BeginCaches(name, c.RunID)
}

// same checks under the lock that a tenant's row is unchanged since the plan, and that no
// upgrade of it is open: a database between two codes can't be brought back after its
// removal. An interrupted removal may continue.
func (c *creation) same(ctx context.Context, j *job) error {
	name := j.row.Name
	if name == "" {
		name = j.tenant.Name
	}
	row, _, err := c.ledger.Tenant(ctx, name)
	if err != nil {
		return err
	}
	if row != j.row {
		return ledger.ErrStale
	}
	_, open, err := c.ledger.OpenUpgrade(ctx, name)
	if err == nil && open && (j.kind != plan.Undefined || row.State != ledger.Leaving) {
		return ledger.ErrStale
	}
	return err
}

// remakeAccounts creates the missing accounts of a tenant and marks its database.
func (c *creation) remakeAccounts(ctx context.Context, j *job) (err error) {
	if err := c.same(ctx, j); err != nil {
		return err
	}
	marked := c.found[j.tenant.Server.Name].Farms[j.tenant.Database] != ""
	if marked && !j.accounts {
		return nil
	}
	server, err := c.Server(ctx, j.tenant.Server)
	if err != nil {
		return err
	}
	secrets, err := c.Deploy.ReadSecrets(j.tenant.Name)
	if err != nil {
		return err
	}
	accounts := session.Accounts(j.tenant, secrets)
	if j.accounts {
		err = server.EnsureAccounts(ctx, accounts)
	}
	if err != nil || marked {
		return err
	}
	return server.Mark(ctx, accounts)
}

// verify probes a served tenant and completes a rename. It compares a tenant whose
// settings changed with its state before the change.
func (c *creation) verify(ctx context.Context, j *job) error {
	t := j.tenant
	err := c.step(t, "probe", func() (err error) {
		if j.kind != plan.Change {
			return c.Confirm(ctx, t)
		}
		j.remarks, _, err = c.After(ctx, t, j.before)
		return err
	})
	switch {
	case err != nil && j.kind == plan.Change && ctx.Err() == nil && !errors.As(err, new(*session.SameError)):
		return c.putBack(ctx, j, err)
	case err != nil:
		return err
	case j.back != "":
		return c.Deploy.DropAlias(j.back)
	case j.kind != plan.Rename:
		return nil
	}
	return c.step(t, "ledger", func() error { return c.moved(ctx, j) })
}

// restored is the reason why a tenant has its old settings again.
type restored struct{ error }

// Unwrap returns the reason.
func (r restored) Unwrap() error { return r.error }

// putBack makes the release from which a tenant last answered current again, because it
// does not answer from the new one.
func (c *creation) putBack(ctx context.Context, j *job, why error) error {
	current, err := c.Deploy.Current(j.tenant.Name)
	switch {
	case err != nil:
		return errors.Join(why, err)
	case current == j.seen.Release: // its files did not change
		return why
	}
	err = c.step(j.tenant, "old release", func() error { return c.ServeSeen(ctx, j.tenant, j.seen) })
	if err != nil {
		return fmt.Errorf("%w; with its old settings it did not answer either: %w", why, err)
	}
	return restored{why}
}

func tenantsOf(jobs []*job) []*tenants.Tenant {
	var list []*tenants.Tenant
	for _, j := range jobs {
		list = append(list, j.tenant)
	}
	return list
}

func isFolder(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.IsDir()
}
