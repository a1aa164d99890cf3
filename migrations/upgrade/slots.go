package upgrade

// slots bounds the number of tenants that a run works on at once. A task that only waits,
// for readers' requests to end or for pages to be compiled, gives its slot to another one
// meanwhile: these waits are a quarter of a small wiki's upgrade, and need no processor.
// nil sets no bound.
type slots chan struct{}

// inFlight is the number of tenants between their first and their last step while jobs of
// them are worked on: enough that the waiting ones leave no slot unused.
func inFlight(jobs int) int { return jobs + jobs/2 }

// enter takes the first slot of a task. It returns false, without one, once drain is
// closed.
func (s slots) enter(drain <-chan struct{}) bool {
	if s == nil {
		return true
	}
	select {
	case <-drain:
		return false
	default:
	}
	select {
	case s <- struct{}{}:
		return true
	case <-drain:
		return false
	}
}

func (s slots) leave() {
	if s != nil {
		<-s
	}
}

// during gives the slot away while wait waits, and takes one again, also after an error or
// a panic: the task continues with what that requires.
func (s slots) during(wait func() error) error {
	s.leave()
	defer s.enter(nil)
	return wait()
}
