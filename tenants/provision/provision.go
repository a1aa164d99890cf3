// Package provision makes tenants: secrets, database, accounts, schema, first
// administrator, release and virtual host; and it finds how a farm differs from
// its definitions, and changes, renames and removes tenants accordingly. Every step
// can be repeated, so a run that was killed is finished by the next one. It does
// not know how a command was called or how progress is shown.
package provision

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"os"
	"slices"
	"time"

	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/fleet"
	"wikictl/tenants/ledger"
	"wikictl/tenants/mariadb"
	"wikictl/tenants/plan"
	"wikictl/tenants/secrets"
	"wikictl/tenants/session"
)

// Options of a run.
type Options struct {
	Jobs          int
	AdminPassword secrets.Secret // of each new administrator; empty: one is made for each
	Prune         bool           // Apply removes what is left over
	Gone          bool           // Undelete leaves tenants that exist as they are; else that is a failure
	Drain         <-chan struct{}
	Observer      session.Observer
}

// creation is one run of Create or Apply.
type creation struct {
	*session.Host
	o       Options
	ledger  *ledger.Ledger
	run     *session.Run
	rows    map[string]ledger.Tenant
	renamed map[string]ledger.Tenant // rows of tenants that got another name, by that
	half    half
	found   map[string]*mariadb.Inventory // by server name
	tables  map[string]int                // of databases that the ledger does not have, by tenant
	farms   []mariadb.FarmRow             // that share the ledger's server
	goldens goldens
	// obstacles are what stands in the way of tenants, by name; what is not in here
	// may still be found when a tenant is judged.
	obstacles map[string]tenants.Problems
	unsound   map[string]error // why the settings of tenants to make are no PHP, by name
	unreached map[string]error // why there is no inventory, by server name
	web       bool             // what the web server includes differs, but for that of tenants
}

// job is what a run does about one tenant.
type job struct {
	tenant   *tenants.Tenant
	kind     plan.Kind     // Make, Change, Rename or Left
	row      ledger.Tenant // as the plan found it; of one to make, as read under its lock
	accounts bool          // they are to be made again
	still    bool          // nothing of it changes: it is only to be asked
	seen     deploy.Seen   // release to put back, of a tenant to change
	before   session.Sight // what it answered from there
	remarks  []string      // what is bad of it, and was before
	elapsed  time.Duration
	backup   string       // file of the last dump of a tenant that is removed
	was      ledger.State // of a tenant that this run began to remove
	removal  string       // the run that began to remove it
	returns  bool         // undelete brings it back from there
	back     string       // the name that the files of a tenant to change are under, by a rename that goes back
	removed  string       // the folder that it is removed into
}

// Create makes what is missing of the tenants, in the order given, and returns
// an outcome for each. The error is of the run as a whole: nothing was done
// then, or the outcomes say how far it came.
func Create(ctx context.Context, h *session.Host, list []*tenants.Tenant, o Options) ([]session.Outcome, error) {
	c := &creation{Host: h, o: o}
	if err := c.look(ctx, list); err != nil {
		return nil, err
	}
	outcomes := make([]session.Outcome, len(list))
	var jobs []*job
	for i, t := range list {
		outcomes[i] = c.judge(t)
		switch s := outcomes[i].Status; {
		case s == "":
			jobs = append(jobs, &job{tenant: t, kind: plan.Make})
		case s.Failure():
			o.Observer.Finished(outcomes[i])
		case c.mustAsk(ctx, t):
			outcomes[i].Status = ""
			jobs = append(jobs, &job{tenant: t, kind: plan.Change, row: c.rows[t.Name], still: true})
		}
	}
	if len(jobs) == 0 {
		return outcomes, nil
	}
	made := map[string]session.Outcome{}
	err := c.work(ctx, "create", jobs, batchSize, made)
	if err != nil && len(made) == 0 { // nothing was done
		return nil, err
	}
	for i, o := range outcomes {
		if o.Status == "" {
			outcomes[i] = session.OutcomeOf(o.Tenant, made, err)
		}
	}
	return outcomes, err
}

