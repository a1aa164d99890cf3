package deploy

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"wikictl/tenants/disk"
)

// BusyError reports that a run was asked to stop while it waited for another one that
// writes below the state folder.
type BusyError struct {
	Path   string // of the lock
	Holder string // such as "pid 123"; may be empty
}

// Error names the holder.
func (e *BusyError) Error() string {
	return fmt.Sprintf("another run is writing the farm's files (%s, %s): wait for it and run this again", e.Holder, e.Path)
}

// A waiting run tries the lock again every lockPoll, and calls Waits after lockSilence.
const (
	lockPoll    = 20 * time.Millisecond
	lockSilence = time.Second
)

// lock excludes other writers, in this process and in others, until release is called. It
// waits as long as the other writer lives, because the work so far is worth more than the
// wait. The end of ctx ends the wait. stop ends the wait for another process, with a
// *BusyError, but not that for a writer of this process, which is short. When a process and
// all its forks have died, the kernel releases the lock.
func (d *Deployer) lock(ctx context.Context, stop <-chan struct{}) (release func(), err error) {
	if err := os.MkdirAll(d.layout.Run(), 0o755); err != nil {
		return nil, err
	}
	path := filepath.Join(d.layout.Run(), "deploy.lock")
	select {
	case d.writing <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("lock %s: %w", path, context.Cause(ctx))
	}
	l := flock.New(path, flock.SetPermissions(0o600))
	if err := d.await(ctx, stop, l); err != nil {
		_ = l.Close()
		<-d.writing
		return nil, err
	}
	// Only for messages; the kernel holds the lock itself.
	_ = os.WriteFile(path, fmt.Appendf(nil, "pid %d\n", os.Getpid()), 0o600)
	return func() {
		_ = l.Unlock()
		<-d.writing
	}, nil
}

// alone calls do while no other writer is at work.
func (d *Deployer) alone(ctx context.Context, do func() error) error {
	unlock, err := d.lock(ctx, nil)
	if err != nil {
		return err
	}
	defer unlock()
	return do()
}

// await waits for the lock of another process.
func (d *Deployer) await(ctx context.Context, stop <-chan struct{}, l *flock.Flock) error {
	silence := time.NewTimer(lockSilence)
	defer silence.Stop()
	for {
		got, err := l.TryLock()
		if err != nil {
			return fmt.Errorf("lock %s: %w", l.Path(), err)
		}
		if got {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("lock %s: %w", l.Path(), context.Cause(ctx))
		case <-stop:
			return &BusyError{Path: l.Path(), Holder: writer(l.Path())}
		case <-silence.C:
			if d.Waits != nil {
				d.Waits(writer(l.Path()))
			}
		case <-time.After(lockPoll):
		}
	}
}

// writer returns the text that a lock's holder wrote into it.
func writer(path string) string {
	text, _ := disk.Read(path)
	return strings.TrimSpace(string(text))
}
