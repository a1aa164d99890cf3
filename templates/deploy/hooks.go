package deploy

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"wikictl/tenants/process"
)

// hookLimit is how long a hook may take.
const hookLimit = 2 * time.Minute

// HookError is a check or reload of the web server that failed.
type HookError struct {
	Hook   string   // "web.check" or "web.reload"
	Args   []string // what was run
	Output string   // the end of what it printed
	Err    error
}

// Error has the command and what it printed.
func (e *HookError) Error() string {
	text := fmt.Sprintf("%s: %s: %s", e.Hook, strings.Join(e.Args, " "), e.Err)
	if e.Output != "" {
		text += "\n" + e.Output
	}
	return text
}

// Unwrap gives the error of the process.
func (e *HookError) Unwrap() error { return e.Err }

// checkHook is the name of the check among hooks.
const checkHook = "web.check"

// Check runs the web server's own check of its configuration, if there is one.
func (d *Deployer) Check(ctx context.Context) error { return hook(ctx, checkHook, d.web.Check) }

// Reload tells the web server to read its configuration again.
func (d *Deployer) Reload(ctx context.Context) error { return hook(ctx, "web.reload", d.web.Reload) }

// hook runs a command. What it starts may go on.
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
	return &HookError{Hook: name, Args: args, Output: r.Said, Err: err}
}
