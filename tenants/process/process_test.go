package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"wikictl/cmd/testbed/needs"
)

// TestMain is also the program that dies in TestEndsWithWikictl.
func TestMain(m *testing.M) {
	if file := os.Getenv("PROCESS_TEST_PARENT"); file != "" {
		_, err := Run(context.Background(), sh("echo $$ > "+file+".half; mv "+file+".half "+file+"; exec sleep 1000"))
		fmt.Println("the child ended first:", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func sh(script string) Program {
	return Program{Name: "sh", Args: []string{"-c", script}, Env: []string{"PATH=/usr/bin:/bin"}}
}

// read waits until a process has written a number into a file.
func read(t *testing.T, file string) int {
	t.Helper()
	for range 1000 {
		if text, err := os.ReadFile(file); err == nil && strings.HasSuffix(string(text), "\n") {
			pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
			if err != nil {
				t.Fatal(err)
			}
			return pid
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("nothing was written into %s", file)
	return 0
}

// gone reports whether a process ends within ten seconds.
func gone(pid int) bool {
	for range 1000 {
		state, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil || strings.Contains(string(state), ") Z ") {
			return true
		}
		time.Sleep(10 * time.Millisecond)
	}
	return false
}

func TestRun(t *testing.T) {
	t.Setenv("PROCESS_TEST_SECRET", "x")
	dir := t.TempDir()
	three, err := os.Create(filepath.Join(dir, "three"))
	if err != nil {
		t.Fatal(err)
	}
	defer three.Close()
	cases := []struct {
		name   string
		p      Program
		result Result
		err    string // of the error; empty: none
	}{
		{"all is well", sh("echo out; echo err >&2"), Result{Output: "out\nerr"}, ""},
		{"exit", sh("echo 'it  went\nwrong' >&2; exit 9"), Result{Exit: 9, Output: "it  went\nwrong"}, "sh: exit status 9: it went wrong"},
		{"killed", sh("kill -9 $$"), Result{Exit: -1, Signal: 9}, "sh: signal: killed"},
		{"environment", Program{Name: "/usr/bin/env"}, Result{}, ""},
		{"folder", Program{Name: "pwd", Dir: "/usr"}, Result{Output: "/usr"}, ""},
		{"input", Program{Name: "cat", Stdin: strings.NewReader("text")}, Result{Output: "text"}, ""},
		{"no input", Program{Name: "cat"}, Result{}, ""},
		{"files", Program{Name: "sh", Args: []string{"-c", "echo written >&3"}, Files: []*os.File{three}}, Result{}, ""},
		{"missing", Program{Name: "no-such-program"}, Result{Exit: -1}, "no-such-program: exec: \"no-such-program\": executable file not found in $PATH"},
		{"no program", Program{Name: three.Name()}, Result{Exit: -1}, "three: exec: \"" + three.Name() + "\": permission denied"},
		{"of root", Program{Name: "ldconfig", Args: []string{"--version"}, Stdout: three}, Result{}, ""},
		{"its own group", sh(`[ "$(ps -o pgid= -p $$ | tr -d ' ')" = $$ ] || echo no`), Result{}, ""},
		{"its own session", func() Program {
			p := sh(`ps -o sid= -p $$ | grep -qw $$ || echo no; echo said`)
			p.Detached = true
			return p
		}(), Result{Output: "said"}, ""},
	}
	for _, tc := range cases {
		got, err := Run(t.Context(), tc.p)
		got.CPU = 0
		if got != tc.result || (err == nil) != (tc.err == "") || (err != nil && err.Error() != tc.err) {
			t.Errorf("%s: %+v, %v, want %+v, %q", tc.name, got, err, tc.result, tc.err)
		}
	}
	if text, _ := os.ReadFile(three.Name()); !strings.HasPrefix(string(text), "written\nldconfig") {
		t.Errorf("file 3 and standard output are %q", text)
	}
}

func TestRunAsAnother(t *testing.T) {
	needs.Root(t, "running a program as somebody else")
	r, err := Run(t.Context(), Program{Name: "id", Owner: Owner{UID: 12345, GID: 12346}})
	if err != nil || !strings.HasPrefix(r.Output, "uid=12345 gid=12346") {
		t.Errorf("%+v, %v", r, err)
	}
}

// A program and what it started end with the context, gently if they can; and what it
// left behind ends with it, unless that is what it is for.
func TestEndsWholeGroups(t *testing.T) {
	errEnough := errors.New("enough")
	const child = `sh -c 'echo $$ > FILE.half; mv FILE.half FILE; exec sleep 1000' & `
	cases := []struct {
		name, script string
		leaves       bool
		cancelled    bool
		err          error
		output       string
		left         bool
	}{
		{"gently", child + "trap 'echo bye; exit 0' TERM; wait", false, true, errEnough, "bye", false},
		{"gently, a daemon's", child + "wait", true, true, errEnough, "", false},
		{"deaf", "trap '' TERM; " + child + "wait; wait; sleep 1000", false, true, errEnough, "", false},
		{"left behind", child + "while [ ! -e FILE ]; do sleep 0.01; done", false, false, nil, "", false},
		{"daemon", child + "while [ ! -e FILE ]; do sleep 0.01; done", true, false, nil, "", true},
	}
	for _, tc := range cases {
		file := filepath.Join(t.TempDir(), "pid")
		p := sh(strings.ReplaceAll(tc.script, "FILE", file))
		p.Grace, p.Leaves = 300*time.Millisecond, tc.leaves
		ctx, cancel := context.WithCancelCause(t.Context())
		r, err := Start(ctx, p)
		if err != nil {
			t.Fatal(err)
		}
		pid := read(t, file)
		if tc.cancelled {
			cancel(errEnough)
		}
		result, err := r.Wait()
		if !errors.Is(err, tc.err) || result.Output != tc.output {
			t.Errorf("%s: %+v, %v", tc.name, result, err)
		}
		if tc.left {
			if !Runs(pid) {
				t.Errorf("%s: the child is gone", tc.name)
			}
			if err := Signal(pid, syscall.SIGKILL); err != nil {
				t.Error(err)
			}
		}
		if !gone(pid) {
			t.Errorf("%s: the child still runs", tc.name)
		}
		cancel(nil)
	}
}

// A program that does not end by itself holds nothing up: that of a run that is over
// already is not started, and one whose output is held open is not waited for.
func TestWaitsForNothingElse(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("over"))
	if _, err := Run(ctx, sh("exit 3")); err == nil || err.Error() != "over" {
		t.Errorf("got %v", err)
	}
	p := sh("setsid sleep 1000 & echo $!")
	p.Leaves = true
	r, err := Run(t.Context(), p)
	if err != nil {
		t.Error(err)
	}
	pid, _ := strconv.Atoi(r.Output)
	if err := Signal(pid, syscall.SIGKILL); err != nil {
		t.Errorf("it printed %q: %v", r.Output, err)
	}
}

// A program outlives the thread that happened to start it, and dies with wikictl.
func TestEndsWithWikictl(t *testing.T) {
	for range 8 {
		go runtime.LockOSThread() // the thread ends with the goroutine
		if _, err := Run(t.Context(), sh("sleep 0.05")); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(t.TempDir(), "pid")
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), "PROCESS_TEST_PARENT="+file)
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	pid := read(t, file)
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait()
	if !gone(pid) {
		_ = Signal(pid, syscall.SIGKILL)
		t.Error("the child outlived its parent")
	}
}

// Where the kernel refuses a process, the error says what can be done.
func TestNoProcessLeft(t *testing.T) {
	needs.Root(t, "becoming a user without processes")
	const uid = 54321
	owner := Owner{UID: uid, GID: uid}
	for range 2 { // the kernel counts those that are there before
		stay, err := Start(t.Context(), Program{Name: "sleep", Args: []string{"1000"}, Owner: owner})
		if err != nil {
			t.Fatal(err)
		}
		defer SignalGroup(stay.Pid(), syscall.SIGKILL)
	}
	var before unix.Rlimit
	if err := errors.Join(unix.Getrlimit(unix.RLIMIT_NPROC, &before), unix.Setrlimit(unix.RLIMIT_NPROC, &unix.Rlimit{Cur: 1, Max: before.Max})); err != nil {
		t.Fatal(err)
	}
	defer unix.Setrlimit(unix.RLIMIT_NPROC, &before)
	_, err := Run(t.Context(), Program{Name: "true", Owner: owner})
	if !errors.Is(err, syscall.EAGAIN) || !strings.Contains(err.Error(), "TasksMax") {
		t.Errorf("got %v", err)
	}
}

func TestSignalRefuses(t *testing.T) {
	for _, pid := range []int{1, 0, -1, -2, -4711} {
		if err := Signal(pid, 0); !errors.Is(err, errPid) {
			t.Errorf("process %d: %v", pid, err)
		}
		if err := SignalGroup(pid, 0); !errors.Is(err, errPid) {
			t.Errorf("group %d: %v", pid, err)
		}
		if Runs(pid) {
			t.Errorf("process %d runs", pid)
		}
	}
	if !Runs(os.Getpid()) {
		t.Error("this process does not run")
	}
	ended := exec.Command("true")
	if err := ended.Start(); err != nil {
		t.Fatal(err)
	}
	defer ended.Wait()
	for i := 0; Runs(ended.Process.Pid); i++ {
		if i == 1000 {
			t.Fatal("a process that has ended, and is not waited for, runs")
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestOutputIsTheEnd(t *testing.T) {
	var m Tail
	for i := range 5000 {
		fmt.Fprintf(&m, "line %d\n", i)
	}
	if got := m.String(); len(got) > kept || !strings.HasSuffix(got, "line 4999") {
		t.Errorf("%d bytes, …%q", len(got), got[max(0, len(got)-20):])
	}
	path := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(path, []byte("first äé\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for most, want := range map[int]string{100: "first äé", 4: "é", 3: "é", 2: ""} {
		if got := End(path, most); got != want {
			t.Errorf("the last %d bytes: %q, want %q", most, got, want)
		}
	}
	if got := End(path+".gone", 3); got != "" {
		t.Errorf("of no file: %q", got)
	}
}

func TestInherited(t *testing.T) {
	t.Setenv("WIKICTL_MAIN_PASSWORD", "secret-word")
	t.Setenv("WIKICTL_FARM", "/farm")
	env := strings.Join(Inherited(), "\n")
	if strings.Contains(env, "secret-word") || !strings.Contains(env, "WIKICTL_FARM=/farm") {
		t.Errorf("%s", env)
	}
}

// A program that runs as another user has all groups of that user, as php-fpm's workers do.
func TestRunHasTheGroupsOfItsUser(t *testing.T) {
	needs.Root(t, "running a program as another user")
	owner, err := LookupOwner("nobody")
	if err != nil {
		t.Fatal(err)
	}
	if len(owner.Groups) == 0 {
		t.Fatal("nobody has no group")
	}
	owner.Groups = append(owner.Groups, 54321)
	r, err := Run(t.Context(), Program{Name: "id", Args: []string{"-G"}, Owner: owner})
	if err != nil || !strings.Contains(r.Output, "54321") {
		t.Error(r.Output, err)
	}
}

// A program does not get files that wikictl was started with, such as the lock of flock(1).
func TestInheritedFiles(t *testing.T) {
	lock := filepath.Join(t.TempDir(), "lock")
	for _, detached := range []bool{false, true} {
		fd, err := unix.Open(lock, unix.O_CREAT|unix.O_RDWR, 0o600) // as a parent's: not closed on exec
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		p := sh("readlink /proc/self/fd/*; exit 0")
		p.Stdout, p.Detached = &out, detached
		_, err = Run(context.Background(), p)
		if err := errors.Join(err, unix.Close(fd)); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(out.String(), "/") || strings.Contains(out.String(), lock) {
			t.Errorf("detached %v: it has the files\n%s", detached, out.String())
		}
	}
}
