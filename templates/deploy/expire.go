package deploy

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// ExpireLogs removes files below state/logs that were last written before a time, and
// folders that are empty then. It returns how many went, also with an error.
func (d *Deployer) ExpireLogs(ctx context.Context, before time.Time) (n int, err error) {
	root := filepath.Dir(d.layout.Logs("x"))
	folders, err := os.ReadDir(root)
	if ignoreAbsent(err) != nil {
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
		_ = os.Remove(dir) // only when nothing is in it
	}
	return n, nil
}

// ExpireRemoved removes what was removed before a time.
func (d *Deployer) ExpireRemoved(before time.Time) (n int, err error) {
	return d.expireIn(d.layout.Removed(), before, func(e fs.DirEntry) bool {
		return Exists(filepath.Join(d.layout.Removed(), e.Name(), "manifest.json"))
	})
}

// ExpireGoldens removes goldens and their schemas that were made before a time; keep
// reports whether one is still of use, by the name of its file.
func (d *Deployer) ExpireGoldens(before time.Time, keep func(name string) bool) (n int, err error) {
	return d.expireIn(d.layout.Goldens(), before, func(e fs.DirEntry) bool { return e.Type().IsRegular() && !keep(e.Name()) })
}

// expireIn removes what in a folder is older than before and old of its kind.
func (d *Deployer) expireIn(dir string, before time.Time, old func(fs.DirEntry) bool) (n int, err error) {
	entries, err := os.ReadDir(dir)
	if ignoreAbsent(err) != nil {
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

// touched is when a file was last written; of a removed tenant's folder, when that was
// described.
func touched(path string) (time.Time, error) {
	if described, err := os.Lstat(filepath.Join(path, "manifest.json")); err == nil {
		return described.ModTime(), nil
	}
	info, err := os.Lstat(path)
	if err != nil {
		return time.Time{}, err
	}
	return info.ModTime(), nil
}
