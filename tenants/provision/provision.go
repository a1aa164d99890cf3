// Package provision makes tenants: secrets, database, accounts, schema, first
// administrator, release and virtual host. It plans the differences between a farm and
// its definitions, and changes, renames and removes tenants accordingly. Every step can
// be repeated, so the next run finishes the work of a killed one. It does not know the
// command or how progress is shown.
package provision

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"os"
	"slices"
	"time"

	"wikictl/migrations/farmsql"
	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/fleet"
	"wikictl/tenants/ledger"
	"wikictl/tenants/mariadb"
	"wikictl/tenants/plan"
	"wikictl/tenants/secrets"
	"wikictl/tenants/session"
)

// Options are the options of a run.
type Options struct {
	Jobs          int
	AdminPassword secrets.Secret // of each new administrator; empty: a random one for each
	Prune         bool           // Apply removes leftovers
	Defined       *Defined       // by what Delete removes after a leftover
	Gone          bool           // Undelete leaves existing tenants unchanged; otherwise they are failures
	Drain         <-chan struct{}
	Observer      session.Observer
}

// creation is one run of Create or Apply.
type creation struct {
	*session.Host
	o         Options
	ledger    *ledger.Ledger
	run       *session.Run
	rows      map[string]ledger.Tenant
	renamed   map[string]ledger.Tenant // the ledger's rows of renamed tenants, by new name
	announced map[string]string        // files that undelete made before it brings tenants back, by name
	deleted   map[string]string        // runs that removed tenants, but not yet the files that define them, by name
	further   []ledger.Database
	half      half
	found     map[string]*mariadb.Inventory // by server name
	tables    map[string]int                // of databases that the ledger does not have, by tenant
	farms     []mariadb.FarmRow             // on the ledger's server
	goldens   goldens
	sql       farmsql.Files // of the farm's own, for new databases
	// obstacles are the problems that block tenants, by name; check may find more.
	obstacles map[string]tenants.Problems
	unsound   map[string]error    // why the settings of tenants to make are not valid PHP, by name
	unreached map[string]error    // why there is no inventory, by server name
	faults    []deploy.FileFault  // of the farm's files, of the last deployment
	web       bool                // shared files of the web server differ
	relations map[string][]string // tables and views by server and database, as far as they were read
	complete  map[string]bool     // the databases that new tenants may get rights in, by server and name
	coming    map[string]bool     // tenants that a plan brings back before those that read from them
}

// job is the work of a run on one tenant.
type job struct {
	tenant   *tenants.Tenant
	kind     plan.Kind     // Make, Change, Rename or Undefined
	row      ledger.Tenant // from the plan; for a tenant to make, read under its lock
	accounts bool          // remake the accounts
	access   bool          // make further databases, and change rights beyond its own
	still    bool          // only probe it
	seen     deploy.Seen   // release to return to, for a tenant to change
	before   session.Sight // its answers from there
	remarks  []string      // existing faults
	elapsed  time.Duration
	backup   string       // file of the last dump of a removed tenant
	was      ledger.State // of a tenant that this run began to remove
	removal  string       // the run that began to remove it
	returns  bool         // undelete can bring it back
	back     string       // the name of its files, if an interrupted rename is reverted
	removed  string       // the folder into which it is removed
}

// former returns the other name under which a tenant's folder is a link, if it is renamed or its
// rename is reverted; otherwise "".
func (j *job) former() string {
	if j.kind == plan.Rename {
		return j.row.Name
	}
	return j.back
}

// Create makes the missing parts of the tenants, in the given order, and returns an
// outcome for each. The error is of the run as a whole: nothing was done then, or the
// outcomes tell how far it came.
func Create(ctx context.Context, h *session.Host, list []*tenants.Tenant, o Options) ([]session.Outcome, error) {
	c := &creation{Host: h, o: o}
	if err := c.inspect(ctx, list); err != nil {
		return nil, err
	}
	open, err := c.openUpgrades(ctx)
	if err != nil {
		return nil, err
	}
	outcomes := make([]session.Outcome, len(list))
	var jobs []*job
	for i, t := range list {
		outcomes[i] = c.check(ctx, t)
		switch s := outcomes[i].Status; {
		case s == "":
			jobs = append(jobs, &job{tenant: t, kind: plan.Make})
		case s.Failure():
			o.Observer.Finished(outcomes[i])
		case c.mustAsk(ctx, t):
			outcomes[i].Status = ""
			jobs = append(jobs, &job{tenant: t, kind: plan.Change, row: c.rows[t.Name], still: true})
		case open[t.Name].Run != "":
			outcomes[i].Note = otherCode(t, c.rows[t.Name], open[t.Name])
		}
	}
	if len(jobs) == 0 {
		return outcomes, nil
	}
	made := map[string]session.Outcome{}
	err = c.work(ctx, "create", jobs, batchSize, made)
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

// openUpgrades reads the open upgrades by tenant; none if there is no ledger yet.
func (c *creation) openUpgrades(ctx context.Context) (map[string]ledger.Upgrade, error) {
	if c.ledger == nil {
		return nil, nil
	}
	return c.ledger.OpenUpgrades(ctx)
}

// mustAsk reports whether a finished tenant only has to be probed, because its current
// release has not answered yet.
func (c *creation) mustAsk(ctx context.Context, t *tenants.Tenant) bool {
	current, _, err := c.Unseen(t.Name)
	if err != nil || current == 0 || c.rows[t.Name].ComponentSet != t.ComponentSet(t.Codebase) {
		return false
	}
	_, open, err := c.ledger.OpenUpgrade(ctx, t.Name)
	return err == nil && !open
}

// inspect reads the ledger and the inventory of every server once. A tenant on an
// unreachable server is blocked; all need the ledger's server.
func (c *creation) inspect(ctx context.Context, list []*tenants.Tenant) error {
	c.found, c.unreached = map[string]*mariadb.Inventory{}, map[string]error{}
	if err := c.readLedger(ctx); err != nil {
		return err
	}
	aliases, err := c.Deploy.Aliases()
	if err != nil {
		return err
	}
	c.half = halfRenamed(aliases, c.rows)
	c.readReturning(list)
	c.obstacles = c.Obstacles(ctx, list, nil)
	for _, t := range list {
		if t.Server == nil || c.obstacles[t.Name] != nil {
			continue
		}
		if err := c.takeInventory(ctx, t.Server); err != nil {
			c.obstacles[t.Name] = tenants.Problems{session.ServerFault(t.Server, err)}
		}
	}
	c.checkServing(ctx, list)
	c.readSQL(list)
	return c.countTables(ctx, list)
}

// work completes the jobs, in batches, and adds their outcomes.
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
	dependentLast(jobs)
	for batch := range slices.Chunk(jobs, size) {
		c.batch(ctx, batch, outcomes)
	}
	// Some may not have been removed; and what tells that the web server knows a new name is over.
	if slices.ContainsFunc(jobs, func(j *job) bool { return j.kind == plan.Undefined || j.former() != "" }) {
		err = errors.Join(err, c.ServeDefault(ctx))
	}
	return errors.Join(err, c.run.End(ctx, slices.Collect(maps.Values(outcomes))), deploy.FaultsError(c.faults))
}

