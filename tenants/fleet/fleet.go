// Package fleet calls one function for many items at once: it limits concurrency, drains
// on request, and starts no new items after too many failures. It does not know what the
// items are.
package fleet

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"
)

// The reasons why an item was not started.
var (
	ErrDrained = errors.New("skipped: the run was asked to stop")
	ErrBudget  = errors.New("skipped: too many others failed")
)

// NoLimit is the MaxFailures that never stops a run.
const NoLimit = -1

// Options sets the limits of a run over items of type T.
type Options[T any] struct {
	Jobs        int             // items at once; less than 1 means 1
	Group       func(T) string  // the group of an item, such as its server; nil: one group
	PerGroup    int             // items of one group at once; less than 1: no limit
	MaxFailures int             // nothing new starts after more failures than this; NoLimit: never
	Drain       <-chan struct{} // once closed, nothing new starts; may be nil
}

// Result is the result of one item.
type Result[T, R any] struct {
	Item    T
	Value   R
	Err     error         // the function's error, a *PanicError, or why it was not started
	Started bool          // do was called for this item
	Elapsed time.Duration // zero if not started
}

// PanicError is a panic of do. It is the failure of one item only.
type PanicError struct {
	Value any
	Place string // file and line of the panic
}

// Error returns the panic's value and place, for a bug report.
func (e *PanicError) Error() string {
	return fmt.Sprintf("internal error, please report it: panic at %s: %v", e.Place, e.Value)
}

// Recovered converts the result of recover to an error, or nil. Call it in the deferred
// function, while the stack is still that of the panic.
func Recovered(v any) error {
	if v == nil {
		return nil
	}
	var at [32]uintptr
	frames := runtime.CallersFrames(at[:runtime.Callers(2, at[:])])
	panicking := false
	for {
		frame, more := frames.Next()
		if panicking && !strings.HasPrefix(frame.Function, "runtime.") {
			return &PanicError{v, fmt.Sprintf("%s:%d", frame.File, frame.Line)}
		}
		panicking = panicking || frame.Function == "runtime.gopanic"
		if !more {
			return &PanicError{v, "an unknown place"}
		}
	}
}

// Run calls do once for each item, in the order of items as far as the limits allow, and
// returns when all started calls have returned. Results are in the order of items. When
// ctx is cancelled nothing new starts; do should return soon.
func Run[T, R any](ctx context.Context, items []T, o Options[T], do func(context.Context, T) (R, error)) []Result[T, R] {
	s := newSchedule(items, o)
	results := make([]Result[T, R], len(items))
	ended := make(chan int)
	for {
		why := s.stopped(ctx)
		for i, ok := s.next(why); ok; i, ok = s.next(why) {
			go func() {
				results[i] = call(ctx, items[i], do)
				ended <- i
			}()
		}
		if s.running == 0 {
			skip(results, items, s.waiting, why)
			return results
		}
		select {
		case i := <-ended:
			s.end(i, results[i].Err != nil)
		case <-s.drain(why):
		case <-cancelled(ctx, why):
		}
	}
}

// call calls do for one item and turns a panic into an error.
func call[T, R any](ctx context.Context, item T, do func(context.Context, T) (R, error)) (r Result[T, R]) {
	start := time.Now()
	r.Item, r.Started = item, true
	defer func() {
		r.Elapsed = time.Since(start)
		if err := Recovered(recover()); err != nil {
			r.Err = err
		}
	}()
	r.Value, r.Err = do(ctx, item)
	return r
}

// skip records why the waiting items were not started.
func skip[T, R any](results []Result[T, R], items []T, waiting []int, why error) {
	for _, i := range waiting {
		results[i] = Result[T, R]{Item: items[i], Err: why}
	}
}

// cancelled returns ctx's channel until the loop has stopped for a reason, then nil, so that
// the loop does not spin while items finish.
func cancelled(ctx context.Context, why error) <-chan struct{} {
	if why != nil {
		return nil
	}
	return ctx.Done()
}

// Indexes returns 0 to n-1, for a Run over items that are known by their position.
func Indexes(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}
