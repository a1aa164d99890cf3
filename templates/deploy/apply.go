package deploy

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"wikictl/php"
	"wikictl/tenants/fleet"
	"wikictl/tenants/mask"
)

// Outcome is the result of Apply for one tenant that differed.
type Outcome struct {
	Tenant  string
	Release int // number of the current release
	Changes []Change
	Err     error // reason why it kept its earlier configuration
}

// Applied is the result of Apply.
type Applied struct {
	Outcomes  []Outcome // of the tenants that differed, in the order of the source
	Unchanged int
	Recovered int  // changes of an interrupted run that this one finished
	Reloaded  bool // the web server was reloaded

	Faults []FileFault // files of the farm as a whole that were left unchanged
}

// PartialError reports that some tenants kept their earlier configuration; the others
// changed.
type PartialError struct{ Failed []Outcome }

// Error returns a line for each tenant.
func (e *PartialError) Error() string {
	return perLine(e.Failed, func(o Outcome) string { return fmt.Sprintf("tenant %q: %s", o.Tenant, o.Err) })
}

// Unwrap returns the tenants' errors.
func (e *PartialError) Unwrap() []error {
	errs := make([]error, len(e.Failed))
	for i, o := range e.Failed {
		errs[i] = o.Err
	}
	return errs
}

// Apply writes the wanted files and has the web server load them: it stages releases,
// checks their PHP, switches all tenants, and switches back those that the web server's
// check refuses. It writes nothing if nothing differs, and leaves tenants that can't be
// rendered or inspected unchanged. A *BusyError means that Drain ended the wait for
// another run; a *HookError that the web server refused all changes; a *PartialError that
// some tenants kept their earlier configuration. The next Apply finishes an interrupted
// one.
func (d *Deployer) Apply(ctx context.Context, s Source) (Applied, error) {
	unlock, err := d.lock(ctx, d.Drain)
	if err != nil {
		return Applied{}, err
	}
	defer unlock()
	var record *Record
	if s.Set != nil {
		record = ReadRecord(d.layout)
		defer record.save()
	}
	found := d.compareAll(ctx, s, false, record)
	if ctx.Err() != nil {
		return Applied{}, context.Cause(ctx)
	}
	j, err := d.readJournal(ctx)
	if err != nil {
		return Applied{}, err
	}
	applied := Applied{Recovered: len(j.Swaps)}
	differ := slices.DeleteFunc(fleet.Indexes(s.Len), func(i int) bool { return found[i].err != nil || len(found[i].changes) == 0 })
	applied.Outcomes = unknown(s, found)
	applied.Unchanged = s.Len - len(differ) - len(applied.Outcomes)
	staged := d.stageAll(ctx, s, differ, found)
	d.lintWhileSyncing(ctx, staged)
	if err := ctx.Err(); err != nil {
		return Applied{}, context.Cause(ctx)
	}
	var swaps []swap
	for _, t := range staged {
		if t.err == nil {
			swaps = append(swaps, t.swap)
		}
		applied.Outcomes = append(applied.Outcomes, Outcome{Tenant: t.swap.Tenant, Release: t.swap.To, Changes: t.changes, Err: t.err})
	}
	j.merge(swaps)
	d.withdraw(&j, s.gone(applied.Outcomes))
	if err := d.planCommon(&j, s); err != nil {
		return applied, err
	}
	if applied.Faults, err = d.planFiles(&j, s.Files); err != nil {
		return applied, err
	}
	reloaded, refused, faults, err := d.commitAll(ctx, j, s.Moved)
	applied.Reloaded, applied.Faults = reloaded, append(applied.Faults, faults...)
	if err != nil {
		return applied, err
	}
	applied.refuse(refused)
	return applied, partial(applied.Outcomes)
}

func partial(outcomes []Outcome) error {
	failed := slices.DeleteFunc(slices.Clone(outcomes), func(o Outcome) bool { return o.Err == nil })
	if len(failed) == 0 {
		return nil
	}
	return &PartialError{Failed: failed}
}

// stagedTenant is a tenant whose release is staged.
type stagedTenant struct {
	swap      swap
	changes   []Change
	unchecked bool   // its PHP has not been checked
	settings  []byte // the text of its LocalSettings.php, within keepText
	php       string // the program that checks it
	err       error
}

// stageAll writes the releases of the tenants that differ, several at once, and drops the
// texts that the comparison kept.
func (d *Deployer) stageAll(ctx context.Context, s Source, differ []int, found []comparison) []stagedTenant {
	results := fleet.Run(ctx, differ, fleet.Options[int]{Jobs: runtime.GOMAXPROCS(0), MaxFailures: fleet.NoLimit},
		func(_ context.Context, i int) (stagedTenant, error) {
			t := stagedTenant{changes: found[i].changes}
			w := found[i].wanted
			found[i].wanted = nil
			if w != nil {
				t.settings = w.LocalSettings
			} else {
				again, err := s.At(i)
				if err != nil {
					return stagedTenant{}, err
				}
				w = &again
			}
			t.swap, t.php = swap{Tenant: w.Tenant, From: found[i].release}, w.PHP
			t.err = d.stageOne(*w, &t)
			return t, nil
		})
	staged := make([]stagedTenant, len(results))
	for i, r := range results {
		staged[i] = r.Value
		if r.Err != nil {
			staged[i].err, staged[i].changes = r.Err, found[differ[i]].changes
			staged[i].swap.Tenant = s.name(differ[i])
		}
	}
	return staged
}

