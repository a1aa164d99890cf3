package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// proc is a process as /proc/PID/stat has it (proc(5)).
type proc struct {
	pid, parent, group int
	name, state        string
}

func (p proc) String() string { return fmt.Sprintf("%s (%d)", p.name, p.pid) }

// descendants are all processes below this test. Those whose parent died are among
// them once adoptOrphans was called.
func descendants(t *testing.T) []proc {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	must(t, err)
	children := map[int][]proc{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has just ended
		}
		pid, rest, _ := strings.Cut(string(text), " (")
		end := strings.LastIndex(rest, ") ")
		var p proc
		p.pid, err = strconv.Atoi(pid)
		must(t, err)
		p.name = rest[:end]
		_, err = fmt.Sscan(rest[end+2:], &p.state, &p.parent, &p.group)
		must(t, err)
		children[p.parent] = append(children[p.parent], p)
	}
	var all []proc
	for next := children[os.Getpid()]; len(next) > 0; {
		p := next[0]
		all = append(all, p)
		next = append(next[1:], children[p.pid]...)
	}
	return all
}

// adoptOrphans makes this test the parent of processes below it whose own parent died
// (prctl(2), PR_SET_CHILD_SUBREAPER).
func adoptOrphans(t *testing.T) {
	t.Helper()
	must(t, unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
}

// servers are the programs that may outlive a wikictl that was killed.
var servers = []string{"mariadbd", "nginx", "php-fpm"}

// noneLeft wants all that wikictl has started to be gone soon, but for servers.
func noneLeft(t *testing.T) {
	t.Helper()
	var left []proc
	for range 500 {
		left = nil
		for _, p := range descendants(t) {
			server := false
			for _, name := range servers {
				server = server || strings.HasPrefix(p.name, name)
			}
			if !server && p.state != "Z" {
				left = append(left, p)
			}
		}
		if len(left) == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("processes are left: %v", left)
}

// started is a wikictl under way.
type started struct {
	f     *farm
	cmd   *exec.Cmd
	stdin io.WriteCloser
	ended chan struct{}

	mu  sync.Mutex
	out bytes.Buffer
}

// Write takes what it prints.
func (s *started) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.Write(p)
}

func (s *started) printed() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.String()
}

// start starts wikictl with a standard input that stays open, as a terminal's does.
func (f *farm) start(args ...string) *started {
	f.t.Helper()
	return f.begin(f.command(args...))
}

// begin starts a wikictl that was prepared, as start does.
func (f *farm) begin(cmd *exec.Cmd) *started {
	f.t.Helper()
	s := &started{f: f, cmd: cmd, ended: make(chan struct{})}
	stdin, err := s.cmd.StdinPipe()
	must(f.t, err)
	s.stdin, s.cmd.Stdout, s.cmd.Stderr = stdin, s, s
	must(f.t, s.cmd.Start())
	go func() { s.cmd.Wait(); close(s.ended) }()
	f.t.Cleanup(func() { // a service that a failed test leaves would start the farm's server again
		_ = s.cmd.Process.Kill()
		<-s.ended
	})
	return s
}

// until waits until something is so.
func (s *started) until(what string, so func() bool) {
	s.f.t.Helper()
	for range 3000 {
		if so() {
			return
		}
		select {
		case <-s.ended:
			s.f.t.Fatalf("%v ended before %s\n%s", s.cmd.Args, what, s.printed())
		case <-time.After(10 * time.Millisecond):
		}
	}
	s.f.t.Fatalf("%v: not yet %s\n%s", s.cmd.Args, what, s.printed())
}

func (s *started) prints(text string) {
	s.f.t.Helper()
	s.until("it prints "+text, func() bool { return strings.Contains(s.printed(), text) })
}

// ends wants it to end by itself soon, and returns its output and exit code.
func (s *started) ends() (string, int) {
	s.f.t.Helper()
	select {
	case <-s.ended:
	case <-time.After(30 * time.Second):
		s.cmd.Process.Kill()
		<-s.ended
		s.f.t.Errorf("%v does not end\n%s", s.cmd.Args, s.printed())
	}
	return s.printed(), s.cmd.ProcessState.ExitCode()
}

// interrupted signals it once and wants it to end at once, without a word of what it
// finishes.
func (s *started) interrupted(signal os.Signal) {
	s.f.t.Helper()
	must(s.f.t, s.cmd.Process.Signal(signal))
	if out, code := s.ends(); code != 130 || strings.Contains(out, "finishing") || !strings.Contains(out, "wikictl: interrupted") {
		s.f.t.Errorf("%v: exit %d\n%s", s.cmd.Args, code, out)
	}
}

// connected reports whether it has opened a socket.
func (s *started) connected() bool {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", s.cmd.Process.Pid))
	return slices.ContainsFunc(files, func(file string) bool {
		to, _ := os.Readlink(file)
		return strings.HasPrefix(to, "socket:")
	})
}

// running reports whether a process of that name is below s.
func (s *started) running(name string) bool {
	for _, p := range descendants(s.f.t) {
		if p.name == name && p.state != "Z" {
			return true
		}
	}
	return false
}

