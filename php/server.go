package php

import (
	"bufio"
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"wikictl/tenants/disk"
	"wikictl/tenants/process"
)

//go:embed server.php
var serverCode string

// Options are the program, the user and the limits of a fork server.
type Options struct {
	Program string // PHP's command line program
	Owner   process.Owner

	Memory   int64 // limit of a job's memory in bytes; zero: 512 MiB
	Opcache  int64 // memory in bytes for compiled code, shared by all jobs; zero: 256 MiB
	FileSize int64 // limit of the size of a file that a job writes, in bytes; zero: 1 GiB
}

// flags returns options of PHP that keep compiled code in memory shared by all children.
// The buffer for strings is only as large as MediaWiki needs: its index grows with it,
// and a child reads pages from all over the index.
func (o Options) flags() []string {
	memory, opcache := cmp.Or(o.Memory, 512<<20), cmp.Or(o.Opcache, 256<<20)
	return []string{
		"-d", "opcache.enable_cli=1", "-d", fmt.Sprintf("opcache.memory_consumption=%d", opcache>>20), "-d", "opcache.interned_strings_buffer=8",
		"-d", "opcache.max_accelerated_files=30000", "-d", "opcache.validate_timestamps=0", "-d", "opcache.file_update_protection=0",
		"-d", "ffi.enable=1", "-d", fmt.Sprintf("memory_limit=%d", memory), "-d", "display_errors=stderr", "-d", "html_errors=0", "-d", "apc.enable_cli=0",
	}
}

func (o Options) fileSize() int64 { return cmp.Or(o.FileSize, 1<<30) }

// Server is one fork server. It may be used by many goroutines.
type Server struct {
	options Options
	stdin   io.WriteCloser // of the PHP process; nil where PHP can't fork
	process *process.Running
	ended   chan struct{} // closed when the PHP process is gone

	mu      sync.Mutex
	nextID  int
	waiting map[int]*waiter
	err     error // reason why the PHP process ended
}

// waiter is a running job.
type waiter struct {
	pid  int
	done chan report
}

// signal sends a signal to a job's process group once that is known.
func (w *waiter) signal(signal syscall.Signal) {
	if w.pid != 0 {
		_ = process.SignalGroup(w.pid, signal) // it may have ended already
	}
}

// report is one line from the fork server.
type report struct {
	ID     int     `json:"id"`
	PID    int     `json:"pid"`
	Ended  bool    `json:"ended"`
	Exit   int     `json:"exit"`
	Signal int     `json:"signal"`
	CPU    float64 `json:"cpu"`
	Why    string  `json:"why"` // reason why the job was not started
}

// request is one line to the fork server.
type request struct {
	ID     int               `json:"id"`
	Script string            `json:"script"`
	Args   [][]byte          `json:"args"` // base64, since JSON strings must be UTF-8
	Dir    string            `json:"dir"`
	Config string            `json:"config"`
	Input  string            `json:"input,omitempty"`
	Log    string            `json:"log"`
	Bytes  int64             `json:"bytes"`
	Memory int64             `json:"memory"`
	Env    map[string]string `json:"env,omitempty"`

	Statements *Statements `json:"statements,omitempty"`
}

// requestOf encodes a job.
func requestOf(j Job) request {
	r := request{Script: j.Script, Args: [][]byte{}, Dir: j.Dir, Memory: j.Memory, Config: j.Config, Input: j.Input, Log: j.Log, Env: j.Env, Statements: j.Statements}
	for _, arg := range j.Args {
		r.Args = append(r.Args, []byte(arg))
	}
	return r
}

