package deploy

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"

	"wikictl/tenants/fleet"
)

// keepReleases is the number of a tenant's releases that stay after a change.
const keepReleases = 3

// commit makes all changes of a journal, with one sync before and one after, one check
// and one reload. The journal stays on disk until the reload has succeeded.
func (d *Deployer) commit(ctx context.Context, j journal) (reloaded bool, err error) {
	if len(j.Swaps) == 0 && !j.common() && len(j.Files) == 0 {
		return false, remove(d.journalPath())
	}
	for _, dir := range []string{d.layout.Vhosts(), d.layout.Pools()} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return false, err
		}
	}
	if err := errors.Join(d.writeJournal(j), d.Sync()); err != nil {
		return false, err
	}
	err = d.each(ctx, j, d.apply)
	if err == nil {
		err = d.bringCommon(j)
	}
	if err == nil {
		err = d.bringFiles(j)
	}
	if err == nil {
		err = d.Check(ctx)
	}
	if err != nil {
		return false, errors.Join(err, d.rollBack(ctx, j))
	}
	if err := d.Sync(); err != nil {
		return false, err
	}
	if err := d.Reload(ctx); err != nil {
		return false, fmt.Errorf("%w\n(the new configuration is in place: run this again once it can be loaded)", err)
	}
	j.Done = true
	if err := d.writeJournal(j); err != nil {
		return true, err
	}
	return true, d.clean(ctx, j)
}

// each calls do for every swap, several at once. A swap that has begun is finished or
// undone as a whole, so a cancelled context does not stop it.
func (d *Deployer) each(ctx context.Context, j journal, do func(swap) error) error {
	results := fleet.Run(context.WithoutCancel(ctx), j.Swaps, fleet.Options[swap]{Jobs: runtime.GOMAXPROCS(0), MaxFailures: fleet.NoLimit},
		func(_ context.Context, s swap) (struct{}, error) { return struct{}{}, do(s) })
	var err error
	for _, r := range results {
		if r.Err != nil {
			err = errors.Join(err, fmt.Errorf("tenant %q: %w", r.Item.Tenant, r.Err))
		}
	}
	return err
}

// rollBack undoes all changes and syncs the file system.
func (d *Deployer) rollBack(ctx context.Context, j journal) error {
	err := errors.Join(d.each(ctx, j, d.undo), d.takeBackCommon(j), d.takeBackFiles(j))
	if err == nil {
		err = remove(d.journalPath())
	}
	return errors.Join(err, d.Sync())
}

// clean removes the backups for an undo, and old releases.
func (d *Deployer) clean(ctx context.Context, j journal) error {
	err := d.each(ctx, j, func(s swap) error {
		if err := d.forget(s); err != nil || s.Out || s.From == s.To || s.To <= keepReleases {
			return err
		}
		return d.prune(s.Tenant, keepReleases)
	})
	for _, c := range d.commons(&j) {
		if *c.kind != "" {
			err = errors.Join(err, remove(beside(c.path, "old")), remove(beside(c.path, "new")))
		}
	}
	return errors.Join(err, d.cleanFiles(j), remove(d.journalPath()))
}
