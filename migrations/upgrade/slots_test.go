package upgrade

import (
	"errors"
	"testing"
)

func TestSlots(t *testing.T) {
	s := newSlots(1)
	drain := make(chan struct{})
	if !s.enter(drain) {
		t.Fatal("a free slot was refused")
	}
	failed := errors.New("a request did not end")
	err := s.during(func() error {
		if s.taken != 0 {
			t.Error("a task that waits keeps its slot")
		}
		return failed
	})
	if err != failed || s.taken != 1 {
		t.Errorf("after waiting: error %v and %d slots taken, want the wait's own error and 1", err, s.taken)
	}
	func() {
		defer func() { _ = recover() }()
		_ = s.during(func() error { panic("while it waits") })
	}()
	if s.taken != 1 {
		t.Errorf("after a panic %d slots are taken, want 1", s.taken)
	}
	_ = s.during(func() error { s.enter(nil); return nil }) // another wiki begins meanwhile
	if s.taken != 2 {
		t.Errorf("a wiki that waited has to wait for the end of another one: %d slots are taken, want 2", s.taken)
	}
	s.leave()
	close(drain)
	if s.enter(drain) {
		t.Error("a task began after the run was asked to stop")
	}
	if s.leave(); s.enter(drain) {
		t.Error("a task took a free slot after the run was asked to stop")
	}
	var none *slots
	if !none.enter(drain) || none.during(func() error { return nil }) != nil {
		t.Error("without a bound a task has to wait")
	}
}
