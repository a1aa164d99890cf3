package php

import (
	"context"
	"errors"
	"fmt"
	"time"

	"wikictl/tenants/disk"
)

// watchEvery is the interval between checks of a running job's log.
const watchEvery = 500 * time.Millisecond

// overflow is the error of a job that printed more than its limit.
type overflow struct{ bytes int64 }

// Error returns the limit.
func (o *overflow) Error() string { return fmt.Sprintf("printed more than %d bytes", o.bytes) }

// watch returns a context that ends when a job's output exceeds its limit: a script that
// repeats a warning forever would fill the disk. A kernel limit of file size can't do
// this, as a job may write larger files on purpose. Call stop when the job has ended.
func watch(ctx context.Context, j Job) (watched context.Context, stop func()) {
	watched, cancel := context.WithCancelCause(ctx)
	before := disk.Size(j.Log)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(watchEvery)
		defer tick.Stop()
		for {
			select {
			case <-watched.Done():
				return
			case <-tick.C:
			}
			if disk.Size(j.Log)-before > j.Output {
				cancel(&overflow{j.Output})
			}
		}
	}()
	return watched, func() {
		cancel(nil)
		<-done
	}
}

// overflowed returns the reason if a job exceeded its limit of output, otherwise "".
func overflowed(ctx context.Context) string {
	var o *overflow
	if errors.As(context.Cause(ctx), &o) {
		return o.Error()
	}
	return ""
}
