package deploy

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"wikictl/tenants/process"
)

// hookLimit is the time limit of a hook.
const hookLimit = 2 * time.Minute

// HookError is the error of a failed check or reload of the web server.
type HookError struct {
	Hook   string   // "web.check" or "web.reload"
	Args   []string // the command
	Output string   // the end of its output
	Err    error
}

// Error returns the command and its output.
func (e *HookError) Error() string {
	text := fmt.Sprintf("%s: %s: %s", e.Hook, strings.Join(e.Args, " "), e.Err)
	if e.Output != "" {
		text += "\n" + e.Output
	}
	return text
}

// Unwrap returns the error of the process.
func (e *HookError) Unwrap() error { return e.Err }

// checkHook is the name of the check in HookError.Hook.
const checkHook = "web.check"

// Check runs the web server's own check of its configuration, if one is set.
func (d *Deployer) Check(ctx context.Context) error { return hook(ctx, checkHook, d.web.Check) }

// Reload has the web server load its configuration again.
func (d *Deployer) Reload(ctx context.Context) error { return hook(ctx, "web.reload", d.web.Reload) }

// hook runs a command. Processes that it starts may outlive it.
func hook(ctx context.Context, name string, args []string) error {
	if len(args) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, hookLimit, fmt.Errorf("it did not end within %s", hookLimit))
	defer cancel()
	r, err := process.Run(ctx, process.Program{Name: args[0], Args: args[1:], Env: process.Inherited(), Leaves: true})
	if err == nil {
		return nil
	}
	var failed *process.Error
	if errors.As(err, &failed) {
		err = failed.Err
	}
	return &HookError{Hook: name, Args: args, Output: r.Output, Err: err}
}
