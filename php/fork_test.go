package php

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"wikictl/cmd/testbed/needs"
	"wikictl/tenants/process"
)

// nobody is a user that nothing else runs as.
var nobody = process.Owner{UID: 54322, GID: 54322}

// asNobody makes a folder for jobs of that user, with files, and a process beside them
// that must survive.
func asNobody(t *testing.T, files map[string]string) (folder string, bystander *process.Running) {
	t.Helper()
	needs.Root(t, "running PHP as a user without processes")
	folder, err := os.MkdirTemp("", "wkfork")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	for _, dir := range []string{"", "includes", "maintenance"} {
		if err := errors.Join(os.MkdirAll(filepath.Join(folder, dir), 0o755), os.Chmod(filepath.Join(folder, dir), 0o755)); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(folder, "log"), 0o666); err != nil {
		t.Fatal(err)
	}
	bystander, err = process.Start(t.Context(), process.Program{Name: "sleep", Args: []string{"1000"}, Owner: nobody})
	if err != nil {
		t.Fatal(err)
	}
	return folder, bystander
}

// processes sets how many processes the user of a process may have; empty: as many as
// it may have at most.
func processes(t *testing.T, pid int, n string) {
	t.Helper()
	var owner process.Owner // of another's process only that user may set it
	if pid != os.Getpid() {
		owner = nobody
	}
	if n == "" {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", pid))
		if err != nil {
			t.Fatal(err)
		}
		_, line, _ := strings.Cut(string(text), "Max processes")
		n = strings.Fields(line)[1]
	}
	if _, err := process.Run(t.Context(), process.Program{Name: "prlimit", Args: []string{"--pid", strconv.Itoa(pid), "--nproc=" + n + ":"}, Owner: owner}); err != nil {
		t.Fatal(err)
	}
}

