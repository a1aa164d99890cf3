package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"wikictl/tenants/session"
)

// hookVariable is the environment variable with events that happen to a run of wikictl at named
// steps, as TENANT:STEP:MOMENT:WHAT. TENANT may be *, or empty for a step that many tenants
// share; STEP may be #N, the Nth call of the hook; MOMENT is before, after or either; WHAT is
// kill, fail, panic, or hold=FILE, which makes FILE.held and continues once FILE exists. Several
// events are joined by commas.
const hookVariable = "WIKICTL_TEST_HOOK"

var errPlanted = errors.New("planted by a test")

// event happens to a run at a step; see hookVariable.
type event struct{ tenant, step, moment, what string }

func (e event) String() string {
	return strings.Join([]string{e.tenant, e.step, e.moment, e.what}, ":")
}

// hookFromEnvironment returns the hook that the test's executable calls at each step when it
// runs as wikictl.
func hookFromEnvironment() session.Hook {
	text := os.Getenv(hookVariable)
	if text == "" {
		return nil
	}
	var events []event
	for _, one := range strings.Split(text, ",") {
		part := strings.SplitN(one, ":", 4)
		if len(part) != 4 {
			panic(fmt.Sprintf("%s is no %s", one, hookVariable))
		}
		events = append(events, event{part[0], part[1], part[2], part[3]})
	}
	var calls atomic.Int64
	return func(tenant, step string, done bool) error {
		moment := map[bool]string{false: "before", true: "after"}[done]
		number := fmt.Sprint("#", calls.Add(1))
		for _, e := range events {
			if e.tenant != "*" && e.tenant != tenant || e.step != step && e.step != number || e.moment != moment && e.moment != "either" {
				continue
			}
			return e.happen(fmt.Sprintf("%s %q of %q", moment, step, tenant))
		}
		return nil
	}
}

// happen makes the event happen and writes where to standard error, for the test's log.
func (e event) happen(where string) error {
	fmt.Fprintln(os.Stderr, "HOOK", e.what, where)
	what, file, _ := strings.Cut(e.what, "=")
	switch what {
	case "kill":
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	case "panic":
		panic(errPlanted)
	case "hold":
		if err := os.WriteFile(file+".held", nil, 0o644); err != nil {
			return err
		}
		for {
			if _, err := os.Stat(file); err == nil {
				return nil
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
	return errPlanted
}

// with prepares a wikictl to which something happens.
func (f *farm) with(e event, args ...string) *exec.Cmd {
	cmd := f.command(args...)
	cmd.Env = append(os.Environ(), hookVariable+"="+e.String())
	return cmd
}

// held runs wikictl to a step, does something else there, lets it continue, and
// returns its output and exit code.
func (f *farm) held(tenant, step, moment string, meanwhile func(), args ...string) (string, int) {
	f.t.Helper()
	out, code, came := f.holdAt(event{tenant, step, moment, ""}, meanwhile, args...)
	if !came {
		f.t.Fatalf("wikictl %v never came to %s %q of %s\n%s", args, moment, step, tenant, out)
	}
	return out, code
}

// holdAt is held for a run that may end before it comes to the step.
func (f *farm) holdAt(e event, meanwhile func(), args ...string) (out string, code int, came bool) {
	f.t.Helper()
	gate := filepath.Join(f.t.TempDir(), "gate")
	e.what = "hold=" + gate
	cmd := f.with(e, args...)
	var text strings.Builder
	cmd.Stdout, cmd.Stderr = &text, &text
	must(f.t, cmd.Start())
	ended := make(chan struct{})
	go func() { cmd.Wait(); close(ended) }()
	defer func() { // it is still held when meanwhile ended the test
		cmd.Process.Kill()
		<-ended
	}()
	for !came {
		if _, err := os.Stat(gate + ".held"); err == nil {
			came = true
			break
		}
		select {
		case <-ended:
			return text.String(), cmd.ProcessState.ExitCode(), false
		case <-time.After(5 * time.Millisecond):
		}
	}
	meanwhile()
	must(f.t, os.WriteFile(gate, nil, 0o644))
	<-ended
	return text.String(), cmd.ProcessState.ExitCode(), true
}

// struck runs wikictl, to which something happens, and returns its output and exit
// code; -1 when it was killed.
func (f *farm) struck(e event, args ...string) (string, int) {
	f.t.Helper()
	cmd := f.with(e, args...)
	out, _ := cmd.CombinedOutput()
	return string(out), cmd.ProcessState.ExitCode()
}
