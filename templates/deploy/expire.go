package deploy

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"wikictl/tenants/disk"
)

// ExpireLogs removes files below state/logs that were last written before a time, and the
// folders that this empties. It returns the number of removed files, also with an error.
func (d *Deployer) ExpireLogs(ctx context.Context, before time.Time) (n int, err error) {
	root := filepath.Dir(d.layout.Logs("x"))
	folders, err := os.ReadDir(root)
	if disk.IgnoreAbsent(err) != nil {
		return 0, err
	}
	for _, f := range folders {
		if err := ctx.Err(); err != nil {
			return n, err
		}
		if !f.IsDir() {
			continue
		}
		dir := filepath.Join(root, f.Name())
		more, err := d.expireIn(dir, before, func(e fs.DirEntry) bool { return e.Type().IsRegular() })
		if n += more; err != nil {
			return n, err
		}
		_ = os.Remove(dir) // succeeds only if it is empty
	}
	return n, nil
}

// ExpireRemoved deletes the folders of tenants that were removed before a time from
// state/removed. Of tenants that were brought back it deletes the file that defined them.
func (d *Deployer) ExpireRemoved(before time.Time) (n int, err error) {
	return d.expireIn(d.layout.Removed(), before, func(e fs.DirEntry) bool {
		dir := filepath.Join(d.layout.Removed(), e.Name())
		return Exists(filepath.Join(dir, removedManifest)) || onlyDefinitions(dir)
	})
}

// onlyDefinitions reports whether a folder has nothing but files that defined a tenant.
func onlyDefinitions(dir string) bool {
	entries, err := os.ReadDir(dir)
	return err == nil && !slices.ContainsFunc(entries, func(e fs.DirEntry) bool {
		return !e.Type().IsRegular() || !strings.HasPrefix(e.Name(), RetiredDefinition)
	})
}

// ExpireGoldens removes goldens and their schemas that were made before a time, unless
// keep reports that one is still needed, by the name of its file.
func (d *Deployer) ExpireGoldens(before time.Time, keep func(name string) bool) (n int, err error) {
	return d.expireIn(d.layout.Goldens(), before, func(e fs.DirEntry) bool { return e.Type().IsRegular() && !keep(e.Name()) })
}

// expireIn removes entries of a folder that are older than before and for which old is
// true.
func (d *Deployer) expireIn(dir string, before time.Time, old func(fs.DirEntry) bool) (n int, err error) {
	entries, err := os.ReadDir(dir)
	if disk.IgnoreAbsent(err) != nil {
		return 0, err
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		info, err := touched(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return n, err
		case info.After(before) || !old(e):
			continue
		}
		if err := d.expire(path, e); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// expire removes a file or a folder.
func (d *Deployer) expire(path string, e fs.DirEntry) error {
	if e.IsDir() {
		return d.Purge(path)
	}
	return os.RemoveAll(path)
}

// touched returns when a file was last written; for the folder of a removed tenant, when
// the manifest in it was.
func touched(path string) (time.Time, error) {
	if described, err := os.Lstat(filepath.Join(path, removedManifest)); err == nil {
		return described.ModTime(), nil
	}
	info, err := os.Lstat(path)
	if err != nil {
		return time.Time{}, err
	}
	return info.ModTime(), nil
}
