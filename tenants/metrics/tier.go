package metrics

import (
	"context"
	"sync"
	"time"
)

// tier measures on demand: callers share a measurement that is running, or younger than fresh.
type tier struct {
	fresh   time.Duration
	measure func(context.Context)
	wake    chan struct{}

	mu    sync.Mutex
	begun time.Time     // the latest measurement
	done  chan struct{} // closed when it ends
}

func newTier(fresh time.Duration, measure func(context.Context)) *tier {
	ended := make(chan struct{})
	close(ended)
	return &tier{fresh: fresh, measure: measure, wake: make(chan struct{}, 1), done: ended}
}

// ask starts a measurement unless one is running or fresh, and returns a channel that is closed
// when that measurement has ended.
func (t *tier) ask() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	select {
	case <-t.done:
	default:
		return t.done
	}
	if !t.begun.IsZero() && time.Since(t.begun) < t.fresh {
		return t.done
	}
	t.begun, t.done = time.Now(), make(chan struct{})
	t.wake <- struct{}{} // never blocks: at most one measurement runs
	return t.done
}

// loop measures when asked, until ctx ends.
func (t *tier) loop(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.wake:
		}
		t.measure(ctx)
		t.mu.Lock()
		close(t.done)
		t.mu.Unlock()
	}
}