// A command that only reads ends with the first signal, whatever it waits for.
func TestReadingEndsWithTheFirstSignal(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.define(1)
	f.run("create", "--all")
	pid, err := f.private().Pid()
	must(t, err)
	must(t, syscall.Kill(pid, syscall.SIGSTOP)) // it takes connections and never answers
	defer syscall.Kill(pid, syscall.SIGCONT)
	for _, args := range [][]string{
		{"plan"}, {"status"}, {"audit"}, {"report", "--html", "-"}, {"render", "--all"}, {"render", "--diff", "--all"},
		{"upgrade", "--all", "--dry-run"}, {"upgrade", "--all"}, {"apply", "--all", "--dry-run"}, {"apply", "--all"},
		{"create", "--all", "--dry-run"}, {"create", "--all"}, {"rollback", "--all"}, {"audit", "--fix", "--dry-run"}, {"server", "status"},
	} {
		s := f.start(args...)
		s.until("it has connected to the server", s.connected)
		s.interrupted(syscall.SIGTERM)
	}
}

// A question, a pause between waves, and the wait for another run end with the first
// signal. Nothing of what was asked about is done.
func TestWaitsEndWithTheFirstSignal(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.define(3)
	f.run("create", "--all")
	f.want143()
	waves := []string{"upgrade", "--all", "--waves", "1,2,3", "--jobs", "1"}
	s := f.start(append(waves, "--pause-between", "1h")...)
	s.prints("done      w") // the largest comes first
	s.interrupted(os.Interrupt)
	s = f.start(append(waves, "--confirm")...)
	s.prints("continue with wave 2 of 2? [y/N] ")
	s.interrupted(syscall.SIGTERM)
	byAge := f.sql("SELECT name FROM wikictl.tenant ORDER BY version") // 1.39 comes first
	left := byAge[0]
	wantsOld := func() {
		if got := []string{f.client(left).version(), f.client(byAge[1]).version()}; !slices.Equal(got, []string{"MediaWiki 1.39.17", "MediaWiki 1.43.9"}) {
			t.Errorf("%v run %v", byAge, got)
		}
	}
	wantsOld()
	s = f.start("rollback", "--all")
	s.prints("lose content made since? [y/N] ")
	s.interrupted(os.Interrupt)
	must(t, os.Remove(filepath.Join(f.demo.Dir, "tenants", left+".toml")))
	s = f.start("apply", "--all", "--prune")
	s.prints("[y/N] ")
	s.interrupted(syscall.SIGTERM)
	must(t, os.Chmod(filepath.Join(f.demo.Dir, "state/secrets/w0.toml"), 0o644))
	s = f.start("audit", "--fix")
	s.prints("make these repairs? [y/N] ")
	s.interrupted(os.Interrupt)
	wantsOld()
	s = f.start("rollback", byAge[1])
	s.prints("lose content made since? [y/N] ")
	fmt.Fprintln(s.stdin, "Yes")
	if out, code := s.ends(); code != 0 || !strings.Contains(out, "rollback: 1 done") {
		t.Errorf("exit %d\n%s", code, out)
	}
}

// The first Ctrl-C of a terminal reaches no child: what is running is finished, and
// a run that waits for it ends at once.
func TestRunsDrain(t *testing.T) {
	adoptOrphans(t)
	f := newEmptyFarm(t)
	f.define(2)
	f.run("server", "start")
	gate := filepath.Join(t.TempDir(), "gate")
	first := f.begin(f.with(event{"w0", "golden", "before", "hold=" + gate}, "create", "w0"))
	first.until("it makes the golden", func() bool {
		_, err := os.Stat(gate + ".held")
		return err == nil
	})
	second := f.start("create", "w1")
	second.prints("w1: waiting for another run (")
	must(t, second.cmd.Process.Signal(os.Interrupt))
	if out, code := second.ends(); code != 130 || !strings.Contains(out, "skipped") {
		t.Errorf("the run that waits: exit %d\n%s", code, out)
	}
	must(t, os.WriteFile(gate, nil, 0o644))
	first.until("a child runs", func() bool { return first.running("php") })
	must(t, syscall.Kill(-first.cmd.Process.Pid, syscall.SIGINT)) // as a terminal does
	out, code := first.ends()
	if code != 130 || !strings.Contains(out, "finishing the work in progress") || !strings.Contains(out, "1 skipped") {
		t.Errorf("the first run: exit %d\n%s", code, out)
	}
	if goldens, _ := filepath.Glob(filepath.Join(f.demo.Dir, "state/goldens/*.zst")); len(goldens) != 1 {
		t.Errorf("the golden was not finished: %v\n%s", goldens, out)
	}
	noneLeft(t)
}

// Nothing of a run that is killed continues, and nothing of one that is stopped by a
// second signal.
func TestNothingIsLeftRunning(t *testing.T) {
	adoptOrphans(t)
	f := newEmptyFarm(t)
	f.define(1)
	f.run("server", "start")
	s := f.start("create", "w0")
	s.until("it makes the golden", func() bool { return s.running("php") })
	must(t, s.cmd.Process.Kill())
	<-s.ended
	noneLeft(t)
	gate := filepath.Join(t.TempDir(), "gate")
	s = f.begin(f.with(event{"w0", "golden", "before", "hold=" + gate}, "create", "w0"))
	s.until("it makes the golden", func() bool {
		_, err := os.Stat(gate + ".held")
		return err == nil
	})
	must(t, os.WriteFile(gate, nil, 0o644))
	s.until("a child runs", func() bool { return s.running("php") })
	must(t, s.cmd.Process.Signal(os.Interrupt))
	s.prints("finishing the work in progress")
	must(t, s.cmd.Process.Signal(syscall.SIGTERM))
	if out, code := s.ends(); code != 130 {
		t.Errorf("exit %d\n%s", code, out)
	}
	noneLeft(t)
	f.run("create", "w0")
}