// mustAsk reports whether a tenant that is made is served from a release that was not
// seen to answer yet, and nothing but asking it again is due.
func (c *creation) mustAsk(ctx context.Context, t *tenants.Tenant) bool {
	current, _, err := c.Unseen(t.Name)
	if err != nil || current == 0 || c.rows[t.Name].ComponentSet != t.ComponentSet(t.Codebase) {
		return false
	}
	_, open, err := c.ledger.OpenUpgrade(ctx, t.Name)
	return err == nil && !open
}

// look reads the ledger and takes inventory of every server once. A tenant whose
// server can't be reached is blocked; only the ledger's server is needed by all.
func (c *creation) look(ctx context.Context, list []*tenants.Tenant) error {
	c.found, c.unreached = map[string]*mariadb.Inventory{}, map[string]error{}
	if err := c.readLedger(ctx); err != nil {
		return err
	}
	aliases, err := c.Deploy.Aliases()
	if err != nil {
		return err
	}
	c.half = halfRenamed(aliases, c.rows)
	c.obstacles = c.Obstacles(ctx, list)
	for _, t := range list {
		if t.Server == nil || c.obstacles[t.Name] != nil {
			continue
		}
		if err := c.takeInventory(ctx, t.Server); err != nil {
			c.obstacles[t.Name] = tenants.Problems{session.ServerFault(t.Server, err)}
		}
	}
	c.judgeServing(ctx, list)
	return c.countTables(ctx, list)
}

// work takes the jobs all the way, so many at a time, and adds their outcomes.
func (c *creation) work(ctx context.Context, command string, jobs []*job, size int, outcomes map[string]session.Outcome) error {
	ctx, err := c.Lock(ctx, tenants.ServersOf(tenantsOf(jobs)))
	if err != nil {
		return err
	}
	if c.ledger, err = c.Ledger(ctx); err != nil {
		return err
	}
	if c.run, err = c.Begin(ctx, command, c.o.Observer); err != nil {
		return err
	}
	if err := c.WritePlatformScript(); err != nil { // for audits, which write nothing
		return errors.Join(err, c.run.End(ctx, nil))
	}
	c.unsound = c.LintDrafts(ctx, tenantsOf(slices.DeleteFunc(slices.Clone(jobs), func(j *job) bool { return j.kind != plan.Make })))
	c.goldens = c.ensureGoldens(ctx, jobs)
	if len(jobs) == 0 {
		_, err = c.publish(ctx, nil)
	}
	for batch := range slices.Chunk(jobs, size) {
		c.batch(ctx, batch, outcomes)
	}
	return errors.Join(err, c.run.End(ctx, slices.Collect(maps.Values(outcomes))))
}

// batchSize is how many new tenants share one web server check and reload: enough
// that the reload costs nothing a tenant, few enough that the first of a large
// farm are served long before the last.
const batchSize = 500

// batch takes some jobs all the way. What is published is probed even after a
// drain; what is to be removed can wait.
func (c *creation) batch(ctx context.Context, jobs []*job, outcomes map[string]session.Outcome) {
	end := func(j *job, status session.Status, err error) {
		o := session.Outcome{Tenant: j.tenant, Status: status, Err: err, Elapsed: j.elapsed, Backup: j.backup, Removed: j.removed, Returns: j.returns, Remarks: j.remarks}
		if j.kind == plan.Make && status == session.Done {
			o.Secrets = c.Layout.Secrets(j.tenant.Name)
		}
		outcomes[j.tenant.Name] = c.run.Finish(o)
	}
	ready := slices.DeleteFunc(c.each(ctx, jobs, c.o.Drain, c.prepare, end), func(j *job) bool {
		lost := c.Lost(j.tenant)
		if lost != nil {
			end(j, session.Failed, lost)
		}
		return lost != nil
	})
	var served, leaving []*job
	refused, err := c.publish(ctx, ready)
	for _, j := range ready {
		switch why := cmp.Or(err, refused[j.tenant.Name]); {
		case errors.As(why, new(*deploy.BusyError)): // asked to stop: what was made is served by the next run
			end(j, session.Skipped, why)
		case why != nil:
			end(j, session.Failed, why)
		case j.kind == plan.Left:
			leaving = append(leaving, j)
		default:
			served = append(served, j)
		}
	}
	good := c.each(ctx, served, nil, c.verify, end)
	var made []string
	for _, j := range good {
		if j.kind == plan.Make {
			made = append(made, j.tenant.Name)
		}
	}
	failed := c.ledger.SetReady(ctx, c.RunID, made)
	for _, j := range append(good, c.each(ctx, leaving, c.o.Drain, c.remove, end)...) {
		if err := failed[j.tenant.Name]; err != nil && j.kind == plan.Make {
			end(j, session.Failed, err)
			continue
		}
		end(j, session.Done, nil)
	}
}