// Start starts a fork server. If PHP lacks pcntl, posix or FFI, each job runs in a
// process of its own instead.
func Start(ctx context.Context, o Options) (*Server, error) {
	if o.Program == "" {
		return nil, errors.New("no php program was found; install php-cli or set php in [codebases]")
	}
	s := &Server{options: o, waiting: map[int]*waiter{}, ended: make(chan struct{})}
	greeting := make(chan string, 1)
	if err := s.launch(context.WithoutCancel(ctx), greeting); err != nil {
		return nil, fmt.Errorf("start %s: %w", o.Program, err)
	}
	select {
	case text := <-greeting:
		switch text {
		case canFork:
			return s, nil
		case canNotFork:
			return &Server{options: o}, s.Close() // stdin is nil: no PHP process
		}
		s.Close()
		return nil, fmt.Errorf("start %s: %w", o.Program, s.err)
	case <-ctx.Done():
		s.Close()
		return nil, context.Cause(ctx)
	}
}

// The first line of the fork server says whether PHP can fork.
const (
	canFork    = "forks"
	canNotFork = "can't fork"
)

// greet returns the first line of the fork server, or "" if it ended before. A program that starts
// PHP may print others.
func greet(lines *bufio.Scanner) string {
	for lines.Scan() {
		if text := lines.Text(); text == canFork || text == canNotFork {
			return text
		}
	}
	return ""
}

// launch starts the PHP process, which runs until Close, and sends its first line. Jobs end with
// their own contexts.
func (s *Server) launch(ctx context.Context, greeting chan<- string) error {
	code, err := codeFile()
	if err != nil {
		return err
	}
	defer code.Close()
	input, stdin, err1 := os.Pipe()
	stdout, output, err2 := os.Pipe()
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	s.process, err = process.Start(ctx, process.Program{
		Name: s.options.Program, Args: append(s.options.flags(), "/dev/fd/3"), Env: environment(), Owner: s.options.Owner,
		Stdin: input, Stdout: output, Files: []*os.File{code},
	})
	input.Close()
	output.Close()
	if err != nil {
		return errors.Join(err, stdin.Close(), stdout.Close())
	}
	s.stdin = stdin
	go func() {
		lines := bufio.NewScanner(stdout)
		greeting <- greet(lines)
		s.read(lines)
		stdout.Close()
		_, err := s.process.Wait()
		s.finish(err)
	}()
	return nil
}

// codeFile returns an open file with the server's code and no name on disk.
func codeFile() (*os.File, error) {
	f, err := os.CreateTemp("", "wikictl-*.php")
	if err != nil {
		return nil, err
	}
	os.Remove(f.Name())
	if err := f.Chmod(0o644); err != nil {
		return nil, err
	}
	if _, err := f.WriteString(wholeServer()); err != nil {
		return nil, err
	}
	_, err = f.Seek(0, io.SeekStart)
	return f, err
}

// read passes reports to the jobs that wait for them.
func (s *Server) read(lines *bufio.Scanner) {
	for lines.Scan() {
		r, err := decodeReport(lines.Bytes())
		if err != nil {
			continue // the output has only reports; without them, a job waits for the process to end
		}
		s.mu.Lock()
		if w := s.waiting[r.ID]; w != nil {
			if !r.Ended {
				w.pid = r.PID
			} else {
				delete(s.waiting, r.ID)
				w.done <- r
			}
		}
		s.mu.Unlock()
	}
}

// decodeReport decodes a line. A job that was not started counts as ended, since no other
// report follows.
func decodeReport(line []byte) (report, error) {
	var r report
	if err := json.Unmarshal(line, &r); err != nil {
		return r, err
	}
	if !r.Ended && r.PID < 2 {
		r.Ended, r.Exit, r.Why = true, -1, fmt.Sprintf("fork: the process has the id %d", r.PID)
	}
	return r, nil
}

// ErrEnded is returned if the PHP process that forks jobs ended: the server can't run
// more.
var ErrEnded = errors.New("the fork server ended")

// finish records the end of the PHP process and kills the remaining jobs.
func (s *Server) finish(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = ErrEnded
	if err != nil {
		s.err = fmt.Errorf("%w: %w", ErrEnded, err)
	}
	for _, w := range s.waiting {
		w.signal(syscall.SIGKILL)
	}
	close(s.ended)
}

