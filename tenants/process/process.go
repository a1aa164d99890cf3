// Package process starts programs and signals processes. Each program has its own process
// group, so that a terminal's Ctrl-C does not reach it; it ends with wikictl; and it gets
// SIGTERM before SIGKILL. No signal goes to a process id that stands for several
// processes. The package does not know what the programs do.
package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"wikictl/tenants"
)

// grace is the default time between SIGTERM and SIGKILL.
const grace = 5 * time.Second

// pipes is how long to wait for output after a program has ended: a process that it
// started may keep the pipe open.
const pipes = 2 * time.Second

// Program describes a program to start.
type Program struct {
	Name   string // resolved by Find
	Args   []string
	Dir    string     // empty: wikictl's own
	Env    []string   // the whole environment; Inherited returns wikictl's own
	Owner  Owner      // user and group to run as
	Stdin  io.Reader  // nil: empty
	Stdout io.Writer  // nil: like Stderr
	Stderr io.Writer  // nil: keep only its end, for Error
	Files  []*os.File // file descriptors 3, 4, …
	Grace  time.Duration

	Gentle   bool // send SIGTERM instead of SIGKILL when wikictl dies
	Leaves   bool // processes that it started continue after its end, as a daemon does
	Detached bool // start it in its own session, so that it outlives wikictl; implies Leaves
}

// Result describes how a program ended.
type Result struct {
	Exit   int            // exit status; -1 if a signal killed it
	Signal syscall.Signal // the signal that killed it; 0: none
	CPU    time.Duration  // user and system time
	Output string         // the end of its output, if Program has no writer for it
}

// Error reports a program that could not be started, or did not exit with 0.
type Error struct {
	Name   string // without arguments, which may be secret
	Output string // the end of its output
	Err    error
}

// Error returns the program, how it ended, and its output on one line.
func (e *Error) Error() string {
	text := fmt.Sprintf("%s: %s", e.Name, e.Err)
	if e.Output != "" {
		text += ": " + tenants.OneLine(e.Output)
	}
	return text
}

// Unwrap returns how it ended.
func (e *Error) Unwrap() error { return e.Err }

var errEnded = errors.New("it was told to stop")

// Running is a started program.
type Running struct {
	name   string
	cmd    *exec.Cmd
	output Tail
	file   *os.File      // receives the output of a program that outlives wikictl
	stop   chan struct{} // closed by End
	once   sync.Once
	ended  chan struct{} // closed after the wait
	text   string        // the end of its output
	err    error         // how it failed
}

// Run runs a program until it ends. When ctx ends, its process group gets SIGTERM, then
// SIGKILL, and the error is ctx's cause. Other errors are an *Error.
func Run(ctx context.Context, p Program) (Result, error) {
	r, err := Start(ctx, p)
	if err != nil {
		return Result{Exit: -1}, err
	}
	return r.Wait()
}

// Start starts a program that ends when ctx does.
func Start(ctx context.Context, p Program) (*Running, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	r := &Running{name: filepath.Base(p.Name), stop: make(chan struct{}), ended: make(chan struct{})}
	if err := r.prepare(p); err != nil {
		return nil, &Error{Name: r.name, Err: err}
	}
	started := make(chan error)
	go func() {
		// The kernel signals a program when the thread that started it ends (prctl(2),
		// PR_SET_PDEATHSIG), so keep the thread until the program ends.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if err := r.cmd.Start(); err != nil {
			r.printed()
			started <- &Error{Name: r.name, Err: withHint(err)}
			return
		}
		started <- nil
		r.attend(ctx, p)
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return r, nil
}

// prepare sets the fields of os/exec's command.
func (r *Running) prepare(p Program) (err error) {
	path, err := Find(p.Name)
	if err != nil {
		return err
	}
	dropInherited()
	r.cmd = exec.Command(path, p.Args...)
	r.cmd.Dir, r.cmd.Env, r.cmd.ExtraFiles = p.Dir, append([]string{}, p.Env...), p.Files
	r.cmd.Stdin, r.cmd.Stdout, r.cmd.Stderr = p.Stdin, p.Stdout, p.Stderr
	r.cmd.SysProcAttr, r.cmd.WaitDelay = p.attributes(), pipes
	if p.Stderr == nil && p.Detached {
		err = r.sayIntoFile()
	} else if p.Stderr == nil {
		r.cmd.Stderr = &r.output
	}
	if p.Stdout == nil {
		r.cmd.Stdout = r.cmd.Stderr
	}
	return err
}

// sayIntoFile redirects a program's output to an unlinked file: a daemon that it starts
// may keep printing, and a pipe that ends with wikictl would kill it.
func (r *Running) sayIntoFile() (err error) {
	if r.file, err = os.CreateTemp("", "wikictl-output-*"); err != nil {
		return err
	}
	r.cmd.Stderr = r.file
	return os.Remove(r.file.Name())
}

