package deploy

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"wikictl/tenants/disk"
	"wikictl/tenants/secrets"
)

// SetReadOnly makes a tenant read-only for readers and writers on the web; the
// reason is what MediaWiki shows them ($wgReadOnlyFile). Maintenance scripts
// still write.
func (d *Deployer) SetReadOnly(tenant, reason string) error {
	return WriteFile(d.layout.ReadOnly(tenant), []byte(reason), 0o640, d.groupOf(tenant))
}

// ClearReadOnly undoes SetReadOnly.
func (d *Deployer) ClearReadOnly(tenant string) error {
	if err := remove(d.layout.ReadOnly(tenant)); err != nil {
		return err
	}
	return ignoreAbsent(disk.SyncFolder(d.layout.Wiki(tenant)))
}

// SetMaintenance has the web server answer with a page of HTML, by status 503, in
// place of a tenant's wiki, from the next request on: vhosts look for the file.
func (d *Deployer) SetMaintenance(tenant, page string) error {
	return WriteFile(d.layout.Maintenance(tenant), []byte(page), 0o644, d.gid)
}

// ClearMaintenance undoes SetMaintenance.
func (d *Deployer) ClearMaintenance(tenant string) error {
	if err := remove(d.layout.Maintenance(tenant)); err != nil {
		return err
	}
	return ignoreAbsent(disk.SyncFolder(d.layout.Wiki(tenant)))
}

// ForgetCaches has a tenant find nothing any more of what it cached: its database
// is another one now. epoch has never been given before.
func (d *Deployer) ForgetCaches(tenant, epoch string) error {
	return WriteFile(d.layout.CacheEpoch(tenant), []byte(epoch), 0o640, d.groupOf(tenant))
}

// MakeOwn makes folders of a tenant that its wiki writes into, such as
// Layout.Images and Layout.Cache. What is in them stays. The next Apply makes that
// last. Releases do without them: that a wiki's uploads are gone must not look as
// if it never had any.
func (d *Deployer) MakeOwn(tenant string, paths ...string) error {
	if err := d.makeWiki(tenant); err != nil {
		return err
	}
	for _, path := range paths {
		if err := d.ownFolder(tenant, path); err != nil {
			return err
		}
	}
	return nil
}

// WriteSecrets keeps a tenant's passwords and keys in a file that only the user who
// runs wikictl can read.
func (d *Deployer) WriteSecrets(tenant string, s secrets.Secrets) error {
	path := d.layout.Secrets(tenant)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	data, err := secrets.EncodeSecrets(s)
	if err != nil {
		return err
	}
	return WriteFile(path, data, 0o600, -1)
}

// ReadSecrets reads what WriteSecrets wrote; the error is fs.ErrNotExist when
// the tenant has none.
func (d *Deployer) ReadSecrets(tenant string) (secrets.Secrets, error) {
	path := d.layout.Secrets(tenant)
	data, err := disk.Read(path)
	if err != nil {
		return secrets.Secrets{}, err
	}
	s, err := secrets.DecodeSecrets(data)
	if err != nil {
		return s, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// Prune removes all but the last keep releases of a tenant, also the one of
// KeepBefore; the current one always stays.
func (d *Deployer) Prune(ctx context.Context, tenant string, keep int) error {
	unlock, err := d.lock(ctx, nil)
	if err != nil {
		return err
	}
	defer unlock()
	if err := remove(d.layout.Before(tenant)); err != nil {
		return err
	}
	return d.prune(tenant, keep)
}

// KeepBefore makes a release the one that a rollback serves again: however many
// releases come after it, it stays until another one is kept or Prune is called.
func (d *Deployer) KeepBefore(tenant string, release int) error {
	return point(d.layout.Before(tenant), filepath.Join("releases", strconv.Itoa(release)))
}

// prune never removes the highest number, so that it is never given again.
func (d *Deployer) prune(tenant string, keep int) error {
	numbers, err := d.Releases(tenant)
	if err != nil {
		return err
	}
	current, err := d.Current(tenant)
	if err != nil {
		return err
	}
	before, err := os.Readlink(d.layout.Before(tenant))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	seen, err := d.Seen(tenant)
	if err != nil {
		return err
	}
	for _, n := range numbers[:max(0, len(numbers)-max(keep, 1))] {
		if n == current || n == seen.Release || filepath.Base(before) == strconv.Itoa(n) {
			continue
		}
		if err := os.RemoveAll(d.layout.Release(tenant, n)); err != nil {
			return err
		}
	}
	return nil
}