func (d *Deployer) stageOne(w Wanted, t *stagedTenant) (err error) {
	if t.swap.To, t.unchecked, err = d.stage(w, t.swap.From); err != nil {
		return err
	}
	for _, c := range t.changes {
		switch c.Path {
		case d.layout.Vhost(w.Tenant):
			t.swap.Vhost = c.Kind
		case d.layout.Pool(w.Tenant):
			t.swap.Pool = c.Kind
		case d.layout.OtherVhost(w.Tenant):
			t.swap.Other = c.Kind
		}
	}
	return nil
}

// lintWhileSyncing checks releases while the disk writes them: they have to be durable
// before they are served, and the check needs processors, not the disk.
func (d *Deployer) lintWhileSyncing(ctx context.Context, staged []stagedTenant) {
	var wait sync.WaitGroup
	if d.unsynced.Load() {
		wait.Go(func() { _ = d.Sync() }) // commit repeats it and returns its error
	}
	d.lintAll(ctx, staged)
	wait.Wait()
}

// lintAll checks the PHP of the releases that were never served: PHP loads their settings, and
// parses those that it did not load or that it refused, whose mistakes the parser names better.
func (d *Deployer) lintAll(ctx context.Context, staged []stagedTenant) {
	var unchecked []*stagedTenant
	for i := range staged {
		if staged[i].err == nil && staged[i].unchecked {
			unchecked = append(unchecked, &staged[i])
		}
	}
	refused := map[*stagedTenant]error{}
	if d.Load != nil {
		unchecked = d.loadAll(ctx, unchecked, refused)
	}
	if d.Lint != nil {
		d.lint(ctx, unchecked)
	}
	for t, err := range refused {
		if t.err == nil {
			t.err = errors.Join(err, os.RemoveAll(d.layout.Release(t.swap.Tenant, t.swap.To)))
		}
	}
}

// loadAll has PHP load the settings of releases. It adds the errors to refused, and returns the
// releases that PHP did not load.
func (d *Deployer) loadAll(ctx context.Context, unchecked []*stagedTenant, refused map[*stagedTenant]error) (left []*stagedTenant) {
	options := fleet.Options[*stagedTenant]{Jobs: 2 * runtime.GOMAXPROCS(0), MaxFailures: fleet.NoLimit}
	results := fleet.Run(ctx, unchecked, options, func(ctx context.Context, t *stagedTenant) (bool, error) {
		return d.Load(ctx, t.swap.Tenant, d.layout.Release(t.swap.Tenant, t.swap.To))
	})
	for _, r := range results {
		if ctx.Err() == nil && r.Err != nil {
			refused[r.Item] = r.Err
		}
		if r.Err != nil || !r.Value {
			left = append(left, r.Item)
		}
	}
	return left
}

// lint checks the syntax of releases. If the check of all fails, it finds the faulty ones by halves.
func (d *Deployer) lint(ctx context.Context, part []*stagedTenant) {
	if len(part) == 0 || ctx.Err() != nil {
		return
	}
	files := make([]php.Source, len(part))
	for i, t := range part {
		files[i] = php.Source{Program: t.php, Path: filepath.Join(d.layout.Release(t.swap.Tenant, t.swap.To), settingsFile), Text: t.settings}
	}
	err := d.Lint(ctx, files)
	switch {
	case err == nil || ctx.Err() != nil:
	case len(part) == 1:
		release := d.layout.Release(part[0].swap.Tenant, part[0].swap.To)
		// PHP quotes unexpected text, which may be a password.
		err = mask.New(mask.Found(string(part[0].settings))...).Error(err)
		part[0].err = errors.Join(err, os.RemoveAll(release))
	default:
		d.lint(ctx, part[:len(part)/2])
		d.lint(ctx, part[len(part)/2:])
	}
}

// Publish includes tenants' current releases in the web server's configuration, with one
// check and one reload, and removes them again if the check fails. Tenants that are
// published already stay so.
func (d *Deployer) Publish(ctx context.Context, names ...string) (reloaded bool, err error) {
	return d.include(ctx, names, func(p part) Kind {
		same, err := sameFile(p.source, p.installed)
		switch {
		case !Exists(p.source) || (err == nil && same):
			return ""
		case Exists(p.installed):
			return Edit
		}
		return Add
	})
}

// Withdraw removes tenants from the web server's configuration, with one check and one
// reload. Their releases stay.
func (d *Deployer) Withdraw(ctx context.Context, names ...string) (reloaded bool, err error) {
	return d.include(ctx, names, func(p part) Kind {
		if Exists(p.installed) {
			return Delete
		}
		return ""
	})
}

// include changes the part of the web server's configuration that belongs to some
// tenants.
func (d *Deployer) include(ctx context.Context, names []string, decide func(part) Kind) (bool, error) {
	unlock, err := d.lock(ctx, nil)
	if err != nil {
		return false, err
	}
	defer unlock()
	j, err := d.readJournal(ctx)
	if err != nil {
		return false, err
	}
	var swaps []swap
	for _, name := range names {
		current, err := d.Current(name)
		if err != nil {
			return false, err
		}
		parts := d.parts(name, current)
		s := swap{Tenant: name, From: current, To: current, Vhost: decide(parts[0]), Pool: decide(parts[1])}
		if Exists(parts[2].installed) {
			s.Other = Delete
		}
		if s.Vhost != "" || s.Pool != "" || s.Other != "" {
			swaps = append(swaps, s)
		}
	}
	j.merge(swaps)
	return d.commitAround(ctx, j)
}
