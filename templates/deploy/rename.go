package deploy

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"wikictl/tenants"
	"wikictl/tenants/disk"
)

// gone lists the tenants to withdraw: those of Gone, and the old names of Moved whose new name
// was staged.
func (s Source) gone(outcomes []Outcome) []string {
	names := slices.Clone(s.Gone)
	for _, old := range slices.Sorted(maps.Keys(s.Moved)) {
		refused := slices.ContainsFunc(outcomes, func(o Outcome) bool { return o.Tenant == s.Moved[old] && o.Err != nil })
		if !refused {
			names = append(names, old)
		}
	}
	return names
}

// withdraw adds the removal of tenants from the web server's configuration to a journal. It
// drops the changes of their releases that a killed run recorded, because their folder may
// have been renamed since.
func (d *Deployer) withdraw(j *journal, names []string) {
	at := map[string]int{}
	for i, s := range j.Swaps {
		at[s.Tenant] = i
	}
	for _, name := range names {
		s := swap{Tenant: name, Out: true}
		i, left := at[name]
		if left {
			s = j.Swaps[i]
			s.Out = true
		}
		parts := d.parts(name, s.To)
		if Exists(parts[0].installed) {
			s.Vhost = mergeKind(s.Vhost, Delete)
		}
		if Exists(parts[1].installed) {
			s.Pool = mergeKind(s.Pool, Delete)
		}
		if Exists(parts[2].installed) {
			s.Other = mergeKind(s.Other, Delete)
		}
		switch {
		case left:
			j.Swaps[i] = s
		case s.Vhost != "" || s.Pool != "" || s.Other != "":
			j.Swaps = append(j.Swaps, s)
		}
	}
}

// Unfinished reports whether a run was killed between a change of the web server's
// configuration and its reload. The next Apply finishes it.
func (d *Deployer) Unfinished() bool { return Exists(d.journalPath()) }

// Rename moves a tenant's folder, secrets, logs and dumps to another name. The web server
// serves it under the old name, through a link in place of the old folder, until an Apply
// with the old name in Moved; call DropAlias then. It can be repeated after an
// interruption.
func (d *Deployer) Rename(ctx context.Context, from, to string) error {
	return d.alone(ctx, func() error {
		if err := d.spend(from); err != nil {
			return err
		}
		if err := d.moveWiki(from, to); err != nil {
			return err
		}
		if err := d.moveBelongings(from, to); err != nil {
			return err
		}
		return d.Sync()
	})
}

// RenameBack undoes an interrupted Rename. The web server may serve the tenant under
// either name, through a link, until an Apply with from in Moved; call DropAlias then. It
// can be repeated.
func (d *Deployer) RenameBack(ctx context.Context, from, to string) error {
	return d.alone(ctx, func() error {
		if err := d.moveBelongings(from, to); err != nil {
			return err
		}
		// The link identifies the rename, so it is removed last.
		if target, err := os.Readlink(d.layout.Wiki(to)); err == nil && target == from {
			if err := d.exchange(from, to); err != nil {
				return err
			}
		}
		return d.Sync()
	})
}

// moveBelongings moves a tenant's secrets, logs and dumps to another name.
func (d *Deployer) moveBelongings(from, to string) error {
	if err := move(d.layout.Secrets(from), d.layout.Secrets(to)); err != nil {
		return err
	}
	for _, folder := range []func(string) string{d.layout.Logs, d.layout.Backups} {
		if err := moveInto(folder(from), folder(to)); err != nil {
			return err
		}
	}
	return nil
}

// Aliases returns the links that Rename and RenameBack left: target names by link names.
func (d *Deployer) Aliases() (map[string]string, error) {
	entries, err := os.ReadDir(d.layout.Wikis())
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	aliases := map[string]string{}
	for _, e := range entries {
		if e.Type()&fs.ModeSymlink == 0 || !tenants.ValidName(e.Name()) {
			continue
		}
		target, err := os.Readlink(d.layout.Wiki(e.Name()))
		if err == nil && target != e.Name() && tenants.ValidName(target) {
			aliases[e.Name()] = target
		}
	}
	return aliases, nil
}

// exchange swaps the folder of a tenant and the link to, so that from becomes the link.
func (d *Deployer) exchange(from, to string) error {
	source, link := d.layout.Wiki(from), d.layout.Wiki(to)
	err := unix.Renameat2(unix.AT_FDCWD, source, unix.AT_FDCWD, link, unix.RENAME_EXCHANGE)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) { // as on NFS
		if err = os.Remove(link); err == nil {
			err = os.Rename(source, link)
		}
	}
	if err != nil {
		return err
	}
	return point(source, to)
}

func (d *Deployer) moveWiki(from, to string) error {
	begun, _ := os.Readlink(d.layout.Wiki(to)) // by a run that was killed before the exchange
	if info, err := os.Lstat(d.layout.Wiki(from)); err == nil && info.IsDir() && (begun == to || !Exists(d.layout.Wiki(to))) {
		if err := point(d.layout.Wiki(to), to); err != nil {
			return err
		}
		return d.exchange(from, to)
	}
	if err := move(d.layout.Wiki(from), d.layout.Wiki(to)); err != nil {
		return err
	}
	if Exists(d.layout.Wiki(from)) || !Exists(d.layout.Wiki(to)) {
		return nil
	}
	return point(d.layout.Wiki(from), to)
}

// DropAlias removes the link that Rename left under the old name.
func (d *Deployer) DropAlias(from string) error {
	path := d.layout.Wiki(from)
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode()&fs.ModeSymlink == 0:
		return fmt.Errorf("%s is not a link", path)
	}
	if err := remove(path); err != nil {
		return err
	}
	return disk.SyncFolder(filepath.Dir(path))
}

// move renames a file or folder and replaces nothing. It takes a source that is a link, or
// missing, for one that was moved before.
func move(from, to string) error {
	info, err := os.Lstat(from)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.Mode()&fs.ModeSymlink != 0 {
		return nil
	}
	if err != nil {
		return err
	}
	if Exists(to) {
		return fmt.Errorf("%s can't be moved to %s, which exists", from, to)
	}
	return os.Rename(from, to)
}

// moveInto moves the content of one folder into another, which may hold files of an
// earlier tenant of that name.
func moveInto(from, to string) error {
	entries, err := os.ReadDir(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if !Exists(to) {
		return os.Rename(from, to)
	}
	for _, e := range entries {
		if err := move(filepath.Join(from, e.Name()), filepath.Join(to, e.Name())); err != nil {
			return err
		}
	}
	return os.Remove(from)
}
