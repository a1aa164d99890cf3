package deploy

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"wikictl/templates/deploy/permissions"
	"wikictl/tenants/disk"
)

// SetRights sets the mode and the owner of a file or folder as Inspect wants them.
func (d *Deployer) SetRights(ctx context.Context, r permissions.Rights) error {
	return d.alone(ctx, r.Set)
}

// DateNow gives a file, or a link itself, the present date.
func (d *Deployer) DateNow(ctx context.Context, path string) error {
	return d.alone(ctx, func() error {
		if err := unix.Lutimes(path, nil); err != nil {
			return &os.PathError{Op: "utimes", Path: path, Err: err}
		}
		return nil
	})
}

// RepairLinks points a tenant's links at its latest complete release for the code at
// core, and that release's link at core. It does not check the release's content.
func (d *Deployer) RepairLinks(ctx context.Context, tenant, core string) error {
	return d.alone(ctx, func() error { return d.repairLinks(tenant, core) })
}

func (d *Deployer) repairLinks(tenant, core string) (err error) {
	release, broken := d.links(tenant)
	if len(broken) == 0 {
		return nil
	}
	if release == 0 {
		if release, err = d.latest(tenant, core); err != nil {
			return err
		}
	}
	link := filepath.Join(d.layout.Release(tenant, release), coreLink)
	if to, err := os.Readlink(link); err != nil || to != core {
		if err := point(link, core); err != nil {
			return err
		}
	}
	if err := d.serve(tenant, release); err != nil {
		return err
	}
	if _, broken := d.links(tenant); len(broken) > 0 {
		return fmt.Errorf("%s still %s", broken[0].Path, broken[0].Why)
	}
	return disk.SyncFolder(d.layout.Wiki(tenant))
}

// latest returns a tenant's latest release that has settings and runs on core.
func (d *Deployer) latest(tenant, core string) (int, error) {
	numbers, err := d.Releases(tenant)
	if err != nil {
		return 0, err
	}
	for _, n := range slices.Backward(numbers) {
		dir := d.layout.Release(tenant, n)
		if to, err := os.Readlink(filepath.Join(dir, coreLink)); err == nil && to == core && Exists(filepath.Join(dir, settingsFile)) {
			return n, nil
		}
	}
	return 0, fmt.Errorf("no release of tenant %q runs on %s: write one by wikictl render --write %[1]s", tenant, core)
}

// Unused lists a tenant's releases that can be discarded: all but those that Apply keeps, and
// those of needed, such as releases for a rollback.
func Unused(i Inspection, needed ...int) []int {
	old := i.Releases[:max(0, len(i.Releases)-keepReleases)]
	return slices.DeleteFunc(slices.Clone(old), func(n int) bool { return n == i.Release || n == i.Seen || slices.Contains(needed, n) })
}

// Discard removes the given releases of a tenant unless they have come into use.
func (d *Deployer) Discard(ctx context.Context, tenant string, releases []int) error {
	return d.alone(ctx, func() error { return d.discardUnused(tenant, releases) })
}

func (d *Deployer) discardUnused(tenant string, releases []int) (err error) {
	now := Inspection{}
	if now.Releases, err = d.Releases(tenant); err != nil {
		return err
	}
	if now.Release, err = d.Current(tenant); err != nil {
		return err
	}
	seen, err := d.Seen(tenant)
	if err != nil {
		return err
	}
	now.Seen = seen.Release
	for _, n := range releases {
		if !slices.Contains(Unused(now), n) {
			return fmt.Errorf("release %d of tenant %q is in use by now", n, tenant)
		}
		if err := os.RemoveAll(d.layout.Release(tenant, n)); err != nil {
			return err
		}
	}
	return nil
}

// RemoveHalfWritten deletes a half-written file that Inspect or InspectFarm found, unless a
// process still writes it.
func (d *Deployer) RemoveHalfWritten(ctx context.Context, path string) error {
	return d.alone(ctx, func() error {
		if !Abandoned(path) {
			return errors.New(path + " is no longer half-written")
		}
		return os.RemoveAll(path)
	})
}
