// Package process starts programs and signals processes. Each program is in a
// process group of its own, so that a terminal's Ctrl-C does not reach it; it ends
// with wikictl; and it is asked to end before it is killed. No signal goes to a
// process id that stands for more than one process. The package does not know what
// the programs do.
package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// grace is how long a program has to end after it was asked to, if nothing else is
// said.
const grace = 5 * time.Second

// pipes is how long output is waited for after a program has ended: something that
// it left behind may hold the pipe open.
const pipes = 2 * time.Second

// Program is what to start, and how.
type Program struct {
	Name   string // looked for by Find
	Args   []string
	Dir    string     // empty: wikictl's own
	Env    []string   // the whole environment; Inherited is wikictl's own
	Owner  Owner      // user and group that it runs as
	Stdin  io.Reader  // nil: empty
	Stdout io.Writer  // nil: as Stderr
	Stderr io.Writer  // nil: only its end is kept, for Error
	Files  []*os.File // file descriptors 3, 4, …
	Grace  time.Duration

	Gentle   bool // ask it to end when wikictl dies, instead of killing it
	Leaves   bool // what it started and left running goes on, as a daemon does
	Detached bool // it is in a session of its own and outlives wikictl; it implies Leaves
}

// Result is how a program ended.
type Result struct {
	Exit   int            // exit status; -1 when a signal killed it
	Signal syscall.Signal // that killed it; 0: none
	CPU    time.Duration  // of user and system
	Said   string         // the end of what it printed where Program has no writer
}

// Error is a program that could not be started, or did not exit with 0.
type Error struct {
	Name string // without arguments, which may be secret
	Said string // the end of what it printed
	Err  error
}

// Error has the program, how it ended, and on one line what it printed.
func (e *Error) Error() string {
	text := fmt.Sprintf("%s: %s", e.Name, e.Err)
	if e.Said != "" {
		text += ": " + OneLine(e.Said)
	}
	return text
}

// Unwrap gives how it ended.
func (e *Error) Unwrap() error { return e.Err }

var errEnded = errors.New("it was told to end")

// Running is a program that was started.
type Running struct {
	name  string
	cmd   *exec.Cmd
	said  Tail
	file  *os.File      // keeps what it prints instead, of one that outlives wikictl
	stop  chan struct{} // closed by End
	once  sync.Once
	ended chan struct{} // closed when it was waited for
	text  string        // the end of what it printed
	err   error         // how it ended, when it did not end well
}

// Run runs a program to its end. When ctx ends, its process group is asked to end
// and then killed, and the error is the cause. Other errors are an *Error.
func Run(ctx context.Context, p Program) (Result, error) {
	r, err := Start(ctx, p)
	if err != nil {
		return Result{Exit: -1}, err
	}
	return r.Wait()
}

// Start starts a program, which ends when ctx does.
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
		// PR_SET_PDEATHSIG), and a thread of this process may end before it.
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

// prepare fills in what os/exec is told.
func (r *Running) prepare(p Program) (err error) {
	path, err := Find(p.Name)
	if err != nil {
		return err
	}
	r.cmd = exec.Command(path, p.Args...)
	r.cmd.Dir, r.cmd.Env, r.cmd.ExtraFiles = p.Dir, append([]string{}, p.Env...), p.Files
	r.cmd.Stdin, r.cmd.Stdout, r.cmd.Stderr = p.Stdin, p.Stdout, p.Stderr
	r.cmd.SysProcAttr, r.cmd.WaitDelay = p.attributes(), pipes
	if p.Stderr == nil && p.Detached {
		err = r.sayIntoFile()
	} else if p.Stderr == nil {
		r.cmd.Stderr = &r.said
	}
	if p.Stdout == nil {
		r.cmd.Stdout = r.cmd.Stderr
	}
	return err
}

// sayIntoFile has a program print into a file without a name: a daemon that it leaves
// behind may go on printing, and a pipe that ends with wikictl would end it.
func (r *Running) sayIntoFile() (err error) {
	if r.file, err = os.CreateTemp("", "wikictl-said-*"); err != nil {
		return err
	}
	r.cmd.Stderr = r.file
	return os.Remove(r.file.Name())
}

// printed is the end of what it printed, after it has ended.
func (r *Running) printed() string {
	if r.file == nil {
		return r.said.String()
	}
	defer r.file.Close()
	return endOf(r.file, kept)
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
		a.Credential = &syscall.Credential{Uid: uint32(p.Owner.UID), Gid: uint32(p.Owner.GID)}
	}
	return a
}

// attend waits for a program's end, ends it when ctx does, and kills what is left
// of its group while its id can't be another's yet: before the kernel is told to
// forget it.
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
	case errors.Is(err, exec.ErrWaitDelay) && leaves: // what it left behind still holds the pipe
	case err != nil:
		r.err = &Error{Name: r.name, Said: r.text, Err: err}
	}
}

// await returns once a child has ended, and leaves it to be waited for (waitid(2),
// WNOWAIT).
func await(pid int) {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return
		}
	}
}

// end asks a process group to end, and kills it after a while.
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

// End ends the program as the end of its context does.
func (r *Running) End() {
	r.once.Do(func() { close(r.stop) })
	<-r.ended
}

// Pid is its process id, which is that of its process group.
func (r *Running) Pid() int { return r.cmd.Process.Pid }

// Ended is closed when the program has ended.
func (r *Running) Ended() <-chan struct{} { return r.ended }

// Wait waits for the program's end. Where the context of Start ended it, the error is
// the cause; where it failed by itself, an *Error.
func (r *Running) Wait() (Result, error) {
	<-r.ended
	state := r.cmd.ProcessState
	result := Result{Exit: state.ExitCode(), CPU: state.UserTime() + state.SystemTime(), Said: r.text}
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		result.Signal = status.Signal()
	}
	return result, r.err
}

// withHint says what can be done where the kernel refuses one more process.
func withHint(err error) error {
	if errors.Is(err, syscall.EAGAIN) {
		return fmt.Errorf("%w (%s)", err, NoProcessHint)
	}
	return err
}

// NoProcessHint is what can be done where no process can be started.
const NoProcessHint = "lower --jobs, or raise the number of processes that the user may have (ulimit -u, pids.max, TasksMax)"

// Find finds a program in PATH, or where Debian keeps those of root. A name with a
// slash is a path and stays as it is.
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

// Inherited is wikictl's own environment, but for the passwords in it.
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
