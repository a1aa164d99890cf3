package php

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
)

// aloneCode reads one request from standard input and becomes its script, with
// nothing of the request on the command line.
const aloneCode = `$job = json_decode( stream_get_contents( STDIN ), true );
putenv( 'MW_CONFIG_FILE=' . $job['config'] );
$argv = array_merge( [ $job['script'] ], $job['args'] );
$argc = count( $argv );
$_SERVER['argv'] = $argv;
$_SERVER['argc'] = $argc;
$_SERVER['SCRIPT_NAME'] = $_SERVER['SCRIPT_FILENAME'] = $_SERVER['PHP_SELF'] = $argv[0];
chdir( dirname( $argv[0] ) );
unset( $job );
require $argv[0];`

// runAlone runs a job as a process of its own.
func (s *Server) runAlone(ctx context.Context, j Job) (r report, why string, err error) {
	line, err := json.Marshal(request{Script: j.Script, Args: append([]string{}, j.Args...), Config: j.Config})
	if err != nil {
		return r, "", err
	}
	log, err := os.OpenFile(j.Log, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return r, "", err
	}
	defer log.Close()
	limited, cancel := context.WithTimeoutCause(ctx, j.Limit, errLimit)
	defer cancel()
	cmd := exec.CommandContext(limited, s.options.Program, append(flags, "-r", aloneCode)...)
	cmd.Env, cmd.SysProcAttr = environment(), s.options.Owner.attributes()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(string(line)), log, log
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = grace
	runtime.LockOSThread() // the process dies with this thread
	defer runtime.UnlockOSThread()
	if err := cmd.Start(); err != nil {
		return r, "", err
	}
	waitErr := cmd.Wait()
	syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // what it may have left
	if errors.Is(context.Cause(limited), errLimit) {
		return r, "did not end within " + j.Limit.String(), nil
	}
	if ctx.Err() != nil {
		return r, "", context.Cause(ctx)
	}
	state := cmd.ProcessState
	if state == nil {
		return r, "", waitErr
	}
	r.Exit, r.CPU = state.ExitCode(), (state.UserTime() + state.SystemTime()).Seconds()
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		r.Signal = int(status.Signal())
	}
	return r, "", nil
}

var errLimit = errors.New("the job's limit")

// lastLines keeps the end of what a process printed.
type lastLines struct{ text []byte }

// Write keeps at most the last kibibyte.
func (l *lastLines) Write(p []byte) (int, error) {
	l.text = append(l.text, p...)
	l.text = l.text[max(0, len(l.text)-1024):]
	return len(p), nil
}

// String is what was kept, on one line.
func (l *lastLines) String() string { return strings.Join(strings.Fields(string(l.text)), " ") }