// each does one thing for several jobs at once, ends those that failed or were not
// begun, and returns the others.
func (c *creation) each(ctx context.Context, jobs []*job, drain <-chan struct{}, do func(context.Context, *job) error, end func(*job, session.Status, error)) []*job {
	options := fleet.Options[*job]{Jobs: c.o.Jobs, MaxFailures: fleet.NoLimit, Drain: drain}
	var good []*job
	results := fleet.Run(ctx, jobs, options, func(ctx context.Context, j *job) (struct{}, error) {
		held, done := c.While(ctx, j.tenant)
		defer done()
		return struct{}{}, do(held, j)
	})
	for _, r := range results {
		r.Item.elapsed += r.Elapsed
		switch {
		case !r.Started:
			end(r.Item, session.Skipped, r.Err)
		case errors.Is(r.Err, errMade):
			end(r.Item, session.Unchanged, nil)
		case errors.As(r.Err, new(restored)):
			end(r.Item, session.Restored, r.Err)
		case r.Err != nil:
			end(r.Item, session.Failed, r.Err)
		default:
			good = append(good, r.Item)
		}
	}
	return good
}

// publish has the web server serve what the jobs want of it, with one check and
// one reload for all. Those that it refuses keep what they had: refused has them
// by name, the error is of all.
func (c *creation) publish(ctx context.Context, jobs []*job) (refused map[string]error, err error) {
	if len(jobs) == 0 && !c.web {
		return nil, nil
	}
	var list []*tenants.Tenant
	var gone []string
	moved := map[string]string{}
	for _, j := range jobs {
		c.o.Observer.Step(j.tenant.Name, "release")
		if j.kind == plan.Left {
			gone = append(gone, j.tenant.Name)
			continue
		}
		if j.still {
			continue
		}
		list = append(list, j.tenant)
		if j.kind == plan.Rename {
			moved[j.row.Name] = j.tenant.Name
		} else if j.back != "" {
			moved[j.back] = j.tenant.Name
		}
	}
	source, err := c.Source(list, func(t *tenants.Tenant) *tenants.Codebase { return t.Codebase })
	if err != nil {
		return nil, err
	}
	source.Gone, source.Moved = gone, moved
	err = c.run.Shared("", "release", func() error {
		_, err := c.Deploy.Apply(ctx, source)
		return err
	})
	var partial *deploy.PartialError
	if !errors.As(err, &partial) {
		return nil, err
	}
	refused = map[string]error{}
	for _, o := range partial.Failed {
		refused[o.Tenant] = o.Err
	}
	return refused, nil
}

// step runs one step of a tenant and records it.
func (c *creation) step(t *tenants.Tenant, name string, do func() error) error {
	return c.run.Step(t.Name, name, do)
}

// held is a step that begins by making sure that the tenant's lock is still this
// run's. What only the state folder has needs no lock.
func (c *creation) held(ctx context.Context, t *tenants.Tenant, name string, do func() error) error {
	return c.step(t, name, func() error {
		if t.Server == nil {
			return do()
		}
		if err := c.Verify(ctx, t); err != nil {
			return err
		}
		return do()
	})
}

// secrets reads a tenant's secrets or makes them.
func (c *creation) secrets(t *tenants.Tenant) (secrets.Secrets, error) {
	s, err := c.Deploy.ReadSecrets(t.Name)
	if !errors.Is(err, os.ErrNotExist) {
		return s, err
	}
	s = secrets.New(t.Admin, c.o.AdminPassword)
	return s, c.Deploy.WriteSecrets(t.Name, s)
}
