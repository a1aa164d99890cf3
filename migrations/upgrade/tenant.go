package upgrade

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"wikictl/tenants"
	"wikictl/tenants/fleet"
	"wikictl/tenants/ledger"
	"wikictl/tenants/mariadb"
	"wikictl/tenants/secrets"
	"wikictl/tenants/session"
)

// task is the upgrade of one tenant, under its lock.
type task struct {
	up       *upgrade // the run
	plan     *Planned // the plan for the tenant
	tenant   *tenants.Tenant
	server   *mariadb.Server
	secrets  secrets.Secrets
	accounts mariadb.Accounts
	further  []string // names of its further databases
	now      ledger.Upgrade
	notes    []string // for the result
	known    bool     // its old pages were not requested: they were good a short time ago
	unasked  bool     // its old pages will be requested only if the new ones are bad
	worse    bool     // the new code's answers are bad
	reverted bool     // the state from before the upgrade was restored; the wiki is read-only
	earlier  int      // number of remarks from before the change
	same     bool     // the updater changed no table and no number of rows
	verified string   // path of the fully verified dump
	remarks  []string // faults that the wiki already had before

	objects []string            // views, triggers, routines and events in the dump
	dumped  map[string]int64    // rows by table in the dump; nil without a dump
	tables  mariadb.Definitions // current; nil: not read since they may have changed
	pure    bool                // the database contains only tables
	census  census              // from before the updater
	losses  []ledger.Loss       // of this upgrade
}

// one upgrades or restores one tenant.
func (u *upgrade) one(ctx context.Context, j *Planned) (session.Outcome, error) {
	if !u.slots.enter(u.o.Drain) {
		return u.run.Finish(session.Outcome{Tenant: j.tenant, Status: session.Skipped, Err: fleet.ErrDrained}), fleet.ErrDrained
	}
	defer u.slots.leave()
	u.o.Observer.Started(j.Name)
	start := time.Now()
	k := &task{up: u, plan: j, tenant: j.tenant}
	ctx, done := u.While(ctx, j.tenant)
	defer done()
	status, err := k.attempt(ctx)
	o := session.Outcome{Tenant: j.tenant, Status: status, Err: err, Elapsed: time.Since(start), Remarks: k.remarks}
	if status == session.Done {
		o.Losses = k.lost(ctx)
	}
	o.Note = k.notesText()
	return u.run.Finish(o), err
}

func (k *task) attempt(ctx context.Context) (status session.Status, err error) {
	if err := k.take(ctx); err != nil {
		return session.Failed, err
	}
	defer k.up.Locks(k.tenant.Server).Release(context.WithoutCancel(ctx), k.tenant.Database)
	if status, err = k.resume(ctx); status != "" {
		return status, err
	}
	if !k.plan.code && len(k.plan.SQL) == 0 {
		return k.idle(), nil
	}
	if err := k.ready(ctx); err != nil {
		return session.Failed, err
	}
	if k.up.o.Ahead == AheadOnly {
		return k.aheadOnly(ctx)
	}
	if err := k.goAhead(ctx); errors.Is(err, errDrained) {
		return session.Skipped, err
	} else if err != nil {
		return session.Failed, err
	}
	err = k.forward(ctx)
	if err != nil {
		err = k.retry(ctx, err)
	}
	if err != nil {
		return k.fail(ctx, err)
	}
	if len(k.notes) > 0 {
		k.note("then upgraded to MediaWiki %s", k.now.NewVersion)
	}
	return session.Done, nil
}

// idle returns the status of a tenant that no longer needs an upgrade.
func (k *task) idle() session.Status {
	if len(k.notes) > 0 {
		return session.Done
	}
	return session.Unchanged
}

// ready returns the reason why the upgrade of a tenant can't begin: the new code can't
// run with its settings or, after an interrupted run was resolved, can't upgrade the
// current database.
func (k *task) ready(ctx context.Context) error {
	if err := cmp.Or(k.up.warm[k.tenant.Name], k.up.releases[k.tenant.Name].Err); err != nil {
		return err
	}
	if k.plan.Interrupted == "" || !k.plan.code {
		return nil
	}
	level, err := k.server.LevelOf(ctx, k.tenant.Database)
	if err != nil {
		return err
	}
	if problem := schemaProblem(level, k.plan.row.Version, k.tenant.Codebase, k.tenant.Database, k.up.Farm.Codebases); problem != "" {
		return fmt.Errorf("not begun: %s; it is open, on MediaWiki %s", problem, k.plan.row.Version)
	}
	return nil
}

// note adds a text to the result beside the status.
func (k *task) note(format string, args ...any) {
	k.notes = append(k.notes, fmt.Sprintf(format, args...))
}

func (k *task) notesText() string { return strings.Join(k.notes, ", ") }

// take locks a tenant and reads again everything that may have changed since the plan:
// another run may have upgraded it.
func (k *task) take(ctx context.Context) error {
	locks := k.up.Locks(k.tenant.Server)
	err := k.step("lock", func() error { return locks.Acquire(ctx, k.tenant.Database) })
	if err != nil {
		return err
	}
	if err := k.read(ctx); err != nil {
		return errors.Join(err, locks.Release(context.WithoutCancel(ctx), k.tenant.Database))
	}
	return nil
}

