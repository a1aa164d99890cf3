// Package needs skips a test with a message if a requirement is missing. With CI set in
// the environment the test fails instead: a run that skipped the real servers must not
// look like one that passed. It also makes the files that tests begin with. It knows nothing
// of wikictl.
package needs

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// how tells how to get all requirements of the tests.
const how = "run the tests by go run ./cmd/testbed go test ./..."

// Codebases returns the folder of the MediaWiki trees 1.39 and 1.43.
func Codebases(tb testing.TB) string {
	tb.Helper()
	dir := os.Getenv("WIKICTL_TEST_CODEBASES")
	That(tb, dir != "", "WIKICTL_TEST_CODEBASES, the folder of the MediaWiki trees, is not set")
	return dir
}

// Program returns the path of the first installed program, in PATH or in Debian's folders
// for root.
func Program(tb testing.TB, names ...string) string {
	tb.Helper()
	path := find(names)
	That(tb, path != "", strings.Join(names, " or ")+" is missing")
	return path
}

// PHP returns the path of PHP's command line program, by the name that has its version.
func PHP(tb testing.TB) string {
	tb.Helper()
	return Program(tb, "php8.2", "php8.3", "php8.4")
}

// FPM returns the path of php-fpm of the same version.
func FPM(tb testing.TB) string {
	tb.Helper()
	return Program(tb, "php-fpm"+strings.TrimPrefix(filepath.Base(PHP(tb)), "php"))
}

// find returns the path of the first installed program, or "".
func find(names []string) string {
	for _, name := range names {
		for _, place := range []string{name, filepath.Join("/usr/sbin", name)} {
			if path, err := exec.LookPath(place); err == nil {
				return path
			}
		}
	}
	return ""
}

// Root skips a test that requires root, such as for "giving files away".
func Root(tb testing.TB, act string) {
	tb.Helper()
	That(tb, os.Geteuid() == 0, act+" needs root")
}

// That skips a test unless a requirement is met; missing describes it.
func That(tb testing.TB, met bool, missing string) {
	tb.Helper()
	switch {
	case met:
	case underCI():
		tb.Fatalf("%s; %s", missing, how)
	default:
		tb.Skipf("SKIPPED: %s; %s", missing, how)
	}
}

// Allowed skips a test if the kernel or a container refuses an act, such as making a
// device, even under CI: no installation changes that.
func Allowed(tb testing.TB, err error, act string) {
	tb.Helper()
	if err != nil {
		tb.Skipf("SKIPPED: %s is refused here: %s", act, err)
	}
}

// Folder makes a folder that all users may enter and that is removed after the test. Its
// path is short, as the paths of sockets below it are limited (108 bytes, unix(7)).
func Folder(tb testing.TB) string {
	tb.Helper()
	dir, err := os.MkdirTemp(Parent(), "wk")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		tb.Fatal(err)
	}
	return dir
}

// Parent returns the folder for the folders of tests: /dev/shm, which is in memory, if it
// has room for several servers and may hold programs; otherwise /tmp. A new
// server syncs much to a disk, and no test needs what it wrote after the machine stops.
func Parent() string {
	const memory, room, noexec = "/dev/shm", 8 << 30, 0x8 // ST_NOEXEC of statvfs(3)
	var s syscall.Statfs_t
	if err := syscall.Statfs(memory, &s); err != nil || s.Flags&noexec != 0 || int64(s.Bavail)*s.Bsize < room {
		return "/tmp"
	}
	return memory
}

// Lacks reports whether none of some programs is installed, and returns the exit code for
// a TestMain.
func Lacks(names ...string) (code int, lacks bool) {
	if find(names) != "" {
		return 0, false
	}
	fmt.Printf("SKIPPED: %s is missing; %s\n", strings.Join(names, " or "), how)
	if underCI() {
		return 1, true
	}
	return 0, true
}

func underCI() bool { return os.Getenv("CI") != "" }

// Soak skips a test that only testbed soak runs, unless it is asked for.
func Soak(tb testing.TB, asked bool, name string) {
	tb.Helper()
	if !asked {
		tb.Skipf("SKIPPED: it takes long, and more than the tests install; run it by go run ./cmd/testbed soak %s", name)
	}
}
