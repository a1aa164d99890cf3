package deploy

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"wikictl/tenants/disk"
	"wikictl/tenants/process"
)

// Each request of a tenant's wiki locks a file until it ends, with flock(2) and shared: one
// file while the wiki is writable, another while it is read-only. It takes the lock before it
// finds out whether the wiki is closed. So requests are known that wait for a processor or for
// php-fpm and are not connected to a database yet.

// requestsPoll is the interval at which Ended tries a lock.
const requestsPoll = 10 * time.Millisecond

// makeRequests makes the files that a tenant's requests lock.
func (d *Deployer) makeRequests(tenant string) error {
	for _, readOnly := range []bool{false, true} {
		path := d.layout.Requests(tenant, readOnly)
		if err := create(path, nil, 0o640, d.groupOf(tenant)); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

// Ended waits until a tenant's requests have ended that began before SetReadOnly or, with
// all, before SetMaintenance, for patience at most. counted reports whether all of them have
// ended: those of settings that an earlier wikictl or another template rendered hold no locks.
func (d *Deployer) Ended(ctx context.Context, tenant string, all bool, patience time.Duration) (counted bool, err error) {
	deadline := time.Now().Add(patience)
	counted = d.counts(tenant, patience)
	files := []string{d.layout.Requests(tenant, false)}
	if all {
		files = append(files, d.layout.Requests(tenant, true))
	}
	for _, path := range files {
		ended, err := awaitUnlocked(ctx, path, deadline)
		if err != nil {
			return false, disk.IgnoreAbsent(err)
		}
		counted = counted && ended
	}
	return counted, nil
}

// counts reports whether all of a tenant's requests hold locks that are not older than
// patience.
func (d *Deployer) counts(tenant string, patience time.Duration) bool {
	path := d.layout.Requests(tenant, false)
	info, err := os.Stat(path)
	if err != nil || time.Since(info.ModTime()) < patience {
		return false
	}
	settings, err := disk.Read(filepath.Join(d.layout.Current(tenant), settingsFile))
	return err == nil && bytes.Contains(settings, []byte(path))
}

// awaitUnlocked waits until no process holds a lock on a file, or until a deadline.
func awaitUnlocked(ctx context.Context, path string, deadline time.Time) (free bool, err error) {
	l := flock.New(path, flock.SetFlag(os.O_RDONLY))
	defer l.Close()
	for {
		free, err := l.TryLock()
		if free || err != nil || time.Now().After(deadline) {
			return free, err
		}
		if err := process.Pause(ctx, requestsPoll); err != nil {
			return false, err
		}
	}
}
