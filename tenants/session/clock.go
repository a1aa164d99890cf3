package session

import (
	"context"
	"fmt"
	"time"
)

const (
	clockApart = time.Hour           // difference of two clocks from which one is wrong
	clockDay   = 24 * time.Hour      // how long a clock that leapt is not believed
	clockQuiet = 45 * 24 * time.Hour // time without a run from which the clock may have leapt
)

// ClockDoubt returns why the time now may be wrong, so that nothing may be removed because of its
// age; nil if it may be believed.
func (h *Host) ClockDoubt(ctx context.Context, now time.Time) error {
	l, err := h.Ledger(ctx)
	if err != nil {
		return err
	}
	server, latest, err := l.Clock(ctx, now.Add(-clockDay))
	if err != nil {
		return err
	}
	return doubt(now, server, latest)
}

// doubt compares the time now with that of the ledger's server, and with the beginning of the
// latest run that is a day old; zero if there is none.
func doubt(now, server, latest time.Time) error {
	switch {
	case now.Sub(server).Abs() > clockApart:
		return fmt.Errorf("the clock may be wrong: it is %s UTC here, and %s on the ledger's server", now.UTC().Format(time.DateTime), server.UTC().Format(time.DateTime))
	case !latest.IsZero() && now.Sub(latest) > clockQuiet:
		return fmt.Errorf("the clock may be wrong: it is %s UTC, and before today the latest run was on %s; if it is right, runs from tomorrow on remove what is old", now.UTC().Format(time.DateTime), latest.UTC().Format(time.DateOnly))
	}
	return nil
}
