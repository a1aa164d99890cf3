package deploy

import (
	"os"
	"testing"
	"time"

	"github.com/gofrs/flock"
)

// Requests that hold a lock are waited for, by the state in which they began. They are counted
// only if their settings lock the file, and it is older than they may be.
func TestEnded(t *testing.T) {
	t.Parallel()
	d := deployer(t, "", "")
	apply(t, d, wanted("a", d.layout.Requests("a", false)))
	const brief, long = 30 * time.Millisecond, time.Minute
	ended := func(all bool, patience time.Duration) bool {
		t.Helper()
		counted, err := d.Ended(t.Context(), "a", all, patience)
		if err != nil {
			t.Error(err)
		}
		return counted
	}
	if ended(true, long) {
		t.Error("requests from before the file was made are counted")
	}
	for _, readOnly := range []bool{false, true} {
		past := time.Now().Add(-time.Hour)
		if err := os.Chtimes(d.layout.Requests("a", readOnly), past, past); err != nil {
			t.Fatal(err)
		}
	}
	if !ended(true, long) {
		t.Error("without requests, not all are counted")
	}
	request := flock.New(d.layout.Requests("a", true), flock.SetFlag(os.O_RDONLY))
	defer request.Close()
	if got, err := request.TryRLock(); !got || err != nil {
		t.Fatal(got, err)
	}
	if !ended(false, long) {
		t.Error("a request that can only read is waited for before the wiki is read-only")
	}
	if ended(true, brief) {
		t.Error("a request that did not end counts as ended")
	}
	time.AfterFunc(brief, func() { _ = request.Unlock() })
	if !ended(true, long) {
		t.Error("a request that ended is not counted")
	}
}
