package cli

import (
	"context"
	"slices"
	"testing"
	"time"
)

func TestReact(t *testing.T) {
	for s, want := range map[stage][]reaction{
		inspecting: {stop, leave, leave, leave},
		starting:   {stop, leave, leave, leave},
		changing:   {drain, stop, leave, leave},
	} {
		var got []reaction
		for n := range want {
			got = append(got, s.react(n+1))
		}
		if !slices.Equal(got, want) {
			t.Errorf("stage %d: %v, want %v", s, got, want)
		}
	}
}

// closed reports whether a channel is closed, or is within the time that a command may
// hang after a signal.
func closed(c <-chan struct{}, wait time.Duration) bool {
	select {
	case <-c:
		return true
	case <-time.After(max(wait, 10*time.Millisecond)):
		return false
	}
}

func TestInterrupts(t *testing.T) {
	var printed []string
	ctx, i, release := catch(func(text string) { printed = append(printed, text) })
	defer release()
	i.reach(changing)
	i.reach(starting) // it does not go back
	paused, done := i.pause(ctx)
	i.caught()
	if !closed(paused.Done(), time.Minute) || ctx.Err() != nil || len(printed) != 0 {
		t.Errorf("the first: %v, %v, %q", paused.Err(), ctx.Err(), printed)
	}
	done()
	i.caught()
	if context.Cause(ctx) != errInterrupted || closed(i.left, 0) || len(printed) != 1 {
		t.Errorf("the second: %v, %q", context.Cause(ctx), printed)
	}
	i.caught()
	i.caught()
	if !closed(i.left, 0) {
		t.Error("the third does not end the program")
	}
}

// A command that only reads ends with one signal even when it hangs.
func TestInterruptsOfHangingWork(t *testing.T) {
	ctx, i, release := catch(func(text string) { t.Errorf("it says %q", text) })
	defer release()
	i.caught()
	if ctx.Err() == nil || !closed(i.drained, 0) || !closed(i.left, time.Minute) {
		t.Errorf("it continues: %v", ctx.Err())
	}
}
