package definitions

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"wikictl/tenants"
	"wikictl/tenants/disk"
)

// irregular makes one of each kind of file that is not to be read, and a link to it.
func irregular(t *testing.T, dir string) map[string]string {
	t.Helper()
	made := map[string]string{"FIFO": filepath.Join(dir, "fifo"), "folder": filepath.Join(dir, "folder"), "device": "/dev/zero", "socket": filepath.Join(dir, "s")}
	if err := errors.Join(syscall.Mkfifo(made["FIFO"], 0o600), os.Mkdir(made["folder"], 0o700)); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", made["socket"])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return made
}

// in10s fails the test when something waits for ever.
func in10s(t *testing.T, do func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); do() }()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("it waits for ever")
	}
}

// A definition that is no regular file is reported with its place, and no read waits for it.
func TestOnlyRegularFilesAreRead(t *testing.T) {
	for kind, path := range irregular(t, t.TempDir()) {
		t.Run(kind, func(t *testing.T) {
			files := good()
			dir := writeFarm(t, files)
			if err := os.Symlink(path, filepath.Join(dir, "tenants/odd.toml")); err != nil {
				t.Fatal(err)
			}
			in10s(t, func() {
				_, err := Load(dir)
				if err == nil || !strings.HasPrefix(err.Error(), "tenants/odd.toml: is ") {
					t.Errorf("it says %v", err)
				}
				if _, err := disk.Read(path); err == nil || !strings.Contains(err.Error(), path) {
					t.Errorf("ReadFile says %v", err)
				}
			})
		})
	}
	dir := writeFarm(t, good())
	if err := os.Rename(dir+"/tenants/good.toml", dir+"/elsewhere"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../elsewhere", dir+"/tenants/good.toml"); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(dir); err != nil {
		t.Errorf("a link to a regular file: %v", err)
	}
}

// processorTime is what this process has used of processors, which other programs on a
// busy machine do not change.
func processorTime(t *testing.T) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// Places are found in time that grows with the text, however long a line is.
func TestLongLinesAreLinear(t *testing.T) {
	parse := func(n int) time.Duration {
		text := []byte("a = [" + strings.Repeat("1,", n) + "]\nb = [\n2]\n")
		least := time.Hour
		for range 3 {
			start := processorTime(t)
			root, problems := parseDocument("x", text)
			least = min(least, processorTime(t)-start)
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			list := root["a"].Data.([]tenants.Value)
			if at := list[n-1].Position; at.Line != 1 || at.Column != 6+2*(n-1) {
				t.Fatalf("the last of %d is at %s", n, at)
			}
			if at := root["b"].Data.([]tenants.Value)[0].Position; at.Line != 3 || at.Column != 1 {
				t.Fatalf("after it: %s", at)
			}
		}
		return least
	}
	// 64 times the text; what looks at each line from its start takes 4,096 times as long.
	if few, many := parse(5_000), parse(320_000); many > 1000*few {
		t.Errorf("64 times the text took %.0f times as long", float64(many)/float64(few))
	}
}
