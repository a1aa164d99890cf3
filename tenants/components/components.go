// Package components fetches extensions and skins from git repositories and archives, once for
// all tenants, into folders below the state folder, and records them in the farm's lock file.
// A folder appears with all of its files or not at all, and is never changed. It does not know
// who loads what.
package components

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/definitions"
	"wikictl/tenants/fleet"
)

// Options choose what is fetched.
type Options struct {
	Names  []string // of extensions and skins; empty: all
	Update bool     // also what a branch or tag leads to now, in place of the lock file's
	DryRun bool     // change nothing
	Drain  <-chan struct{}
	Say    func(message string)                                // reports what the run waits for
	Hook   func(component, step string, done bool) (err error) // called at each step; nil outside of tests
}

// Status is the outcome of one component.
type Status string

// Statuses of components.
const (
	Done      Status = "done"
	Unchanged Status = "unchanged"
	ToDo      Status = "to fetch" // with DryRun
	Failed    Status = "failed"
	Skipped   Status = "skipped"
)

// Outcome is the result of fetching one source.
type Outcome struct {
	Source tenants.Source
	Was    tenants.Locked // before; zero: not in the lock file
	Locked tenants.Locked // now; of a failure what it was
	Status Status
	Err    error
}

// fetcher is one run of a fetch.
type fetcher struct {
	farm    *tenants.Farm
	layout  tenants.Layout
	options Options

	mu     sync.Mutex
	locked []tenants.Locked
}

// parallel is how many sources are fetched at once.
const parallel = 4

// Fetch fetches what the lock file has and is not there, and what is not in the lock file yet.
// Each source that was fetched is in the lock file at once, so that a run that was killed goes
// on. A failure of one does not stop the others.
func Fetch(ctx context.Context, f *tenants.Farm, o Options) ([]Outcome, error) {
	r := &fetcher{farm: f, layout: f.Layout(), options: o}
	if !o.DryRun {
		release, err := r.alone(ctx)
		if err != nil {
			return nil, err
		}
		defer release()
	}
	var err error
	if r.locked, err = definitions.ReadLock(f.Dir); err != nil {
		return nil, err
	}
	list := chosen(f, o.Names)
	results := fleet.Run(ctx, list, fleet.Options[tenants.Source]{Jobs: parallel, MaxFailures: fleet.NoLimit, Drain: o.Drain}, r.fetch)
	outcomes := make([]Outcome, len(list))
	for i, result := range results {
		outcomes[i] = result.Value
		switch {
		case !result.Started:
			outcomes[i] = Outcome{Source: result.Item, Status: Skipped, Err: result.Err}
		case result.Err != nil:
			outcomes[i].Source, outcomes[i].Status, outcomes[i].Err = result.Item, Failed, result.Err
		}
	}
	if o.DryRun || len(o.Names) > 0 || ctx.Err() != nil {
		return outcomes, nil
	}
	return outcomes, r.forget()
}

// chosen are the sources of some names, or all.
func chosen(f *tenants.Farm, names []string) []tenants.Source {
	if len(names) == 0 {
		return f.Sources
	}
	return slices.DeleteFunc(slices.Clone(f.Sources), func(s tenants.Source) bool { return !slices.Contains(names, s.Name) })
}

// entry is a source's entry in the lock file.
func (r *fetcher) entry(s tenants.Source) (l tenants.Locked, found bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return (&tenants.Farm{Locked: r.locked}).LockedAs(s)
}

