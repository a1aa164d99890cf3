package deploy

import (
	"errors"
	"os"
	"testing"

	"wikictl/tenants"
	"wikictl/tenants/disk"
)

// A run that was asked to stop still writes what it began: only another process keeps it from
// the lock, none of its own writers.
func TestLockOfADrainedRun(t *testing.T) {
	d, err := New(tenants.Layout{State: t.TempDir()}, tenants.Web{})
	if err != nil {
		t.Fatal(err)
	}
	drain, got := make(chan struct{}), make(chan error)
	close(drain)
	for range 20 {
		unlock, err := d.lock(t.Context(), drain)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			unlock, err := d.lock(t.Context(), drain)
			if err == nil {
				unlock()
			}
			got <- err
		}()
		unlock()
		if err := <-got; err != nil {
			t.Fatal(err)
		}
	}
}

// A journal that is no regular file is refused: reading a FIFO would wait for a writer.
func TestJournalIsARegularFile(t *testing.T) {
	d, err := New(tenants.Layout{State: t.TempDir()}, tenants.Web{})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.MkdirAll(d.layout.Run(), 0o755), os.Symlink(os.DevNull, d.journalPath())); err != nil {
		t.Fatal(err)
	}
	if _, err := d.readJournal(t.Context()); !errors.Is(err, disk.ErrIrregular) {
		t.Errorf("got %v, want %v", err, disk.ErrIrregular)
	}
}