// batchSize is the number of new tenants per check and reload of the web server: enough
// to make the reload cheap per tenant, and few enough to serve the first tenants of a
// large farm early.
const batchSize = 500

// batch completes some jobs. It probes published tenants even after a drain; removals can
// wait.
func (c *creation) batch(ctx context.Context, jobs []*job, outcomes map[string]session.Outcome) {
	end := func(j *job, status session.Status, err error) {
		o := session.Outcome{Tenant: j.tenant, Status: status, Err: err, Elapsed: j.elapsed, Backup: j.backup, Removed: j.removed, Returns: j.returns, Remarks: j.remarks}
		if j.kind == plan.Make && status == session.Done {
			o.Secrets = c.Layout.Secrets(j.tenant.Name)
		}
		outcomes[j.tenant.Name] = c.run.Finish(o)
	}
	ready := slices.DeleteFunc(c.each(ctx, c.each(ctx, jobs, c.o.Drain, c.prepare, end), nil, c.allow, end), func(j *job) bool {
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
		case errors.As(why, new(*deploy.BusyError)): // draining: the next run publishes them
			end(j, session.Skipped, why)
		case why != nil:
			end(j, session.Failed, why)
		case j.kind == plan.Undefined:
			leaving = append(leaving, j)
		default:
			served = append(served, j)
		}
	}
	if i := slices.IndexFunc(served, func(j *job) bool { return j.former() != "" }); i >= 0 {
		c.AwaitRenamed(ctx, served[i].former()) // one reload changed all
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

// each does one step for several jobs at once, ends the jobs that failed or were skipped,
// and returns the others.
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

// publish applies the jobs' changes to the web server, with one check and one reload for
// all. Tenants that it refuses keep their files: refused has them by name; the error is
// of all.
func (c *creation) publish(ctx context.Context, jobs []*job) (refused map[string]error, err error) {
	if len(jobs) == 0 && !c.web {
		return nil, nil
	}
	refused, jobs = c.replicated(ctx, jobs)
	var list []*tenants.Tenant
	var expected []string
	leaving := session.Leaving{Moved: map[string]string{}}
	for _, j := range jobs {
		c.o.Observer.Step(j.tenant.Name, "release")
		if j.kind == plan.Undefined {
			leaving.Gone = append(leaving.Gone, j.tenant.Name)
			continue
		}
		if j.still {
			continue
		}
		list = append(list, j.tenant)
		if j.kind == plan.Make || j.kind == plan.Rename {
			expected = append(expected, j.tenant.Name)
		}
		if former := j.former(); former != "" {
			leaving.Moved[former] = j.tenant.Name
		}
	}
	c.Expect(expected)
	source, err := c.Source(ctx, list, wantedCode, leaving)
	if err != nil {
		return nil, err
	}
	err = c.run.Shared("", "release", func() error {
		applied, err := c.Deploy.Apply(ctx, source)
		c.faults = applied.Faults
		return err
	})
	var partial *deploy.PartialError
	if !errors.As(err, &partial) {
		return refused, err
	}
	for _, o := range partial.Failed {
		refused[o.Tenant] = o.Err
	}
	return refused, nil
}

// step runs one step of a tenant and records it.
func (c *creation) step(t *tenants.Tenant, name string, do func() error) error {
	return c.run.Step(t.Name, name, do)
}

// held is a step that first verifies the tenant's lock. A tenant that exists only in the
// state folder needs no lock.
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

// secrets reads a tenant's secrets, or makes them.
func (c *creation) secrets(t *tenants.Tenant) (secrets.Secrets, error) {
	s, err := c.Deploy.ReadSecrets(t.Name)
	if !errors.Is(err, os.ErrNotExist) {
		return s, err
	}
	s = secrets.New(t.Admin, c.o.AdminPassword)
	return s, c.Deploy.WriteSecrets(t.Name, s)
}