// fetch brings one source to what is wanted of it.
func (r *fetcher) fetch(ctx context.Context, s tenants.Source) (o Outcome, err error) {
	o.Source = s
	was, found := r.entry(s)
	o.Was, o.Locked = was, was
	want := was
	if !found || r.options.Update {
		// Without hashes: an update also takes what became of the same commit.
		want = tenants.Locked{Kind: s.Kind(), Name: s.Name, Git: s.Git, Version: s.Version, Archive: s.Archive, SHA256: s.SHA256}
		if s.Git != "" {
			if want.Commit, err = resolve(ctx, s); err != nil {
				return o, err
			}
		}
	}
	if found && want.Commit == was.Commit && r.has(s, was) {
		o.Status = Unchanged
		return o, nil
	}
	if o.Locked, o.Status = want, ToDo; r.options.DryRun {
		return o, nil
	}
	o.Status = Done
	if o.Locked, err = r.bring(ctx, s, want); err != nil {
		o.Locked = was
		return o, err
	}
	return o, r.step(s, "lock", func() error { return r.record(s, o.Locked) })
}

// has reports whether the files of an entry are there, with the libraries that Composer installs.
func (r *fetcher) has(s tenants.Source, l tenants.Locked) bool {
	dir := r.layout.Component(l)
	return l.Tree != "" && intact(dir, l) == nil && !(s.Composer && l.Vendor == "" && needsComposer(dir))
}

// bring fetches a source into its folder. Where want has hashes the files must have them.
func (r *fetcher) bring(ctx context.Context, s tenants.Source, want tenants.Locked) (tenants.Locked, error) {
	work, err := os.MkdirTemp(r.workFolder(), s.Name+"-*")
	if err != nil {
		return want, err
	}
	defer os.RemoveAll(work)
	whole := filepath.Join(work, "whole")
	dir := filepath.Join(whole, s.Name)
	if err := errors.Join(os.MkdirAll(dir, 0o755), os.Chmod(whole, 0o755)); err != nil {
		return want, err
	}
	err = r.step(s, "fetch", func() error {
		if s.Git != "" {
			return checkout(ctx, s, want.Commit, dir)
		}
		return unpackFrom(ctx, s, filepath.Join(work, "archive"), dir)
	})
	if err != nil {
		return want, err
	}
	got, err := r.inspect(ctx, s, want, whole)
	if err != nil {
		return want, err
	}
	return got, r.step(s, "place", func() error { return place(whole, filepath.Dir(r.layout.Component(got))) })
}

// step does a named step of a component.
func (r *fetcher) step(s tenants.Source, name string, do func() error) error {
	hook := r.options.Hook
	if hook == nil {
		return do()
	}
	if err := hook(s.Name, name, false); err != nil {
		return err
	}
	return errors.Join(do(), hook(s.Name, name, true))
}

// record writes an entry into the lock file.
func (r *fetcher) record(s tenants.Source, l tenants.Locked) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := slices.DeleteFunc(slices.Clone(r.locked), func(have tenants.Locked) bool {
		have.Vendor = ""
		return have.Is(s)
	})
	return r.write(append(list, l))
}

// forget drops entries that the definitions have no more.
func (r *fetcher) forget() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	left := slices.DeleteFunc(slices.Clone(r.locked), func(l tenants.Locked) bool { return !wanted(r.farm, l) })
	if len(left) == len(r.locked) {
		return nil
	}
	return r.write(left)
}

// write replaces the lock file.
func (r *fetcher) write(list []tenants.Locked) error {
	text, err := definitions.FormatLock(r.farm.Dir, list)
	if err != nil {
		return err
	}
	if err := deploy.WriteFile(filepath.Join(r.farm.Dir, tenants.LockFile), text, 0o644, -1); err != nil {
		return fmt.Errorf("write %s: %w", tenants.LockFile, err)
	}
	r.locked = list
	return nil
}

// wanted reports whether the definitions have a source for an entry of the lock file.
func wanted(f *tenants.Farm, l tenants.Locked) bool { return slices.ContainsFunc(f.Sources, l.Is) }

// Unwanted lists the entries of the lock file that the definitions have no source for.
func Unwanted(f *tenants.Farm) []tenants.Locked {
	return slices.DeleteFunc(slices.Clone(f.Locked), func(l tenants.Locked) bool { return wanted(f, l) })
}
