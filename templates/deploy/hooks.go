package deploy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

const (
	hookLimit  = 2 * time.Minute
	hookOutput = 8 << 10 // bytes of output kept for the error
)

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

// Check runs the web server's own check of its configuration, if there is one.
func (d *Deployer) Check(ctx context.Context) error { return hook(ctx, "web.check", d.web.Check) }

// Reload tells the web server to read its configuration again.
func (d *Deployer) Reload(ctx context.Context) error { return hook(ctx, "web.reload", d.web.Reload) }

// hook runs a command in a process group of its own, which ends with it.
func hook(ctx context.Context, name string, args []string) error {
	if len(args) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, hookLimit)
	defer cancel()
	var output tail
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 2 * time.Second
	err := cmd.Run()
	if ctx.Err() != nil && cmd.Process != nil {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // what did not end by TERM
	}
	if errors.Is(err, exec.ErrWaitDelay) {
		err = nil // it ended well and left something behind that still writes
	}
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		err = errors.Join(err, context.Cause(ctx))
	}
	return &HookError{Hook: name, Args: args, Output: strings.TrimSpace(output.String()), Err: err}
}

// tail keeps the end of what is written to it.
type tail struct{ bytes.Buffer }

// Write forgets what is too long ago.
func (t *tail) Write(p []byte) (int, error) {
	n, err := t.Buffer.Write(p)
	if extra := t.Len() - hookOutput; extra > 0 {
		t.Next(extra)
	}
	return n, err
}
