// Package needs skips a test where something that it needs is missing, and says so.
// Under CI, where CI is set in the environment, the test fails instead: a run that
// skipped the real servers must not look like one that passed. It knows nothing of
// wikictl.
package needs

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// how says how to get everything that tests need.
const how = "run the tests by go run ./cmd/testbed go test ./..."

// Codebases returns the folder that holds the MediaWiki trees 1.39 and 1.43.
func Codebases(tb testing.TB) string {
	tb.Helper()
	dir := os.Getenv("WIKICTL_TEST_CODEBASES")
	That(tb, dir != "", "WIKICTL_TEST_CODEBASES, the folder of the MediaWiki trees, is not set")
	return dir
}

// Program returns the path of the first of some programs that is installed, in PATH or
// where Debian has those of the administrator.
func Program(tb testing.TB, names ...string) string {
	tb.Helper()
	path := find(names)
	That(tb, path != "", strings.Join(names, " or ")+" is missing")
	return path
}

// find returns the path of the first program that is installed, or nothing.
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

// Root skips a test that only root can do, such as "giving files away".
func Root(tb testing.TB, act string) {
	tb.Helper()
	That(tb, os.Geteuid() == 0, act+" needs root")
}

// That skips a test unless what it needs is met, and otherwise says what is missing.
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

// Allowed skips a test that the kernel or a container refuses something, such as making
// a device. It skips under CI, too: no installation changes that.
func Allowed(tb testing.TB, err error, act string) {
	tb.Helper()
	if err != nil {
		tb.Skipf("SKIPPED: %s is refused here: %s", act, err)
	}
}

// Lacks reports whether none of some programs is installed, for a TestMain, and the exit
// code that it then ends with.
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
