package upgrade

import (
	"errors"
	"testing"
)

func TestSlots(t *testing.T) {
	s := make(slots, 1)
	drain := make(chan struct{})
	if !s.enter(drain) {
		t.Fatal("a free slot was refused")
	}
	failed := errors.New("a request did not end")
	err := s.during(func() error {
		if len(s) != 0 {
			t.Error("a task that waits keeps its slot")
		}
		return failed
	})
	if err != failed || len(s) != 1 {
		t.Errorf("after waiting: error %v and %d slots taken, want the wait's own error and 1", err, len(s))
	}
	func() {
		defer func() { _ = recover() }()
		_ = s.during(func() error { panic("while it waits") })
	}()
	if len(s) != 1 {
		t.Errorf("after a panic %d slots are taken, want 1", len(s))
	}
	close(drain)
	if s.enter(drain) {
		t.Error("a task began after the run was asked to stop")
	}
	if s.leave(); s.enter(drain) {
		t.Error("a task took a free slot after the run was asked to stop")
	}
	var none slots
	if !none.enter(drain) || none.during(func() error { return nil }) != nil {
		t.Error("without a bound a task has to wait")
	}
}
