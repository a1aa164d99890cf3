package components

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"golang.org/x/sys/unix"

	"wikictl/tenants"
	"wikictl/tenants/disk"
	"wikictl/tenants/mediawiki"
)

// lockPoll is how often a run that waits for another one tries again.
const lockPoll = 100 * time.Millisecond

// workFolder holds what is being fetched.
func (r *fetcher) workFolder() string { return filepath.Join(r.layout.Components(), ".work") }

// alone makes the folder of components, waits until no other run fetches, and removes what
// killed runs left. The kernel releases the lock of a process that dies.
func (r *fetcher) alone(ctx context.Context) (release func(), err error) {
	dir := r.layout.Components()
	if err := errors.Join(os.MkdirAll(dir, 0o755), os.Chmod(dir, 0o755)); err != nil {
		return nil, err
	}
	l := flock.New(filepath.Join(dir, ".lock"), flock.SetPermissions(0o600))
	got, err := l.TryLock()
	if err == nil && !got {
		if r.options.Say != nil {
			r.options.Say("waiting for another run that fetches extensions")
		}
		got, err = l.TryLockContext(ctx, lockPoll)
	}
	if err != nil || !got {
		return nil, errors.Join(err, l.Close())
	}
	if err = os.RemoveAll(r.workFolder()); err == nil {
		err = os.Mkdir(r.workFolder(), 0o700)
	}
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return func() { _ = l.Close() }, nil
}

// inspect checks the files that were fetched, has Composer install their libraries, and
// returns their hashes. whole is the folder that holds the component's.
func (r *fetcher) inspect(ctx context.Context, s tenants.Source, want tenants.Locked, whole string) (tenants.Locked, error) {
	got, dir := want, filepath.Join(whole, s.Name)
	if err := checkManifest(s, dir); err != nil {
		return want, err
	}
	composes := s.Composer && needsComposer(dir)
	files, err := list(dir, composes)
	if err != nil {
		return want, err
	}
	if got.Tree = files.tree(); want.Tree != "" && got.Tree != want.Tree {
		return want, tenants.WithHint(fmt.Errorf("its files are not those of %s: somebody changed %s", tenants.LockFile, s.Where()),
			"compare them; wikictl extensions fetch --update "+s.Name+" takes the new ones")
	}
	if got.Vendor = ""; composes {
		if err := r.step(s, "composer", func() error { return compose(ctx, s, dir, hashOf([]string{s.Name, got.Tree})[:32]) }); err != nil {
			return want, err
		}
		both, err := list(dir, true)
		if err != nil {
			return want, err
		}
		if both.tree() != got.Tree {
			return want, errors.New("composer changed other files than those of its folder vendor")
		}
		files, got.Vendor = both, both.vendor()
		if want.Vendor != "" && got.Vendor != want.Vendor {
			return want, tenants.WithHint(fmt.Errorf("composer installed other files than those of %s, because it took other versions of libraries or is of another version itself", tenants.LockFile), "wikictl extensions fetch --update "+s.Name+" takes them")
		}
	}
	return got, files.write(filepath.Join(whole, listFile))
}

// checkManifest refuses what MediaWiki can't load.
func checkManifest(s tenants.Source, dir string) error {
	found, _ := mediawiki.Outside(s.Kind(), s.Name, dir)
	itself := false
	for name := range found {
		itself = itself || name == s.Name || strings.HasPrefix(name, s.Name+":")
	}
	if !itself {
		return tenants.WithHint(fmt.Errorf("%s has no %s.json", s.Where(), s.Kind()), "is it the "+s.Kind()+" itself, and not a folder around it?")
	}
	for name, c := range found {
		if fault := c.Declared().Fault; fault != "" {
			return fmt.Errorf("%s: %s", name, fault)
		}
	}
	return nil
}

// place gives a folder its name, in one rename that lasts. What has the name already, and was
// changed, makes room in the same moment.
func place(whole, name string) error {
	if err := disk.SyncFileSystem(whole); err != nil {
		return err
	}
	err := os.Rename(whole, name)
	if errors.Is(err, fs.ErrExist) || errors.Is(err, unix.ENOTEMPTY) {
		err = unix.Renameat2(unix.AT_FDCWD, whole, unix.AT_FDCWD, name, unix.RENAME_EXCHANGE)
	}
	if err != nil {
		return err
	}
	return disk.SyncFolder(filepath.Dir(name))
}
