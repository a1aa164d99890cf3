package deploy

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"wikictl/tenants"
	"wikictl/tenants/disk"
	"wikictl/tenants/secrets"
)

// SetReadOnly makes a tenant read-only on the web, for requests that begin from now on;
// MediaWiki shows reason to users ($wgReadOnly). Maintenance scripts can still write.
func (d *Deployer) SetReadOnly(tenant, reason string) error {
	return WriteFile(d.layout.ReadOnly(tenant), []byte(reason), 0o640, d.groupOf(tenant))
}

// ClearReadOnly undoes SetReadOnly.
func (d *Deployer) ClearReadOnly(tenant string) error {
	return d.clear(tenant, d.layout.ReadOnly(tenant))
}

// clear removes a file of a tenant's folder durably.
func (d *Deployer) clear(tenant, path string) error {
	if err := remove(path); err != nil {
		return err
	}
	return disk.IgnoreAbsent(disk.SyncFolder(d.layout.Wiki(tenant)))
}

// SetMaintenance makes the web server answer with an HTML page and status 503 in place of
// a tenant's wiki, from the next request on: virtual hosts test for the file.
func (d *Deployer) SetMaintenance(tenant, page string) error {
	return WriteFile(d.layout.Maintenance(tenant), []byte(page), 0o644, d.gid)
}

// ClearMaintenance undoes SetMaintenance.
func (d *Deployer) ClearMaintenance(tenant string) error {
	return d.clear(tenant, d.layout.Maintenance(tenant))
}

// ForgetCaches makes a tenant's cached data unreachable, because its database was replaced. The
// caller passes an epoch that the tenant has never used. Pages of $wgUseFileCache are deleted:
// MediaWiki sends them however old they are when the database does not answer.
func (d *Deployer) ForgetCaches(tenant, epoch string) error {
	if err := os.RemoveAll(d.layout.CachedPages(tenant)); err != nil {
		return err
	}
	return WriteFile(d.layout.CacheEpoch(tenant), []byte(epoch), 0o640, d.groupOf(tenant))
}

// BeginCaches is ForgetCaches for a wiki that is being made, because an earlier wiki may have
// had its name. It does not fsync: the wiki is not served yet, and Apply syncs the file.
func (d *Deployer) BeginCaches(tenant, epoch string) error {
	path := d.layout.CacheEpoch(tenant)
	if err := remove(path); err != nil {
		return err
	}
	return create(path, []byte(epoch), 0o640, d.groupOf(tenant))
}

// MakeOwn makes folders of a tenant that its wiki writes into, such as Layout.Images and
// Layout.Cache, and keeps their content. Apply syncs them. A release never creates these
// folders: an empty uploads folder would hide that the uploads were lost.
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

// WriteSecrets stores a tenant's passwords and keys in a file that only the user of
// wikictl can read.
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

// ReadSecrets reads the file of WriteSecrets; the error is fs.ErrNotExist if the tenant
// has none.
func (d *Deployer) ReadSecrets(tenant string) (secrets.Secrets, error) {
	return ReadSecrets(d.layout, tenant)
}

// ReadSecrets reads a tenant's secrets as the method does, for callers that have no Deployer.
func ReadSecrets(l tenants.Layout, tenant string) (secrets.Secrets, error) {
	path := l.Secrets(tenant)
	data, err := disk.Read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return secrets.Secrets{}, fmt.Errorf("its secrets are missing; restore them from a backup: %w", err)
	}
	if err != nil {
		return secrets.Secrets{}, err
	}
	s, err := secrets.DecodeSecrets(data)
	if err != nil {
		return s, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// SecretsMissing returns why a tenant that exists can't be changed: it has no secrets; empty if
// it has.
func SecretsMissing(l tenants.Layout, tenant string) string {
	if Exists(l.Secrets(tenant)) {
		return ""
	}
	return fmt.Sprintf("its secrets are missing; restore %s from a backup", l.Secrets(tenant))
}

// Prune removes all but the newest keep releases of a tenant, including the one that KeepBefore
// marked. The current release always stays.
func (d *Deployer) Prune(ctx context.Context, tenant string, keep int) error {
	return d.alone(ctx, func() error {
		if err := remove(d.layout.Before(tenant)); err != nil {
			return err
		}
		return d.prune(tenant, keep)
	})
}

// KeepBefore marks the release to which a rollback returns. That release stays, however many
// others follow, until another one is marked or Prune is called.
func (d *Deployer) KeepBefore(tenant string, release int) error {
	return point(d.layout.Before(tenant), filepath.Join("releases", strconv.Itoa(release)))
}

// prune never removes the highest number, so that no number is used twice.
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
