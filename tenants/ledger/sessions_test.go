package ledger

import (
	"testing"
	"time"
)

// Sessions of ended runs are distinguished from sessions that are alive.
func TestPulse(t *testing.T) {
	l := open(t)
	locks, err := shared.Locks(t.Context(), l, "pulse")
	must(t, err)
	lives := func() bool {
		sessions, err := l.Sessions(t.Context())
		must(t, err)
		pulse, err := shared.Pulse(t.Context())
		must(t, err)
		for _, s := range sessions {
			if s.Holder == "pulse" {
				old := s
				old.Since = pulse.Started.AddDate(0, 0, -1)
				if pulse.Lives(old.Connection, old.Since) {
					t.Error("a session of before the server's start lives")
				}
				return pulse.Lives(s.Connection, s.Since)
			}
		}
		t.Fatal("there is no such session")
		return false
	}
	if !lives() {
		t.Error("it does not live")
	}
	must(t, locks.Close())
	until(t, "the session is over", func() bool { return !lives() })
}

func until(t *testing.T, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !so(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("never: " + what)
		}
	}
}
