package deploy

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"wikictl/templates/deploy/permissions"
	"wikictl/tenants/disk"
)

// removedPart is a file or folder of a tenant, and its name in state/removed.
type removedPart struct{ path, name string }

// removedParts are the parts that Retire and RetireSecrets move. The secrets are last: they
// prove which accounts belong to the tenant, and by them an interrupted removal is found.
func (d *Deployer) removedParts(tenant string) []removedPart {
	l := d.layout
	return []removedPart{{l.Wiki(tenant), "wiki"}, {l.Logs(tenant), "logs"}, {l.Backups(tenant), "backups"}, d.secretsPart(tenant)}
}

func (d *Deployer) secretsPart(tenant string) removedPart {
	return removedPart{d.layout.Secrets(tenant), "secrets.toml"}
}

// Definition returns the definition of a tenant's current release, as TOML; the error is
// fs.ErrNotExist if the release has none.
func (d *Deployer) Definition(tenant string) ([]byte, error) {
	return disk.Read(filepath.Join(d.layout.Current(tenant), defined))
}

// DefinitionOf returns the definition from which a release was rendered, as TOML; the error is
// fs.ErrNotExist if the release has none.
func (d *Deployer) DefinitionOf(tenant string, release int) ([]byte, error) {
	return disk.Read(filepath.Join(d.layout.Release(tenant, release), defined))
}

// Retire moves a tenant's folder with its releases, uploads and caches, its logs and its
// dumps into the folder to, which only its owner may enter. It refuses while the web
// server includes the tenant. It deletes nothing, and can be repeated after an
// interruption.
func (d *Deployer) Retire(ctx context.Context, tenant, to string) error {
	parts := d.removedParts(tenant)
	return d.alone(ctx, func() error {
		if err := d.spend(tenant); err != nil {
			return err
		}
		return d.retire(tenant, to, parts[:len(parts)-1])
	})
}

// RetireSecrets moves a tenant's secrets to the folder of Retire.
func (d *Deployer) RetireSecrets(ctx context.Context, tenant, to string) error {
	return d.alone(ctx, func() error { return d.retire(tenant, to, []removedPart{d.secretsPart(tenant)}) })
}

func (d *Deployer) retire(tenant, to string, parts []removedPart) error {
	for _, path := range []string{d.layout.Vhost(tenant), d.layout.OtherVhost(tenant), d.layout.Pool(tenant)} {
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("tenant %q is still served by %s", tenant, path)
		}
	}
	if err := os.RemoveAll(d.layout.Restoring(tenant)); err != nil { // of a killed restore: a copy of its backup
		return err
	}
	if err := os.MkdirAll(to, 0o700); err != nil {
		return err
	}
	for _, part := range parts {
		if err := carry(part.path, free(filepath.Join(to, part.name))); err != nil {
			return err
		}
	}
	return d.Sync()
}

// BringBack moves the parts that Retire moved back to their places, and replaces nothing.
// It can be repeated after an interruption.
func (d *Deployer) BringBack(ctx context.Context, tenant, from string) error {
	return d.alone(ctx, func() error { return d.bringBack(tenant, from) })
}

func (d *Deployer) bringBack(tenant, from string) error {
	for _, part := range d.removedParts(tenant) {
		source := filepath.Join(from, part.name)
		if !Exists(source) && !Exists(source+movedEnding) {
			continue
		}
		if Exists(source) && Exists(part.path) {
			return fmt.Errorf("%s can't be moved to %s, which exists", source, part.path)
		}
		if err := os.MkdirAll(filepath.Dir(part.path), 0o755); err != nil {
			return err
		}
		if err := carry(source, part.path); err != nil {
			return err
		}
	}
	return d.Sync()
}

// ForgetRemoved ends a BringBack: it deletes the files named gone from the folder from, and
// moves its dumps to the tenant's dumps, under their new names. The folder stays if it holds
// other files.
func (d *Deployer) ForgetRemoved(tenant, from string, dumps map[string]string, gone ...string) error {
	if err := os.MkdirAll(d.layout.Backups(tenant), 0o700); err != nil {
		return err
	}
	for name, as := range dumps {
		if err := carry(filepath.Join(from, name), free(filepath.Join(d.layout.Backups(tenant), as))); err != nil {
			return err
		}
	}
	for _, name := range gone {
		if err := remove(filepath.Join(from, name)); err != nil {
			return err
		}
	}
	if err := os.Remove(from); err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTEMPTY) {
		return err
	}
	return d.Sync()
}

// free returns path, or path with the first number whose name is free: an interrupted
// move to another file system may have left a complete copy.
func free(path string) string {
	name := path
	for n := 2; Exists(name); n++ {
		name = fmt.Sprintf("%s.%d", path, n)
	}
	return name
}

// movedEnding ends the name of a source that carry has copied completely.
const movedEnding = ".moved"

// carry moves a file or folder: by rename within a file system, otherwise by a durable copy
// before the source is deleted. It takes a missing source for one that was moved before. At
// every moment exactly one of source and target exists under its name; with both, a repeated
// move would be refused or make a second copy.
func carry(from, to string) error {
	copied, half := from+movedEnding, to+".half"
	if Exists(copied) {
		if err := arrive(copied, half, to); err != nil || !Exists(from) {
			return err
		}
	}
	if !Exists(from) {
		return nil
	}
	err := os.Rename(from, to)
	if !errors.Is(err, syscall.EXDEV) && !errors.Is(err, syscall.EBUSY) { // EBUSY: a mount point
		return err
	}
	if err := os.RemoveAll(half); err != nil {
		return err
	}
	if err := copyTree(from, half); err != nil {
		return fmt.Errorf("copy %s to %s: %w", from, to, err)
	}
	if err := disk.SyncFolder(filepath.Dir(to)); err != nil {
		return err
	}
	if err := os.Rename(from, copied); err != nil { // a mount point
		copied = from
	}
	return arrive(copied, half, to)
}

// arrive ends a move by copy: it gives the complete copy its name and deletes the source.
func arrive(source, half, to string) error {
	if err := os.Rename(half, to); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := disk.SyncFolder(filepath.Dir(to)); err != nil {
		return err
	}
	return os.RemoveAll(source)
}

// copyTree copies files, folders and links with mode, owner and times, each file durably.
// Other kinds, such as a socket, can't be kept and are errors.
func copyTree(from, to string) error {
	info, err := os.Lstat(from)
	if err != nil {
		return err
	}
	switch mode := info.Mode(); {
	case mode.IsDir():
		err = copyFolder(from, to)
	case mode&fs.ModeSymlink != 0:
		var target string
		if target, err = os.Readlink(from); err == nil {
			err = os.Symlink(target, to)
		}
	case mode.IsRegular():
		err = copyFile(from, to)
	default:
		return uncopied(from)
	}
	if err != nil {
		return err
	}
	return permissions.Copy(info, to)
}

func copyFolder(from, to string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	if err := os.Mkdir(to, 0o700); err != nil {
		return err
	}
	for _, e := range entries {
		if err := copyTree(filepath.Join(from, e.Name()), filepath.Join(to, e.Name())); err != nil {
			return err
		}
	}
	return disk.SyncFolder(to)
}

func copyFile(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	if _, err := out.ReadFrom(in); err != nil {
		return err
	}
	return out.Sync()
}
