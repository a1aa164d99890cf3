package deploy

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A path that may not be inspected counts as existing, and a dangling link exists.
func TestExists(t *testing.T) {
	dir := t.TempDir()
	file, loop, dangling := filepath.Join(dir, "file"), filepath.Join(dir, "loop"), filepath.Join(dir, "dangling")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for link, to := range map[string]string{loop: "loop", dangling: "nowhere"} {
		if err := os.Symlink(to, link); err != nil {
			t.Fatal(err)
		}
	}
	closed := filepath.Join(dir, "closed")
	if err := os.Mkdir(closed, 0o000); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{
		file: true, dir: true, dangling: true,
		filepath.Join(dir, "none"):                   false,
		filepath.Join(dir, "none", "below"):          false,
		filepath.Join(file, "below"):                 false,
		filepath.Join(loop, "below"):                 true, // ELOOP
		filepath.Join(dir, strings.Repeat("x", 300)): true, // ENAMETOOLONG
	} {
		if Exists(path) != want {
			t.Errorf("Exists(%q) is %t", path, !want)
		}
	}
	if os.Geteuid() == 0 { // root may inspect every path
		return
	}
	if _, err := os.Lstat(filepath.Join(closed, "x")); err.(*os.PathError).Err != syscall.EACCES {
		t.Fatal(err)
	}
	if !Exists(filepath.Join(closed, "x")) {
		t.Error("a path that may not be inspected counts as missing")
	}
}
