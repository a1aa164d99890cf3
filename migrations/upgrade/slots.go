package upgrade

import "sync"

// slots bounds the number of tenants that a run works on at once. A task that only waits,
// for readers' requests to end or for pages to be compiled, gives its slot to another one
// meanwhile: these waits are a quarter of a small wiki's upgrade, and need no processor.
// nil sets no bound.
type slots struct {
	most int

	mu    sync.Mutex
	taken int           // more than most while tasks whose wait ended found no free slot
	freed chan struct{} // closed, and made anew, when a slot becomes free
}

func newSlots(most int) *slots {
	return &slots{most: max(most, 1), freed: make(chan struct{})}
}

// inFlight is the number of tenants between their first and their last step while jobs of
// them are worked on: enough that the waiting ones leave no slot unused.
func inFlight(jobs int) int { return jobs + jobs/2 }

// enter takes the first slot of a task. It returns false, without one, once drain is
// closed.
func (s *slots) enter(drain <-chan struct{}) bool {
	if s == nil {
		return true
	}
	for {
		select {
		case <-drain:
			return false
		default:
		}
		s.mu.Lock()
		free, freed := s.taken < s.most, s.freed
		if free {
			s.taken++
		}
		s.mu.Unlock()
		if free {
			return true
		}
		select {
		case <-freed:
		case <-drain:
			return false
		}
	}
}

func (s *slots) leave() {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken--
	close(s.freed)
	s.freed = make(chan struct{})
}

// during gives the slot away while wait waits, and takes one back at once, also after an
// error or a panic. It takes one even if none is free: the wiki is closed, and another one's
// upgrade may take an hour.
func (s *slots) during(wait func() error) error {
	if s == nil {
		return wait()
	}
	s.leave()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.taken++
	}()
	return wait()
}