// parent waits until a job has printed the id of its parent, the fork server.
func parent(t *testing.T, log string) int {
	t.Helper()
	for range 1000 {
		if pid, err := strconv.Atoi(strings.TrimSpace(wrote(log))); err == nil {
			return pid
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("the job printed %q", wrote(log))
	return 0
}

func survived(t *testing.T, bystander *process.Running) {
	t.Helper()
	select {
	case <-bystander.Ended():
		t.Error("a process of the same user was killed")
	case <-time.After(200 * time.Millisecond):
	}
}

// A fork that fails is its job's failure, at once and with the reason. It kills nobody,
// and the next job runs.
func TestForkFails(t *testing.T) {
	folder, bystander := asNobody(t, map[string]string{"maintenance/script.php": "<?php echo posix_getppid();", "log": ""})
	s, err := Start(t.Context(), Options{Program: needs.Program(t, "php"), Owner: nobody})
	if err != nil {
		t.Fatal(err)
	}
	j := Job{Script: filepath.Join(folder, "maintenance/script.php"), Log: filepath.Join(folder, "log"), Limit: 20 * time.Second}
	if _, err := s.Run(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	server := parent(t, j.Log)
	processes(t, server, "1")
	_, err = s.Run(t.Context(), j)
	var failed *JobError
	if !errors.As(err, &failed) || !strings.HasPrefix(failed.Why, "fork: Resource temporarily unavailable (lower --jobs") {
		t.Errorf("got %v", err)
	}
	processes(t, server, "")
	if r, err := s.Run(t.Context(), j); err != nil {
		t.Errorf("the next job: %+v, %v", r, err)
	}
	processes(t, server, "1")
	if _, err := s.Run(t.Context(), j); err == nil {
		t.Error("the fork did not fail")
	}
	s.Close()
	survived(t, bystander)
}

// Nor does the fork kill anybody that fails when the server tries out the classes that a
// job has used.
func TestForkFailsForClasses(t *testing.T) {
	folder, bystander := asNobody(t, map[string]string{
		"includes/AutoLoader.php": `<?php spl_autoload_register( static function ( $name ) { require __DIR__ . "/$name.php"; } );`,
		"includes/Good.php":       `<?php class Good {}`,
		"maintenance/script.php": `<?php echo posix_getppid();
			require_once __DIR__ . '/../includes/AutoLoader.php';
			class_exists( 'Good' );
			while ( !file_exists( __DIR__ . '/../go' ) ) { clearstatcache(); usleep( 1000 ); }`,
		"log": "",
	})
	s, err := Start(t.Context(), Options{Program: needs.Program(t, "php"), Owner: nobody})
	if err != nil {
		t.Fatal(err)
	}
	j := Job{Script: filepath.Join(folder, "maintenance/script.php"), Log: filepath.Join(folder, "log"), Limit: 20 * time.Second}
	ended := make(chan error, 1)
	go func() { _, err := s.Run(t.Context(), j); ended <- err }()
	processes(t, parent(t, j.Log), "1")
	if err := os.WriteFile(filepath.Join(folder, "go"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if _, err := s.Run(t.Context(), j); err == nil || !strings.Contains(err.Error(), "fork: Resource") {
		t.Errorf("after the trial: %v", err)
	}
	s.Close()
	survived(t, bystander)
}

// The error also tells when no process can be started at all.
func TestPHPIsNotStarted(t *testing.T) {
	folder, _ := asNobody(t, map[string]string{"maintenance/script.php": "<?php", "log": ""})
	if _, err := process.Start(t.Context(), process.Program{Name: "sleep", Args: []string{"1000"}, Owner: nobody}); err != nil {
		t.Fatal(err)
	}
	processes(t, os.Getpid(), "1")
	defer processes(t, os.Getpid(), "")
	_, startErr := Start(t.Context(), Options{Program: needs.Program(t, "php"), Owner: nobody})
	alone := &Server{options: Options{Program: needs.Program(t, "php"), Owner: nobody}}
	_, aloneErr := alone.Run(t.Context(), Job{Script: filepath.Join(folder, "maintenance/script.php"), Log: filepath.Join(folder, "log"), Limit: 20 * time.Second})
	for name, err := range map[string]error{"the fork server": startErr, "a process alone": aloneErr} {
		if !errors.Is(err, syscall.EAGAIN) || !strings.Contains(fmt.Sprint(err), process.NoProcessHint) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReportsWithoutAProcess(t *testing.T) {
	for line, want := range map[string]report{
		`{"id":3,"pid":77}`:              {ID: 3, PID: 77},
		`{"id":3,"pid":-1}`:              {ID: 3, PID: -1, Ended: true, Exit: -1, Why: "fork: the process has the id -1"},
		`{"id":3,"pid":1}`:               {ID: 3, PID: 1, Ended: true, Exit: -1, Why: "fork: the process has the id 1"},
		`{"id":3}`:                       {ID: 3, Ended: true, Exit: -1, Why: "fork: the process has the id 0"},
		`{"id":3,"ended":true,"exit":2}`: {ID: 3, Ended: true, Exit: 2},
		`{"id":3,"ended":true,"exit":-1,"why":"fork: x"}`: {ID: 3, Ended: true, Exit: -1, Why: "fork: x"},
	} {
		if got, err := decodeReport([]byte(line)); err != nil || got != want {
			t.Errorf("%s: %+v, %v", line, got, err)
		}
	}
}

// A job whose log PHP's user can't open says so, and prints nothing among the reports.
func TestLogIsClosed(t *testing.T) {
	folder, bystander := asNobody(t, map[string]string{"log": "", "script.php": "<?php echo '{\"id\":1,\"ended\":true}', \"\\n\"; sleep(1);"})
	defer bystander.End()
	s, err := Start(t.Context(), Options{Program: needs.Program(t, "php"), Owner: nobody})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	shut := filepath.Join(folder, "shut")
	if err := os.Mkdir(shut, 0o700); err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(shut, "log")
	if err := os.WriteFile(log, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	_, err = s.Run(t.Context(), Job{Script: filepath.Join(folder, "script.php"), Log: log})
	if err == nil || !strings.Contains(err.Error(), "open its log: ") || !strings.Contains(err.Error(), "Permission denied") || strings.Contains(err.Error(), "ulimit") {
		t.Error(err)
	}
}
