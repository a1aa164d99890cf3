package session

import (
	"strings"
	"testing"
	"time"
)

func TestClockDoubt(t *testing.T) {
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	day := 24 * time.Hour
	for name, c := range map[string]struct {
		server, latest time.Time
		says           string
	}{
		"a new farm":               {now, time.Time{}, ""},
		"used every month":         {now.Add(time.Minute), now.Add(-31 * day), ""},
		"a year ahead":             {now, now.Add(-365 * day), "before today the latest run was on 2025-11-28"},
		"ahead of the server":      {now.Add(-2 * time.Hour), now.Add(-2 * day), "2026-11-28 10:00:00 on the ledger's server"},
		"the server is ahead":      {now.Add(365 * day), now.Add(-2 * day), "2027-11-28 12:00:00 on the ledger's server"},
		"ahead of a new farm's":    {now.Add(-365 * day), time.Time{}, "may be wrong"},
		"a year later it is right": {now, now.Add(-1 * day), ""},
	} {
		err := doubt(now, c.server, c.latest)
		if (err != nil) != (c.says != "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
}
