// Package upgrade moves many wikis to other MediaWiki code together: it checks whether
// each can be upgraded, makes them read-only, dumps them, runs MediaWiki's updater,
// verifies the result, switches, and restores wikis that fail. It records every step in
// the ledger before and after, so that the next run finishes or reverts an interrupted
// one. It does not know how a command was called.
package upgrade

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"wikictl/migrations/farmsql"
	"wikictl/migrations/upgrade/forecast"
	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/fleet"
	"wikictl/tenants/ledger"
	"wikictl/tenants/mariadb"
	"wikictl/tenants/session"
)

// Options are the options of a run.
type Options struct {
	Jobs        int      // wikis at once
	PerServer   int      // wikis at once on one server; 0: unlimited
	MaxFailures Share    // start no further wiki once more have failed
	Canary      []string // names of the first wave
	CanaryShare Share    // size of the first wave, instead of Canary
	Waves       []Share  // ends of the further waves, each counted from the first wiki
	Backup      Backup
	Ahead       Ahead
	Keep        bool          // leave a failed wiki closed instead of restoring it
	Force       bool          // run the updater even if nothing changed
	Plain       bool          // run the updater with its own statements, and rehearse nothing
	RunJobs     bool          // run queued jobs on the old code first
	SkipBlocked bool          // leave out blocked wikis
	Limit       time.Duration // of update.php
	Patience    time.Duration // how long running requests may take after a wiki becomes read-only
	Between     func(ctx context.Context, wave, waves int) error
	// Settings returns, by tenant, the settings that stop the new code's updater, and
	// those that it reads differently from the old code; may be nil.
	Settings func(context.Context, []*tenants.Tenant) (stop, remarks map[string][]string, err error)
	Drain    <-chan struct{}
	Observer session.Observer
}

// Backup is the kind of backup of a wiki's database before it is changed.
type Backup string

// Values of Backup.
const (
	ByDump    Backup = "dump"    // wikictl dumps it
	ByCommand Backup = "command" // the farm's own commands of [backup] do
	NoBackup  Backup = "none"    // a failed wiki can't be restored
)

// Share is a number of wikis, absolute or in percent.
type Share struct {
	N       int
	Percent bool
}

// Of returns the share of total, rounded up.
func (s Share) Of(total int) int {
	if s.Percent {
		return (total*s.N + 99) / 100
	}
	return s.N
}

// BlockedError reports that wikis can't be upgraded, and that nothing was changed.
type BlockedError struct{ Blocked []Planned }

// Error returns a line for each problem, with its tenants.
func (e *BlockedError) Error() string {
	var problems []string
	names := map[string][]string{}
	for _, p := range e.Blocked {
		for _, problem := range p.Problems {
			if names[problem] == nil {
				problems = append(problems, problem)
			}
			names[problem] = append(names[problem], p.Name)
		}
	}
	text := fmt.Sprintf("nothing was changed: %d wikis can't be upgraded", len(e.Blocked))
	if len(e.Blocked) == 1 {
		text = "nothing was changed: 1 wiki can't be upgraded"
	}
	text += " (repair them, or pass --skip-blocked)"
	for _, problem := range problems {
		text += "\n" + strings.Join(names[problem], ", ") + ": " + problem
	}
	return text
}

// Unwrap returns a *mariadb.LockedError if other runs have locked all blocked wikis: any
// other problem of them may be an effect of those runs.
func (e *BlockedError) Unwrap() []error {
	var locked []error
	for _, p := range e.Blocked {
		if p.Locked == "" {
			return nil
		}
		locked = append(locked, &mariadb.LockedError{Name: p.Name, Holder: p.Locked})
	}
	return locked
}

// upgrade is one run of the command upgrade.
type upgrade struct {
	*session.Host
	o        Options
	ledger   *ledger.Ledger
	run      *session.Run
	sql      farmsql.Files
	rates    forecast.Rates
	warm     map[string]error           // why the new code can't run, by tenant
	releases map[string]deploy.Prepared // of the current wave, by tenant

	rehearsed    map[string]*Rehearsal // by fingerprint; set before the first wave
	askFirst     atomic.Bool           // a wiki's pages were bad before its upgrade, so later wikis are probed before theirs
	compiled     firsts                // pages of new code, by its path
	slots        *slots                // of the current round
	contradicted sync.Map              // fingerprints of rehearsals that a wiki's result contradicted
	clearing     sync.WaitGroup        // removes scratch copies of rehearsals
}

// Run performs a plan and returns an outcome for each of its tenants, in order. If a
// tenant is blocked, the error is a *BlockedError and nothing was changed, unless
// SkipBlocked is set.
func Run(ctx context.Context, h *session.Host, p *Plan, o Options) ([]session.Outcome, error) {
	if stopping := p.stopping(); len(stopping) > 0 && !o.SkipBlocked {
		return nil, &BlockedError{stopping}
	}
	outcomes := map[string]session.Outcome{}
	for _, t := range p.unchanged {
		outcomes[t.Name] = session.Outcome{Tenant: t, Status: session.Unchanged}
	}
	var err error
	if len(p.Tenants) > 0 {
		err = run(ctx, h, p, o, outcomes)
	}
	if err != nil && len(outcomes) == len(p.unchanged) { // nothing was done
		return nil, err
	}
	ordered := make([]session.Outcome, 0, len(p.all))
	for _, t := range p.all {
		ordered = append(ordered, session.OutcomeOf(t, outcomes, err))
	}
	return ordered, err
}

