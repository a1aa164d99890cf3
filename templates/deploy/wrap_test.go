package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"wikictl/cmd/testbed/needs"
	"wikictl/tenants"
)

// Entry points of old code get the settings that the web server names, by a folder that
// follows the tree, and that several runs may make at once.
func TestWrap(t *testing.T) {
	program := needs.PHP(t)
	base := t.TempDir()
	tree := filepath.Join(base, "it's old")
	for name, text := range map[string]string{
		"index.php": "<?php echo MW_CONFIG_FILE, ' ', basename( __DIR__ ), ' ', error_reporting() & E_DEPRECATED, ' ', ini_get( 'x' );",
		"own.php":   "<?php", "includes/Defines.php": "<?php",
	} {
		path := filepath.Join(tree, name)
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		must(t, os.WriteFile(path, []byte(text), 0o644))
	}
	core := filepath.Join(base, "state", "wrapped", "old")
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			if err := wrap(core, tree); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	asks := func(want string) {
		t.Helper()
		cmd := exec.Command(program, "-d", "error_reporting=32767", filepath.Join(core, "index.php"))
		cmd.Env = append(os.Environ(), "MW_CONFIG_FILE=/settings of one.php")
		out, err := cmd.CombinedOutput()
		if err != nil || strings.TrimSpace(string(out)) != want {
			t.Errorf("%v: %s, want %s", err, out, want)
		}
	}
	asks("/settings of one.php it's old 0")
	for name, want := range map[string]string{"own.php": filepath.Join(tree, "own.php"), "includes": filepath.Join(tree, "includes")} {
		if got, err := os.Readlink(filepath.Join(core, name)); got != want {
			t.Errorf("%s leads to %q, want %q: %v", name, got, want, err)
		}
	}
	moved := filepath.Join(base, "moved")
	must(t, os.Rename(tree, moved))
	must(t, wrap(core, moved))
	asks("/settings of one.php moved 0")
	if left, err := os.ReadDir(filepath.Dir(core)); err != nil || len(left) != 1 {
		t.Errorf("beside it are left %v: %v", left, err)
	}
}

// A codebase that was moved is linked to from another folder, so that releases follow it.
func TestWrappedCore(t *testing.T) {
	l := tenants.Layout{State: "/state"}
	here, other := l.Core(&tenants.Codebase{Name: "a/b", Path: "/x", Wrapped: true}), l.Core(&tenants.Codebase{Name: "a/b", Path: "/y", Wrapped: true})
	if filepath.Dir(here) != "/state/wrapped" || here == other || l.Core(&tenants.Codebase{Path: "/x"}) != "/x" {
		t.Error(here, other)
	}
}
