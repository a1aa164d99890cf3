package upgrade

import "sync"

// slots bounds the number of tenants that a run works on at once; nil sets no bound. A task
// that waits for readers' requests to end or for pages to be compiled gives its slot to
// another task meanwhile: these waits are a quarter of a small wiki's upgrade, and need no
// processor.
type slots struct {
	most int

	mu    sync.Mutex
	taken int           // more than most while tasks whose wait ended found no free slot
	freed chan struct{} // closed, and made anew, when a slot becomes free
}

func newSlots(most int) *slots {
	return &slots{most: max(most, 1), freed: make(chan struct{})}
}

// PerServer is how many tenants of one server may be between their first and their last step
// at once, unless a user says otherwise. Opening a table waits for the server's dictionary
// latch, which every DDL statement holds exclusively: 32 tenants at once cost the server
// three times the processor time of 12, and take longer (measured, MariaDB 10.11).
const PerServer = 12

// inFlight returns how many tenants may be between their first and their last step if jobs
// of them may be worked on: enough that tasks that wait leave no slot unused.
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

// during calls wait without a slot. Afterwards, also after an error or a panic, it takes a
// slot at once, even if none is free: the wiki is closed, and another wiki's upgrade may take
// an hour.
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
