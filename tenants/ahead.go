package tenants

import (
	"fmt"
	"time"
)

// LatestUnknown returns an error if something was done at a time that is in the future, because a
// clock was set back since: which of its kind is the latest is unknown then.
func LatestUnknown(at time.Time, done, kind, hint string) error {
	if time.Until(at) <= time.Minute {
		return nil
	}
	return WithHint(fmt.Errorf("a clock was ahead when %s: at %s UTC, so that its latest %s is unknown", done, at.UTC().Format(time.DateTime), kind), hint)
}
