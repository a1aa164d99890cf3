package php

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// watchEvery is how often the size of a running job's log is looked at.
const watchEvery = 500 * time.Millisecond

// overflow is a job that printed more than it may.
type overflow struct{ bytes int64 }

// Error says how much it may print.
func (o *overflow) Error() string { return fmt.Sprintf("printed more than %d bytes", o.bytes) }

// watch ends the context that it returns once a job has printed more than it may: a
// script that repeats a warning without end would fill the disk. Files that a job writes on
// purpose may be larger, so that no limit of the kernel can tell. Call stop when the job
// has ended.
func watch(ctx context.Context, j Job) (watched context.Context, stop func()) {
	watched, cancel := context.WithCancelCause(ctx)
	before := logSize(j.Log)
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
			if logSize(j.Log)-before > j.Output {
				cancel(&overflow{j.Output})
			}
		}
	}()
	return watched, func() {
		cancel(nil)
		<-done
	}
}

func logSize(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// overflowed says why a job was ended that printed too much; empty for other reasons.
func overflowed(ctx context.Context) string {
	var o *overflow
	if errors.As(context.Cause(ctx), &o) {
		return o.Error()
	}
	return ""
}
