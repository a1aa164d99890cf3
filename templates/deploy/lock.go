package deploy

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// BusyError says that a run did not begin to write below the state folder, as it
// was asked to stop while another one wrote there.
type BusyError struct {
	Path   string // of the lock
	Holder string // such as "pid 123"; may be empty
}

// Error names the holder.
func (e *BusyError) Error() string {
	return fmt.Sprintf("another run is writing the farm's files (%s, %s): wait for it and run this again", e.Holder, e.Path)
}

// A run that waits for another looks every lockAgain whether it is over, and says
// after lockSilence for whom it waits.
const (
	lockAgain   = 20 * time.Millisecond
	lockSilence = time.Second
)

// lock keeps other writers out, in this process and in others, until release is
// called. It waits as long as another writer lives: what a run has made so far is
// worth more than its time. Only ctx ends the wait, and stop with a *BusyError. The
// kernel releases the lock of a process that dies, with all that it has forked.
func (d *Deployer) lock(ctx context.Context, stop <-chan struct{}) (release func(), err error) {
	if err := os.MkdirAll(d.layout.Run(), 0o755); err != nil {
		return nil, err
	}
	path := filepath.Join(d.layout.Run(), "deploy.lock")
	select {
	case d.writing <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("lock %s: %w", path, context.Cause(ctx))
	case <-stop:
		return nil, &BusyError{Path: path, Holder: fmt.Sprintf("pid %d", os.Getpid())}
	}
	l := flock.New(path, flock.SetPermissions(0o600))
	if err := d.await(ctx, stop, l); err != nil {
		_ = l.Close()
		<-d.writing
		return nil, err
	}
	// Only for the messages; the lock itself is the kernel's.
	_ = os.WriteFile(path, fmt.Appendf(nil, "pid %d\n", os.Getpid()), 0o600)
	return func() {
		_ = l.Unlock()
		<-d.writing
	}, nil
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
		case <-time.After(lockAgain):
		}
	}
}

// writer is what a lock's holder wrote into it.
func writer(path string) string {
	text, _ := os.ReadFile(path)
	return strings.TrimSpace(string(text))
}
