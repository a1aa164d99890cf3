package process

import (
	"context"
	"time"
)

// Pause waits for d, or returns ctx's cause when ctx ends.
func Pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}
