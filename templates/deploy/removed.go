package deploy

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"wikictl/tenants/disk"
)

// removedPart is where something of a tenant is, and its name in the folder of what
// was removed.
type removedPart struct{ path, name string }

// removedParts are what Retire and RetireSecrets move. The secrets go last: they show
// which accounts are the tenant's, and by them it is found again.
func (d *Deployer) removedParts(tenant string) []removedPart {
	l := d.layout
	return []removedPart{{l.Wiki(tenant), "wiki"}, {l.Logs(tenant), "logs"}, {l.Backups(tenant), "backups"}, d.secretsPart(tenant)}
}

func (d *Deployer) secretsPart(tenant string) removedPart {
	return removedPart{d.layout.Secrets(tenant), "secrets.toml"}
}

// Definition is the definition that a tenant is served with, as TOML; the error is
// fs.ErrNotExist when it is not known.
func (d *Deployer) Definition(tenant string) ([]byte, error) {
	return os.ReadFile(filepath.Join(d.layout.Current(tenant), defined))
}

// DefinitionOf is the definition that a release of a tenant was made from, as TOML; the
// error is fs.ErrNotExist when it is not known.
func (d *Deployer) DefinitionOf(tenant string, release int) ([]byte, error) {
	return os.ReadFile(filepath.Join(d.layout.Release(tenant, release), defined))
}

// Retire moves a tenant's folder with its releases, uploads and caches, its logs and its
// dumps into the folder to, which only its owner may enter. It refuses while the web
// server includes the tenant. It deletes nothing, and can be repeated after it was
// interrupted.
func (d *Deployer) Retire(ctx context.Context, tenant, to string) error {
	parts := d.removedParts(tenant)
	return d.retire(ctx, tenant, to, parts[:len(parts)-1])
}

// RetireSecrets moves a tenant's secrets to where Retire moved the rest.
func (d *Deployer) RetireSecrets(ctx context.Context, tenant, to string) error {
	return d.retire(ctx, tenant, to, []removedPart{d.secretsPart(tenant)})
}

func (d *Deployer) retire(ctx context.Context, tenant, to string, parts []removedPart) error {
	unlock, err := d.lock(ctx, nil)
	if err != nil {
		return err
	}
	defer unlock()
	for _, path := range []string{d.layout.Vhost(tenant), d.layout.OtherVhost(tenant), d.layout.Pool(tenant)} {
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("tenant %q is still served by %s", tenant, path)
		}
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

// BringBack moves what Retire moved into a folder to its places again, never over
// anything. It can be repeated after it was interrupted.
func (d *Deployer) BringBack(ctx context.Context, tenant, from string) error {
	unlock, err := d.lock(ctx, nil)
	if err != nil {
		return err
	}
	defer unlock()
	for _, part := range d.removedParts(tenant) {
		source := filepath.Join(from, part.name)
		if !Exists(source) && !Exists(source+movedEnding) {
			continue
		}
		if Exists(source) && Exists(part.path) {
			return fmt.Errorf("%s can't become %s, which is there already", source, part.path)
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

// ForgetRemoved ends a BringBack: files of the folder from, which is of no use any
// more, go or move to the tenant's dumps, by their new names. What else is in the folder
// stays, and the folder then, too.
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

// free is the path, or the first with a number behind it that nothing has: a move to
// another file system may have been interrupted with its copy whole.
func free(path string) string {
	name := path
	for n := 2; Exists(name); n++ {
		name = fmt.Sprintf("%s.%d", path, n)
	}
	return name
}

// movedEnding is of what carry has a whole copy of.
const movedEnding = ".moved"

// carry moves a file or folder, by rename where it is one file system, else by a copy
// that lasts before the source goes. What is not there was moved before. Whenever it is
// interrupted, either the source or what is at the end of the move has its name, and
// never both: a repeated move would be refused, or have two of it.
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

// arrive ends a move by a copy: the whole copy gets its name, and the source goes.
func arrive(source, half, to string) error {
	if err := os.Rename(half, to); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := disk.SyncFolder(filepath.Dir(to)); err != nil {
		return err
	}
	return os.RemoveAll(source)
}

// copyTree copies files, folders and links with mode, owner and times, each file made
// to last. Anything else, such as a socket, is an error: it can't be kept.
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
	return copyRights(info, to)
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

// copyRights gives a copy the owner, the mode and the time of its source.
func copyRights(info fs.FileInfo, to string) error {
	have := info.Sys().(*syscall.Stat_t)
	if os.Geteuid() == 0 {
		if err := os.Lchown(to, int(have.Uid), int(have.Gid)); err != nil {
			return err
		}
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		return nil
	}
	if err := os.Chmod(to, info.Mode()); err != nil {
		return err
	}
	return os.Chtimes(to, info.ModTime(), info.ModTime())
}
