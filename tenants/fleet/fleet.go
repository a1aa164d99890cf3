// Package fleet applies one function to many items at once: it bounds how many
// run, drains when asked, and stops starting new ones when too many failed. It
// does not know what the items are or what is done to them.
package fleet

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"
)

// Why an item was never started.
var (
	ErrDrained = errors.New("skipped: the run was asked to stop")
	ErrBudget  = errors.New("skipped: too many others failed")
)

// NoLimit is the MaxFailures that never stops a run.
const NoLimit = -1

// Options bounds a run over items of type T.
type Options[T any] struct {
	Jobs        int             // how many items run at once; less than 1 means 1
	Group       func(T) string  // the group of an item, such as its server; nil: all in one
	PerGroup    int             // how many of one group run at once; less than 1: no bound
	MaxFailures int             // nothing new starts once more than this failed; NoLimit never
	Drain       <-chan struct{} // once closed nothing new starts; nil never
}

// Result is what became of one item.
type Result[T, R any] struct {
	Item    T
	Value   R
	Err     error         // of the function, a *PanicError, or why it was not started
	Started bool          // false: the function was never called for this item
	Elapsed time.Duration // from start to end; zero when not started
}

// PanicError is a panic of the function, which is that item's failure only.
type PanicError struct {
	Value any
	Place string // file and line that panicked
}

// Error has the panic's value and its place, for a report of the bug.
func (e *PanicError) Error() string {
	return fmt.Sprintf("internal error, please report it: panic at %s: %v", e.Place, e.Value)
}

// Recovered turns what recover returned into an error; nil stays nil. Call it in the
// deferred function, where the stack is still that of the panic.
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

// Run calls do once for each item, in order of items as far as the bounds
// allow, and returns when all that were started have returned. Results come in
// the order of items. When ctx is cancelled nothing new starts, and do is
// expected to return soon.
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

// call runs do for one item and turns a panic into its error.
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

// skip records why the items that still wait were never started.
func skip[T, R any](results []Result[T, R], items []T, waiting []int, why error) {
	for _, i := range waiting {
		results[i] = Result[T, R]{Item: items[i], Err: why}
	}
}

// cancelled is ctx's channel until the cancellation was noticed, then nil, so
// that the loop does not spin while running items wind down.
func cancelled(ctx context.Context, why error) <-chan struct{} {
	if why != nil {
		return nil
	}
	return ctx.Done()
}
