package fleet

import (
	"context"
	"slices"
)

// schedule decides which item starts next. One goroutine uses it.
type schedule[T any] struct {
	o       Options[T]
	groups  []string       // by item
	waiting []int          // items not started, in order
	busy    map[string]int // running items by group
	running int
	failed  int
}

func newSchedule[T any](items []T, o Options[T]) *schedule[T] {
	s := &schedule[T]{
		o:       o,
		groups:  make([]string, len(items)),
		waiting: make([]int, len(items)),
		busy:    make(map[string]int),
	}
	for i, item := range items {
		s.waiting[i] = i
		if o.Group != nil {
			s.groups[i] = o.Group(item)
		}
	}
	return s
}

// stopped returns why nothing new may start, or nil.
func (s *schedule[T]) stopped(ctx context.Context) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	select {
	case <-s.o.Drain:
		return ErrDrained
	default:
	}
	if s.o.MaxFailures >= 0 && s.failed > s.o.MaxFailures {
		return ErrBudget
	}
	return nil
}

// next returns the first waiting item that the limits allow.
func (s *schedule[T]) next(why error) (int, bool) {
	if why != nil || s.running >= max(s.o.Jobs, 1) {
		return 0, false
	}
	at := slices.IndexFunc(s.waiting, func(i int) bool {
		return s.o.PerGroup < 1 || s.busy[s.groups[i]] < s.o.PerGroup
	})
	if at < 0 {
		return 0, false
	}
	i := s.waiting[at]
	s.waiting = slices.Delete(s.waiting, at, at+1)
	s.running++
	s.busy[s.groups[i]]++
	return i, true
}

// end records that a running item has ended.
func (s *schedule[T]) end(i int, failed bool) {
	s.running--
	s.busy[s.groups[i]]--
	if failed {
		s.failed++
	}
}

// drain returns the channel that announces a drain, or nil once the run is stopping.
func (s *schedule[T]) drain(why error) <-chan struct{} {
	if why != nil {
		return nil
	}
	return s.o.Drain
}