// Close ends the server and all running jobs. PHP ends by itself at the end of its input,
// and is killed otherwise.
func (s *Server) Close() error {
	if s.stdin == nil {
		return nil
	}
	s.stdin.Close()
	select {
	case <-s.ended:
	case <-time.After(grace):
	}
	s.process.End()
	<-s.ended
	return nil
}

// Run runs a job to its end. The error of a failed job is a *JobError. When ctx ends, the
// job's processes get SIGTERM and later SIGKILL.
func (s *Server) Run(ctx context.Context, j Job) (Result, error) {
	if j.Limit == 0 {
		j.Limit = time.Hour
	}
	if j.Output == 0 {
		j.Output = 64 << 20
	}
	start := time.Now()
	run := s.runForked
	if s.stdin == nil {
		run = s.runAlone
	}
	watched, stop := watch(ctx, j)
	r, why, err := run(watched, j)
	stop()
	if much := overflowed(watched); much != "" && err != nil {
		r.Exit, why, err = -1, much, nil
	}
	printed := end(j.Log)
	result := Result{Exit: r.Exit, CPU: r.CPU, Seconds: time.Since(start).Seconds(), Tail: tail(printed)}
	if err != nil {
		return result, err
	}
	switch {
	case why != "":
	case r.Why != "":
		why = withHint(r.Why)
	case r.Signal == int(syscall.SIGXFSZ):
		why = fmt.Sprintf("wrote more than %d bytes into one file (file_size in [php] of wikictl.toml allows more)", s.options.fileSize())
	case r.Signal != 0:
		why = fmt.Sprintf("killed by signal %d", r.Signal)
	case r.Exit != 0:
		why = fmt.Sprintf("exit %d", r.Exit)
	default:
		return result, nil
	}
	return result, &JobError{Script: j.Script, Why: why + noRoom(j.Log), Tail: tail(j.masker().Text(printed)), Log: j.Log}
}

// noRoom returns what to add to the reason of a failed job whose output found no room.
func noRoom(log string) string {
	if space, err := disk.Free(filepath.Dir(log)); err != nil || !space.Lacks(1) {
		return ""
	}
	return "; the disk of its log is full, so that its output is lost: make room there"
}

// withHint adds a hint to the reason of a failed fork. Other reasons, such as a log that
// PHP's user can't open, have their own.
func withHint(why string) string {
	if strings.HasPrefix(why, "fork:") {
		return why + " (" + process.NoProcessHint + ")"
	}
	return why
}

// runForked runs a job by the fork server.
func (s *Server) runForked(ctx context.Context, j Job) (report, string, error) {
	w := &waiter{done: make(chan report, 1)}
	if err := s.send(w, j); err != nil {
		return report{}, "", err
	}
	limit := time.NewTimer(j.Limit)
	defer limit.Stop()
	select {
	case r := <-w.done:
		return r, "", nil
	case <-s.ended:
		return report{}, "", s.err
	case <-limit.C:
		return s.end(w), fmt.Sprintf("did not end within %s", j.Limit), nil
	case <-ctx.Done():
		s.end(w)
		return report{}, "", context.Cause(ctx)
	}
}

// send writes the request of a job.
func (s *Server) send(w *waiter, j Job) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	s.nextID++
	r := requestOf(j)
	r.ID, r.Bytes = s.nextID, s.options.fileSize()
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	s.waiting[s.nextID] = w
	if _, err := s.stdin.Write(append(line, '\n')); err != nil {
		delete(s.waiting, s.nextID)
		return fmt.Errorf("hand a job to the fork server: %w", err)
	}
	return nil
}

// end sends a job's processes SIGTERM, later SIGKILL, and waits for their end.
func (s *Server) end(w *waiter) report {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		s.mu.Lock()
		w.signal(signal)
		s.mu.Unlock()
		select {
		case r := <-w.done:
			return r
		case <-s.ended:
			return report{Exit: -1}
		case <-time.After(grace):
		}
	}
	return report{Exit: -1}
}