func (k *task) read(ctx context.Context) (err error) {
	if k.server, err = k.up.Server(ctx, k.tenant.Server); err != nil {
		return err
	}
	if k.secrets, err = k.up.Deploy.ReadSecrets(k.tenant.Name); err != nil {
		return err
	}
	if err := k.readFurther(ctx); err != nil {
		return err
	}
	return k.reread(ctx)
}

// reread reads from the ledger what the tenant runs on now, and derives what it needs:
// after the plan, and after an interrupted run was resolved.
func (k *task) reread(ctx context.Context) (err error) {
	if k.plan.row, _, err = k.up.ledger.Tenant(ctx, k.tenant.Name); err != nil {
		return err
	}
	k.plan.code = k.up.o.Force || k.plan.row.ComponentSet != k.wanted()
	seen, err := k.up.ledger.FarmSQLOf(ctx, k.tenant.Name)
	if err != nil {
		return err
	}
	k.plan.SQL, err = k.up.sql.Pending(k.tenant, seen)
	return err
}

func (k *task) wanted() string { return k.tenant.ComponentSet(k.tenant.Codebase) }

func (k *task) step(name string, do func() error) error {
	return k.up.run.Step(k.tenant.Name, name, do)
}

// held is a step that first verifies that this run still holds the tenant's lock. It
// changes nothing that another run has taken over.
func (k *task) held(ctx context.Context, name string, do func() error) error {
	return k.step(name, func() error {
		if err := k.up.Verify(ctx, k.tenant); err != nil {
			return err
		}
		return do()
	})
}

// phase records that the upgrade enters a phase, before it does.
func (k *task) phase(ctx context.Context, p ledger.Phase) (err error) {
	k.now, err = k.up.ledger.SetPhase(ctx, k.now, p)
	return err
}

// forward performs the upgrade. Before the phase Changing nothing was changed; from
// Opening on the only way back is a rollback.
func (k *task) forward(ctx context.Context) error {
	if k.up.o.RunJobs {
		if err := k.step("jobs", func() error { return k.runJobs(ctx) }); err != nil {
			return err
		}
	}
	err := k.each(ctx, []step{
		{"before", func() error { return k.probeBefore(ctx) }},
		{"databases", func() error { return k.ensureFurther(ctx) }},
		{"mark", func() error { return k.mark(ctx) }},
		{"read-only", func() error { return k.freeze(ctx) }},
		{"backup", func() error { return k.dump(ctx) }},
	})
	if err != nil {
		return err
	}
	return k.change(ctx)
}

// step is a named part of a tenant's upgrade.
type step struct {
	name string
	do   func() error
}

// each runs steps until one fails.
func (k *task) each(ctx context.Context, steps []step) error {
	for _, s := range steps {
		if err := k.held(ctx, s.name, s.do); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

// change changes the database and serves the upgraded wiki. It also continues an
// interrupted upgrade without a dump: the updater can be repeated.
func (k *task) change(ctx context.Context) error {
	k.earlier = len(k.remarks)
	err := k.each(ctx, []step{
		{"count", func() error { return k.count(ctx) }},
		{"changing", func() error { return k.changing(ctx) }},
		{"maintenance", func() error { return k.shut(ctx, "upgraded to MediaWiki "+k.now.NewVersion) }},
		{"own steps before", func() error { return k.before(ctx) }},
		{"unfinished", func() error { return k.unfinished(ctx) }},
		{"update.php", func() error { return k.update(ctx) }},
		{"account", func() error { return k.account(ctx) }},
		{"farm sql", func() error { return k.migrate(ctx) }},
		{"own steps after", func() error { return k.after(ctx) }},
		{"check", func() error { return k.check(ctx) }},
		{"switching", func() error { return k.phase(ctx, ledger.Switching) }},
	})
	if err != nil {
		return err
	}
	return k.finish(ctx)
}

// finish serves the upgraded wiki. It also continues an interrupted upgrade whose
// database is complete.
func (k *task) finish(ctx context.Context) error {
	err := k.each(ctx, []step{
		{"switch", func() error { return k.serve(ctx, k.now.NewRelease) }},
		{"probe", func() error { return k.probe(ctx) }},
		{"ledger", func() error { return k.recordUpgraded(ctx) }},
	})
	if err != nil {
		return err
	}
	return k.open(ctx, ledger.Upgraded)
}

// mark records the upgrade in the ledger before it begins.
func (k *task) mark(ctx context.Context) error {
	release, err := k.up.Deploy.Current(k.tenant.Name)
	if err != nil {
		return err
	}
	row, err := k.up.ledger.BeginUpgrade(ctx, ledger.Upgrade{
		Run: k.up.RunID, Tenant: k.tenant.Name,
		OldCodebase: k.plan.row.Codebase, OldVersion: k.plan.row.Version, OldSet: k.plan.row.ComponentSet, OldRelease: release,
		NewCodebase: k.tenant.Codebase.Name, NewVersion: k.tenant.Codebase.Version, NewSet: k.wanted(),
		NewRelease: k.up.releases[k.tenant.Name].Release,
	})
	if err == nil {
		k.now = row
	}
	return err
}
