package upgrade

import (
	"context"
	"testing"
	"time"
)

// The first of equal callers does not wait, others wait for it, or for their own end.
func TestFirsts(t *testing.T) {
	var f firsts
	leave := f.enter(t.Context(), "a")
	f.enter(t.Context(), "b")()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	f.enter(ended, "a")()
	entered := make(chan struct{})
	go func() {
		f.enter(context.Background(), "a")()
		close(entered)
	}()
	select {
	case <-entered:
		t.Fatal("it did not wait")
	case <-time.After(20 * time.Millisecond):
	}
	leave()
	leave()
	<-entered
	f.enter(t.Context(), "a")()
}