func run(ctx context.Context, h *session.Host, p *Plan, o Options, outcomes map[string]session.Outcome) (err error) {
	u := &upgrade{Host: h, o: o, sql: p.sql, rates: p.rates}
	if u.ledger, err = h.Ledger(ctx); err != nil {
		return err
	}
	if ctx, err = h.Lock(ctx, serversOf(p)); err != nil {
		return err
	}
	if u.run, err = h.Begin(ctx, "upgrade", o.Observer); err != nil {
		return err
	}
	defer u.clearing.Wait()
	if err := u.prepareAll(ctx, p); err != nil {
		return errors.Join(err, u.run.End(ctx, nil))
	}
	failures := 0
	var stop error
	for wave := 1; wave <= p.Waves; wave++ {
		jobs := p.wave(wave)
		if stop == nil && wave > 1 && o.Between != nil && len(jobs) > 0 {
			stop = o.Between(ctx, wave, p.Waves)
		}
		failures += u.wave(ctx, jobs, o.MaxFailures.Of(len(p.Tenants))-failures, stop, outcomes)
	}
	all := make([]session.Outcome, 0, len(outcomes))
	for _, outcome := range outcomes {
		all = append(all, outcome)
	}
	return errors.Join(stop, u.run.End(ctx, all))
}

// notBegun returns why a tenant is not upgraded, or nil.
func (j *Planned) notBegun() error {
	if j.Locked != "" {
		return fmt.Errorf("not begun: %w", &mariadb.LockedError{Name: j.Name, Holder: j.Locked})
	}
	return fmt.Errorf("not begun: %s", strings.Join(j.Problems, "\n"))
}

// wave upgrades the tenants of one wave and returns the number of failures. stop is the
// reason why none of them may start; nil if they may.
func (u *upgrade) wave(ctx context.Context, jobs []*Planned, budget int, stop error, outcomes map[string]session.Outcome) (failures int) {
	end := func(o session.Outcome) { outcomes[o.Tenant.Name] = u.run.Finish(o) }
	var able []*Planned
	for _, j := range jobs {
		switch {
		case len(j.Problems) > 0:
			end(session.Outcome{Tenant: j.tenant, Status: session.Blocked, Err: j.notBegun()})
		case stop != nil:
			end(session.Outcome{Tenant: j.tenant, Status: session.Skipped, Err: stop})
		case budget < 0:
			end(session.Outcome{Tenant: j.tenant, Status: session.Skipped, Err: fleet.ErrBudget})
		default:
			able = append(able, j)
		}
	}
	if len(able) > 0 {
		u.prepare(ctx, able)
	}
	first, members := able, []*Planned(nil)
	if slices.ContainsFunc(able, (*Planned).isMember) {
		first = slices.DeleteFunc(slices.Clone(able), (*Planned).isMember)
		members = slices.DeleteFunc(able, func(j *Planned) bool { return !j.isMember() })
	}
	failures = u.round(ctx, first, budget, outcomes)
	members = slices.DeleteFunc(members, func(j *Planned) bool {
		left := ownerLeft(j, outcomes)
		if left != nil {
			end(session.Outcome{Tenant: j.tenant, Status: session.Skipped, Err: left})
		}
		return left != nil
	})
	if len(members) == 0 {
		return failures
	}
	return failures + u.round(ctx, members, budget-failures, outcomes)
}

// round upgrades tenants of a wave that need not wait for each other, and returns how many
// failed.
func (u *upgrade) round(ctx context.Context, able []*Planned, budget int, outcomes map[string]session.Outcome) (failures int) {
	end := func(o session.Outcome) { outcomes[o.Tenant.Name] = u.run.Finish(o) }
	if budget < 0 {
		for _, j := range able {
			end(session.Outcome{Tenant: j.tenant, Status: session.Skipped, Err: fleet.ErrBudget})
		}
		return 0
	}
	u.slots = newSlots(u.o.Jobs)
	options := fleet.Options[*Planned]{
		Jobs: inFlight(u.o.Jobs), PerGroup: u.o.PerServer, MaxFailures: budget, Drain: u.o.Drain,
		Group: func(j *Planned) string { return j.tenant.Server.Name },
	}
	for _, r := range fleet.Run(ctx, able, options, u.one) {
		switch {
		case !r.Started:
			end(session.Outcome{Tenant: r.Item.tenant, Status: session.Skipped, Err: r.Err})
		case r.Value.Tenant == nil: // it panicked
			failures++
			end(session.Outcome{Tenant: r.Item.tenant, Status: session.Failed, Err: r.Err, Elapsed: r.Elapsed})
		default:
			outcomes[r.Item.Name] = r.Value
			if r.Value.Status.Failure() {
				failures++
			}
		}
	}
	return failures
}

// serversOf lists the servers of a plan.
func serversOf(p *Plan) []*tenants.Server {
	list := make([]*tenants.Tenant, len(p.Tenants))
	for i, j := range p.Tenants {
		list[i] = j.tenant
	}
	return tenants.ServersOf(list)
}
