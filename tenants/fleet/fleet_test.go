package fleet

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

var errBroken = errors.New("broken")

func TestRunKeepsOrderAndBound(t *testing.T) {
	var now, most atomic.Int32
	results := Run(t.Context(), Indexes(50), Options[int]{Jobs: 4, MaxFailures: NoLimit}, func(_ context.Context, i int) (string, error) {
		most.Store(max(most.Load(), now.Add(1)))
		defer now.Add(-1)
		return fmt.Sprint(i), nil
	})
	for i, r := range results {
		if r.Value != fmt.Sprint(i) || r.Item != i || !r.Started || r.Err != nil {
			t.Fatalf("result %d is %+v", i, r)
		}
	}
	if most.Load() > 4 {
		t.Errorf("%d ran at once, want at most 4", most.Load())
	}
}

func TestRunReachesItsBound(t *testing.T) {
	var gate sync.WaitGroup
	gate.Add(3)
	Run(t.Context(), Indexes(3), Options[int]{Jobs: 3}, func(context.Context, int) (int, error) {
		gate.Done()
		gate.Wait() // returns only when all three run at once
		return 0, nil
	})
}

// A failing tenant first, middle or last never hides and never stops the others.
func TestRunIsolatesFailures(t *testing.T) {
	for _, bad := range []int{0, 4, 9} {
		results := Run(t.Context(), Indexes(10), Options[int]{Jobs: 2, MaxFailures: NoLimit}, func(_ context.Context, i int) (int, error) {
			if i == bad {
				panic("boom")
			}
			return i, nil
		})
		for i, r := range results {
			var p *PanicError
			if got := errors.As(r.Err, &p); got != (i == bad) {
				t.Errorf("bad %d: item %d has error %v", bad, i, r.Err)
			}
			if p != nil && !strings.Contains(p.Place, "fleet_test.go:") {
				t.Errorf("the panic was at %s", p.Place)
			}
			if !r.Started {
				t.Errorf("bad %d: item %d was not started", bad, i)
			}
		}
	}
}

func TestRunBudget(t *testing.T) {
	for _, tc := range []struct{ budget, started int }{{0, 1}, {1, 2}, {3, 4}, {NoLimit, 10}} {
		results := Run(t.Context(), Indexes(10), Options[int]{Jobs: 1, MaxFailures: tc.budget}, func(context.Context, int) (int, error) {
			return 0, errBroken
		})
		started := 0
		for _, r := range results {
			if r.Started {
				started++
			} else if !errors.Is(r.Err, ErrBudget) {
				t.Errorf("budget %d: a skipped item says %v", tc.budget, r.Err)
			}
		}
		if started != tc.started {
			t.Errorf("budget %d: %d started, want %d", tc.budget, started, tc.started)
		}
	}
}

func TestRunPerGroup(t *testing.T) {
	var mu sync.Mutex
	busy, most := map[string]int{}, 0
	group := func(i int) string { return fmt.Sprint(i % 2) }
	Run(t.Context(), Indexes(20), Options[int]{Jobs: 8, Group: group, PerGroup: 2}, func(_ context.Context, i int) (int, error) {
		mu.Lock()
		busy[group(i)]++
		most = max(most, busy[group(i)])
		mu.Unlock()
		defer func() { mu.Lock(); busy[group(i)]--; mu.Unlock() }()
		return 0, nil
	})
	if most > 2 {
		t.Errorf("%d of one group ran at once, want at most 2", most)
	}
}

func TestRunDrains(t *testing.T) {
	drain := make(chan struct{})
	results := Run(t.Context(), Indexes(10), Options[int]{Jobs: 1, Drain: drain}, func(_ context.Context, i int) (int, error) {
		if i == 3 {
			close(drain)
		}
		return i, nil
	})
	for i, r := range results {
		if r.Started != (i <= 3) {
			t.Errorf("item %d: started %v", i, r.Started)
		}
		if i > 3 && !errors.Is(r.Err, ErrDrained) {
			t.Errorf("item %d: %v", i, r.Err)
		}
	}
}

func TestRunCancelled(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	results := Run(ctx, Indexes(5), Options[int]{Jobs: 2}, func(ctx context.Context, i int) (int, error) {
		cancel(errBroken)
		<-ctx.Done()
		return 0, ctx.Err()
	})
	for i, r := range results {
		if r.Err == nil {
			t.Errorf("item %d succeeded after the cancellation", i)
		}
	}
	if last := results[4]; last.Started || !errors.Is(last.Err, errBroken) {
		t.Errorf("the last item: %+v", last)
	}
}
