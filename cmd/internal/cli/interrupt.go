package cli

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"wikictl/tenants"
)

// stage is the stage of a command, which determines its reaction to Ctrl-C, TERM or HUP.
type stage int

const (
	inspecting stage = iota // nothing was begun: end immediately
	starting                // programs were started: stop them first
	changing                // tenants are being changed: finish those in progress first
)

// reaction is the effect of a signal.
type reaction int

const (
	drain reaction = iota // finish the work in progress, start nothing new
	stop                  // stop the work in progress
	leave                 // exit immediately
)

// react returns the effect of the nth signal, counted from 1.
func (s stage) react(n int) reaction {
	if s != changing {
		n++
	}
	return min(drain+reaction(n-1), leave)
}

// leaveAfter is how long a command that has begun nothing may take to end. It may hang in
// a call without a context, such as open(2) of a FIFO.
const leaveAfter = 2 * time.Second

// interrupts turns signals into reactions of the current command.
type interrupts struct {
	say     func(string)
	drained chan struct{} // closed by the first signal
	left    chan struct{} // closed when the program must exit immediately
	cancel  context.CancelCauseFunc
	pipe    chan os.Signal // of SIGPIPE, never read

	once  sync.Once // of left
	mu    sync.Mutex
	stage stage
	asks  int // open questions and pauses, during which nothing runs
	count int
}

// catch catches signals until release is called. The context ends when a signal stops the
// command.
func catch(say func(string)) (ctx context.Context, i *interrupts, release func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	i = &interrupts{say: say, drained: make(chan struct{}), left: make(chan struct{}), cancel: cancel, pipe: make(chan os.Signal, 1)}
	caught := make(chan os.Signal, 8)
	signal.Notify(caught, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // nohup ignores it
		signal.Notify(caught, syscall.SIGHUP)
	}
	go func() {
		for range caught {
			i.caught()
		}
	}()
	return ctx, i, func() {
		signal.Stop(caught)
		signal.Stop(i.pipe)
		close(caught)
		cancel(nil)
	}
}

// caught reacts to one signal.
func (i *interrupts) caught() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.count++
	if i.count == 1 {
		close(i.drained)
	}
	switch i.stage.react(i.count) {
	case drain:
		if i.asks == 0 {
			i.say("finishing the work in progress; once more to stop it now")
		}
	case stop:
		if i.stage != inspecting {
			i.say("stopping; once more to leave everything as it is")
		} else {
			time.AfterFunc(leaveAfter, i.leave)
		}
		i.cancel(errInterrupted)
	case leave:
		i.leave()
	}
}

// leave makes the program exit immediately.
func (i *interrupts) leave() { i.once.Do(func() { close(i.left) }) }

// reach records the stage of the command, which only advances. A command that changes
// tenants survives the loss of its output's reader, as in "| head": writes fail from then
// on, and the run continues.
func (i *interrupts) reach(s stage) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.stage = max(i.stage, s)
	usualModes()
	if s == changing {
		signal.Notify(i.pipe, syscall.SIGPIPE)
	}
}

// begun reports whether the command has begun work that its next run may have to finish.
func (i *interrupts) begun() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.stage != inspecting
}

// pause returns a context for a question or a pause, which the first signal ends. done
// must be called.
func (i *interrupts) pause(ctx context.Context) (paused context.Context, done func()) {
	paused, cancel := context.WithCancelCause(ctx)
	var wait sync.WaitGroup
	wait.Go(func() {
		select {
		case <-i.drained:
			cancel(errInterrupted)
		case <-paused.Done():
		}
	})
	i.waits(1)
	return paused, func() {
		i.waits(-1)
		cancel(nil)
		wait.Wait()
	}
}

func (i *interrupts) waits(more int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.asks += more
}

// confirm asks a yes-or-no question, and returns the error no unless the answer is yes.
func (a *app) confirm(ctx context.Context, question string, no error) error {
	return a.answered(ctx, no, func(ctx context.Context) (bool, error) { return a.asker.Ask(ctx, question) })
}

// agreed asks for confirmation before anything is changed.
func (a *app) agreed(ctx context.Context, question string) error {
	return a.confirm(ctx, question, notAgreed())
}

// agreedByName asks the user to type the name of the wiki to delete, before anything is changed.
func (a *app) agreedByName(ctx context.Context, question, name string) error {
	return a.answered(ctx, notAgreed(), func(ctx context.Context) (bool, error) { return a.asker.AskFor(ctx, question, name) })
}

// answered asks, and returns the error no unless the answer is yes. The first signal ends the
// question.
func (a *app) answered(ctx context.Context, no error, ask func(context.Context) (yes bool, err error)) error {
	ctx, done := a.pause(ctx)
	defer done()
	yes, err := ask(ctx)
	if err == nil && !yes {
		return no
	}
	return err
}

func notAgreed() error {
	return tenants.WithHint(usagef("not confirmed; nothing was changed"), "--yes continues without asking")
}
