package php

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"wikictl/cmd/testbed/needs"
)

// servers are the fork server and its stand-in where PHP can't fork.
func servers(t *testing.T, do func(t *testing.T, s *Server)) {
	forking, err := Start(t.Context(), Options{Program: needs.Program(t, "php")})
	if err != nil {
		t.Fatal(err)
	}
	defer forking.Close()
	if forking.stdin == nil {
		t.Fatal("PHP can't fork here")
	}
	t.Run("forked", func(t *testing.T) { do(t, forking) })
	t.Run("alone", func(t *testing.T) { do(t, &Server{options: Options{Program: needs.Program(t, "php")}}) })
}

// A server starts with what its PHP can do, and reports a PHP that does not run.
func TestStartOfOtherPHP(t *testing.T) {
	real := needs.Program(t, "php")
	for name, c := range map[string]struct {
		code  string
		forks bool
		want  string // in the error
	}{
		"prints before PHP": {"echo forks much; exec " + real + ` "$@"`, true, ""},
		"without pcntl":     {"exec " + real + ` -d disable_functions=pcntl_fork "$@"`, false, ""},
		"without posix":     {"exec " + real + ` -d disable_functions=posix_setrlimit "$@"`, false, ""},
		"does not run":      {"echo lacks a library >&2; exit 127", false, "lacks a library"},
		"prints nothing":    {"exit 0", false, "ended"},
	} {
		t.Run(name, func(t *testing.T) {
			program := filepath.Join(t.TempDir(), "php")
			if err := os.WriteFile(program, []byte("#!/bin/sh\n"+c.code+"\n"), 0o755); err != nil {
				t.Fatal(err)
			}
			s, err := Start(t.Context(), Options{Program: program})
			if c.want != "" {
				if err == nil || !strings.HasPrefix(err.Error(), "start "+program+": ") || !strings.Contains(err.Error(), c.want) {
					t.Fatal(err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if forks := s.stdin != nil; forks != c.forks {
				t.Errorf("it forks: %v", forks)
			}
			if r, err := s.Run(t.Context(), job(t, "echo 'done';")); err != nil || r.Tail != "done" {
				t.Errorf("%+v, %v", r, err)
			}
		})
	}
}

// job writes a script and its log.
func job(t *testing.T, code string, args ...string) Job {
	t.Helper()
	dir := t.TempDir()
	j := Job{Script: filepath.Join(dir, "script.php"), Args: args, Config: "/c/LocalSettings.php", Log: filepath.Join(dir, "log"), Limit: 20 * time.Second}
	for name, text := range map[string]string{j.Script: "<?php " + code, j.Log: ""} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return j
}

func TestRunIsLikeAShell(t *testing.T) {
	servers(t, func(t *testing.T, s *Server) {
		j := job(t, `echo getenv('MW_CONFIG_FILE'), '|', implode(',', array_slice($argv, 1)), '|', $argc, '|', getcwd() === __DIR__ ? 'here' : getcwd(), "\n"; fwrite(STDERR, "err\n"); fwrite(STDOUT, "out\n");`, "--a", "b c")
		r, err := s.Run(t.Context(), j)
		if err != nil || r.Exit != 0 || r.CPU == 0 {
			t.Fatalf("%+v, %v", r, err)
		}
		if want := "/c/LocalSettings.php|--a,b c|3|here | err | out"; r.Tail != want {
			t.Errorf("got %q, want %q", r.Tail, want)
		}
	})
}

// Arguments are bytes, and a job begins in the folder that it names.
func TestRunFlags(t *testing.T) {
	servers(t, func(t *testing.T, s *Server) {
		j := job(t, `echo bin2hex($argv[1]), '|', $argv[2], '|', getcwd();`, "\xff\x00'", "")
		j.Dir = t.TempDir()
		if r, err := s.Run(t.Context(), j); err != nil || r.Tail != "ff0027||"+j.Dir {
			t.Errorf("%+v, %v, want the folder %s", r, err, j.Dir)
		}
		j.Dir += "/gone"
		if r, err := s.Run(t.Context(), j); err != nil || r.Tail != "ff0027||"+r.Tail[8:] || strings.Contains(r.Tail, "gone") {
			t.Errorf("%+v, %v", r, err)
		}
	})
}

// Jobs that take all memory that they can get, whatever limit of PHP's own they set, stay
// within their bounds, also many at once.
func TestRunBoundsMemory(t *testing.T) {
	forking, err := Start(t.Context(), Options{Program: needs.Program(t, "php")})
	if err != nil {
		t.Fatal(err)
	}
	defer forking.Close()
	const most, jobs = 64, 24 // MiB of each
	failed := make(chan error, jobs)
	for range jobs {
		j := job(t, `ini_set('memory_limit', -1); for ($all = []; ; fwrite(STDOUT, count($all) . "\n")) { $all[] = str_repeat('x', 1 << 20); }`)
		j.Memory = most << 20
		go func() {
			_, err := forking.Run(t.Context(), j)
			var end *JobError
			text, readErr := os.ReadFile(j.Log)
			lines := strings.Fields(strings.Split(string(text), "PHP Fatal")[0])
			last := 0
			for _, line := range lines {
				if n, err := strconv.Atoi(line); err == nil {
					last = n
				}
			}
			switch {
			case !errors.As(err, &end) || readErr != nil:
				failed <- fmt.Errorf("it ended by %v, %v", err, readErr)
			case last < most/2 || last > most:
				failed <- fmt.Errorf("it got %d MiB, want at most %d: %s", last, most, end)
			default:
				failed <- nil
			}
		}()
	}
	for range jobs {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
}

func TestRunFailures(t *testing.T) {
	cases := []struct{ name, code, want string }{
		{"exit", "echo 'bye'; exit(3);", "exit 3: bye"},
		{"fatal error", "nothing();", "exit 255: "},
		{"killed", "posix_kill(getmypid(), SIGKILL);", "killed by signal 9"},
		{"exit in a shutdown function", "register_shutdown_function(fn() => exit(4));", "exit 4"},
		{"fatal error in a shutdown function", "register_shutdown_function(fn() => nothing());", "exit 255: "},
		{"fatal error in a destructor", "class D { function __destruct() { nothing(); } } $d = new D;", "exit 255: "},
		{"exit without output", "exit(5);", "exit 5, and it printed nothing (see "},
		{"hidden fatal error", "echo 'before'; ini_set('display_errors', 0); nothing();", "Uncaught Error: Call to undefined function nothing()"},
		{"hidden error of memory", "ini_set('display_errors', 0); ini_set('memory_limit', '8M'); str_repeat('x', 1 << 27);", "Allowed memory size of "},
		{"fatal error in output", "ob_start(function() { nothing(); });", "exit 255: "},
	}
	servers(t, func(t *testing.T, s *Server) {
		for _, tc := range cases {
			_, err := s.Run(t.Context(), job(t, tc.code))
			var failed *JobError
			if !errors.As(err, &failed) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%s: got %v", tc.name, err)
			}
		}
	})
}

// TestRunEnds checks that the work that PHP does after a script is not lost.
func TestRunEnds(t *testing.T) {
	const code = `
class Last { public $next; function __construct(public $name) {} function __destruct() { echo $this->name, "\n"; } }
$global = new Last('global');
$a = new Last('cycle'); $a->next = new Last('of two'); $a->next->next = $a; unset($a);
class Holder { static $kept; } Holder::$kept = new Last('static');
register_shutdown_function(function() {
	echo "shutdown\n";
	register_shutdown_function(function() { echo "shutdown of shutdown\n"; });
});
ob_start(fn($text) => "buffered $text");
echo "text\n";`
	servers(t, func(t *testing.T, s *Server) {
		j := job(t, code)
		if r, err := s.Run(t.Context(), j); err != nil || r.Exit != 0 {
			t.Fatalf("%+v, %v", r, err)
		}
		if got, want := wrote(j.Log), "buffered text\nshutdown\nshutdown of shutdown\nglobal\ncycle\nof two\nstatic\n"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func TestRunHangs(t *testing.T) {
	servers(t, func(t *testing.T, s *Server) {
		j := job(t, "echo getmypid(); sleep(1000);")
		j.Limit = 3 * time.Second
		_, err := s.Run(t.Context(), j)
		if err == nil || !strings.Contains(err.Error(), "did not end within 3s") {
			t.Fatalf("got %v", err)
		}
		gone(t, j.Log)
	})
}

func TestRunCancelled(t *testing.T) {
	servers(t, func(t *testing.T, s *Server) {
		ctx, cancel := context.WithCancel(t.Context())
		j := job(t, "echo getmypid(); sleep(1000);")
		go func() {
			for wrote(j.Log) == "" {
				time.Sleep(10 * time.Millisecond)
			}
			cancel()
		}()
		if _, err := s.Run(ctx, j); !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v", err)
		}
		gone(t, j.Log)
	})
}

func TestRunPrintsTooMuch(t *testing.T) {
	servers(t, func(t *testing.T, s *Server) {
		j := job(t, "echo getmypid(), ' '; while (true) { echo str_repeat('x', 100000); usleep(1000); }")
		j.Output = 1 << 20
		_, err := s.Run(t.Context(), j)
		if err == nil || !strings.Contains(err.Error(), "printed more than 1048576 bytes") {
			t.Fatalf("got %.300v", err)
		}
		gone(t, j.Log)
	})
}

// A file may be larger than what a job prints, up to a bound of its own.
func TestRunWritesLargeFile(t *testing.T) {
	s, err := Start(t.Context(), Options{Program: needs.Program(t, "php"), FileSize: 100 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	write := "$f = fopen($argv[1], 'w'); for ($i = 0; $i < $argv[2]; $i++) { fwrite($f, str_repeat('x', 1 << 20)); } echo 'written';"
	file := filepath.Join(t.TempDir(), "dump")
	if r, err := s.Run(t.Context(), job(t, write, file, "70")); err != nil || r.Tail != "written" {
		t.Errorf("70 MiB: %q, %v", r.Tail, err)
	}
	_, err = s.Run(t.Context(), job(t, write, file, "101"))
	if err == nil || !strings.Contains(err.Error(), "wrote more than 104857600 bytes into one file (file_size") {
		t.Errorf("101 MiB: %.300v", err)
	}
}

// The bounds of memory reach PHP.
func TestRunHasItsBounds(t *testing.T) {
	s, err := Start(t.Context(), Options{Program: needs.Program(t, "php"), Memory: 300 << 20, Opcache: 100 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	r, err := s.Run(t.Context(), job(t, "echo ini_get('memory_limit'), ' ', ini_get('opcache.memory_consumption');"))
	if err != nil || r.Tail != "314572800 100" {
		t.Errorf("%q, %v", r.Tail, err)
	}
}

func TestManyAtOnce(t *testing.T) {
	servers(t, func(t *testing.T, s *Server) {
		var wait sync.WaitGroup
		for i := range 16 {
			wait.Go(func() {
				j := job(t, "usleep(1000); echo $argv[1];", strconv.Itoa(i))
				if r, err := s.Run(t.Context(), j); err != nil || r.Tail != strconv.Itoa(i) {
					t.Errorf("job %d: %q, %v", i, r.Tail, err)
				}
			})
		}
		wait.Wait()
	})
}

// When the fork server is killed its children die and their jobs fail.
func TestServerKilled(t *testing.T) {
	s, err := Start(t.Context(), Options{Program: needs.Program(t, "php")})
	if err != nil {
		t.Fatal(err)
	}
	j := job(t, "echo getmypid(), ' ', posix_getppid(), ' '; sleep(1000);")
	go func() {
		for len(strings.Fields(wrote(j.Log))) < 2 {
			time.Sleep(10 * time.Millisecond)
		}
		server, _ := strconv.Atoi(strings.Fields(wrote(j.Log))[1])
		syscall.Kill(server, syscall.SIGKILL)
	}()
	if _, err := s.Run(t.Context(), j); err == nil || !strings.Contains(err.Error(), "the fork server ended") {
		t.Fatalf("got %v", err)
	}
	gone(t, j.Log)
	if _, err := s.Run(t.Context(), j); err == nil {
		t.Error("a job ran on a dead server")
	}
}

// No argument of a job is on a command line or in the environment of a process.
func TestArgumentsAreSecret(t *testing.T) {
	servers(t, func(t *testing.T, s *Server) {
		j := job(t, `foreach (glob('/proc/*/{cmdline,environ}', GLOB_BRACE) as $f) { if (str_contains((string)@file_get_contents($f), 'sec'.'ret-word')) { echo "$f "; } } echo 'looked';`, "--pass=secret-word")
		if r, err := s.Run(t.Context(), j); err != nil || r.Tail != "looked" {
			t.Errorf("%q, %v", r.Tail, err)
		}
	})
}

// A script may print the passwords that it was given; the error hides them. Half of a password at
// the limit of an error's length is one, too.
func TestPrintedSecretsAreHidden(t *testing.T) {
	servers(t, func(t *testing.T, s *Server) {
		j := job(t, `$w = require getenv('WIKICTL_SETTINGS'); echo substr($argv[1], 7), ' ', getenv('WIKICTL_DB_PASSWORD'), ' ', $w, str_repeat('.', 975); exit(1);`, "--pass=argument-word")
		j.Config = filepath.Join(t.TempDir(), "LocalSettings.php")
		if err := os.WriteFile(j.Config, []byte("<?php\n$wgSecretKey = 'settings-word';\nreturn $wgSecretKey;\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := s.Run(t.Context(), j.AsAdmin(j.Config, "user", "environment-word"))
		if err == nil || strings.Contains(err.Error(), "word") || !strings.Contains(err.Error(), "[secret]....") {
			t.Errorf("got %.200v", err)
		}
		if printed := wrote(j.Log); !strings.HasPrefix(printed, "argument-word environment-word settings-word...") {
			t.Errorf("the script printed %.200q", printed)
		}
	})
}

func wrote(path string) string {
	data, _ := os.ReadFile(path)
	return string(data)
}

// gone waits until the process whose id begins the log is no more.
func gone(t *testing.T, log string) {
	t.Helper()
	pid, err := strconv.Atoi(strings.Fields(wrote(log))[0])
	if err != nil {
		t.Fatal(err)
	}
	for range 500 {
		state, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		if err != nil || strings.Contains(string(state), ") Z ") {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("process %d still runs", pid)
}

func TestLint(t *testing.T) {
	good, bad := filepath.Join(t.TempDir(), "good.php"), filepath.Join(t.TempDir(), "bad.php")
	for name, text := range map[string]string{good: "<?php $a = [ 1 ];", bad: "<?php\n$a = [ 1 ;"} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := Lint(t.Context(), needs.Program(t, "php"), []Source{{Path: good}, {Path: good, Text: []byte("<?php echo 1;")}}); err != nil {
		t.Error(err)
	}
	err := Lint(t.Context(), needs.Program(t, "php"), []Source{{Path: good}, {Path: bad}, {Path: "sent.php", Text: []byte("<?php if")}, {Path: filepath.Join(t.TempDir(), "missing.php")}, {Path: "empty.php", Text: []byte{}}})
	if err == nil {
		t.Fatal("no error")
	}
	for text, want := range map[string]bool{bad + ":2: ": true, "sent.php:1: ": true, "missing.php": true, good + ":": false, "empty.php": false} {
		if strings.Contains(err.Error(), text) != want {
			t.Errorf("%q is in it: %v: %v", text, !want, err)
		}
	}
}
