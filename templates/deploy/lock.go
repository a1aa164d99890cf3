package deploy

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// BusyError says that another run writes below the same state folder.
type BusyError struct {
	Path   string // of the lock
	Holder string // such as "pid 123"; may be empty
}

// Error names the holder.
func (e *BusyError) Error() string {
	return fmt.Sprintf("another run is writing the farm's files (%s, %s): wait for it and run this again", e.Holder, e.Path)
}

// How long a run waits for another.
const (
	patience = time.Minute // a small change for a large one
	moment   = time.Second // a large one, for what a killed run leaves: its child has the lock until it becomes a hook
)

// lock keeps other writers out, in this process and in others, until release
// is called. It gives up with a *BusyError after wait. The kernel releases the
// lock of a process that dies, with all that it has forked.
func (d *Deployer) lock(ctx context.Context, wait time.Duration) (release func(), err error) {
	if err := os.MkdirAll(d.layout.Run(), 0o755); err != nil {
		return nil, err
	}
	d.writing.Lock()
	path := filepath.Join(d.layout.Run(), "deploy.lock")
	l := flock.New(path, flock.SetPermissions(0o600))
	got, err := l.TryLock()
	if !got && err == nil {
		limited, cancel := context.WithTimeout(ctx, wait)
		defer cancel()
		got, err = l.TryLockContext(limited, 20*time.Millisecond)
	}
	if !got {
		d.writing.Unlock()
		if ctx.Err() == nil && (err == nil || errors.Is(err, context.DeadlineExceeded)) {
			holder, _ := os.ReadFile(path)
			return nil, &BusyError{Path: path, Holder: strings.TrimSpace(string(holder))}
		}
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	// Only for BusyError's message; the lock itself is the kernel's.
	_ = os.WriteFile(path, fmt.Appendf(nil, "pid %d\n", os.Getpid()), 0o600)
	return func() {
		_ = l.Unlock()
		d.writing.Unlock()
	}, nil
}
