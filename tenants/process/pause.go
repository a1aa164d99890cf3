package process

import (
	"context"
	"time"
)

// Pause waits, or returns why ctx ended.
func Pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}