// printed returns the end of its output, after the program has ended.
func (r *Running) printed() string {
	if r.file == nil {
		return r.output.String()
	}
	defer r.file.Close()
	return endOf(r.file, kept)
}

// dropInherited keeps files that wikictl was started with, other than the standard ones, from the
// programs that it starts: a server would hold the lock of "flock FILE wikictl …" for as long as it
// runs. Files that wikictl opened itself are never inherited.
func dropInherited() {
	const first, usual = 3, 1024
	if unix.CloseRange(first, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC) == nil {
		return
	}
	for fd := first; fd < usual; fd++ { // Linux before 5.11
		unix.CloseOnExec(fd)
	}
}

func (p Program) attributes() *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if p.Gentle {
		a.Pdeathsig = syscall.SIGTERM
	}
	if p.Detached {
		a = &syscall.SysProcAttr{Setsid: true}
	}
	if p.Owner.UID != 0 {
		a.Credential = &syscall.Credential{Uid: uint32(p.Owner.UID), Gid: uint32(p.Owner.GID), Groups: p.Owner.Groups}
	}
	return a
}

// attend waits for a program's end, stops it when ctx ends, and kills the rest of its
// group before the wait releases the process id, so that no other process can have it.
func (r *Running) attend(ctx context.Context, p Program) {
	defer close(r.ended)
	pid, leaves := r.cmd.Process.Pid, p.Leaves || p.Detached
	over := make(chan struct{})
	go func() {
		defer close(over)
		await(pid)
	}()
	var cause error
	select {
	case <-over:
	case <-ctx.Done():
		cause = context.Cause(ctx)
		end(pid, p.Grace, over)
	case <-r.stop:
		cause = errEnded
		end(pid, p.Grace, over)
	}
	if cause != nil || !leaves {
		_ = SignalGroup(pid, syscall.SIGKILL)
	}
	err := r.cmd.Wait()
	r.text = r.printed()
	switch {
	case cause != nil:
		r.err = cause
	case errors.Is(err, exec.ErrWaitDelay) && leaves: // a process that it started still holds the pipe
	case err != nil:
		r.err = &Error{Name: r.name, Output: r.text, Err: err}
	}
}

// await returns once a child has ended, without reaping it (waitid(2), WNOWAIT).
func await(pid int) {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return
		}
	}
}

// end sends SIGTERM to a process group, and SIGKILL after patience.
func end(pid int, patience time.Duration, over <-chan struct{}) {
	if patience == 0 {
		patience = grace
	}
	_ = SignalGroup(pid, syscall.SIGTERM)
	select {
	case <-over:
		return
	case <-time.After(patience):
	}
	_ = SignalGroup(pid, syscall.SIGKILL)
	<-over
}

// End stops the program as the end of its context does.
func (r *Running) End() {
	r.once.Do(func() { close(r.stop) })
	<-r.ended
}

// Pid returns its process id, which is also that of its process group.
func (r *Running) Pid() int { return r.cmd.Process.Pid }

// Ended returns a channel that is closed when the program has ended.
func (r *Running) Ended() <-chan struct{} { return r.ended }

// Wait waits for the program's end. If the context of Start ended it, the error is the
// cause; if it failed by itself, an *Error.
func (r *Running) Wait() (Result, error) {
	<-r.ended
	state := r.cmd.ProcessState
	result := Result{Exit: state.ExitCode(), CPU: state.UserTime() + state.SystemTime(), Output: r.text}
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		result.Signal = status.Signal()
	}
	return result, r.err
}

// Missing reports whether an error says that a program is not there.
func Missing(err error) bool {
	return errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist)
}

// withHint adds a hint if the kernel refused to start another process.
func withHint(err error) error {
	if errors.Is(err, syscall.EAGAIN) {
		return fmt.Errorf("%w (%s)", err, NoProcessHint)
	}
	return err
}

// NoProcessHint is the hint for failures to start another process.
const NoProcessHint = "lower --jobs, or raise the user's process limit (ulimit -u, pids.max, TasksMax)"

// Find finds a program in PATH, or in Debian's folders for root. It returns a name with a
// slash unchanged.
func Find(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err == nil || strings.Contains(name, "/") {
		return path, err
	}
	for _, dir := range []string{"/usr/local/sbin", "/usr/sbin", "/sbin"} {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path, nil
		}
	}
	return "", err
}

// Inherited returns wikictl's own environment without the passwords in it.
func Inherited() []string {
	var env []string
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if !strings.HasPrefix(name, "WIKICTL_") || !strings.HasSuffix(name, "_PASSWORD") {
			env = append(env, variable)
		}
	}
	return env
}
