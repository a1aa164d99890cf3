package main

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// dryRuns returns all command lines that only show a plan.
func dryRuns(out string) [][]string {
	return [][]string{
		{"plan"}, {"apply", "--all", "--dry-run"}, {"apply", "--all", "--prune", "--dry-run"}, {"create", "--all", "--dry-run"},
		{"upgrade", "--all", "--dry-run"}, {"upgrade", "--all", "--out", out}, {"rollback", "--all", "--dry-run"},
		{"render", "--all"}, {"render", "--write", "--all", "--dry-run"}, {"undelete", "--all", "--dry-run"}, {"status"}, {"audit", "--quick"}, {"undelete"},
	}
}

// tree returns mode and checksum, or target, of all files below a folder by path, except those
// that a running server writes.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case os.IsNotExist(err):
			return nil
		case err != nil:
			return err
		case strings.HasPrefix(path, filepath.Join(dir, "servers")) || strings.HasPrefix(path, filepath.Join(dir, "run")):
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		text := []byte{}
		if info.Mode().IsRegular() {
			if text, err = os.ReadFile(path); err != nil {
				return err
			}
		}
		found[path] = fmt.Sprintf("%s %x", info.Mode(), sha256.Sum256(text))
		return nil
	}))
	return found
}

// A command that only reads writes nothing and starts nothing: not where nothing ever
// ran, not where only the server does, and not beside wikis.
func TestDryRunsWriteNothing(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.define(1)
	others := f.others()
	must(t, os.RemoveAll(f.state("")))
	f.same("nothing ever ran", nil, map[string]int{
		"plan": 1, "apply --all --dry-run": 1, "create --all --dry-run": 1, "upgrade --all --dry-run": 2, "rollback --all --dry-run": 2, "status": 2,
	})
	if _, err := os.Lstat(f.state("")); !os.IsNotExist(err) {
		t.Error(err)
	}
	f.run("server", "start")
	f.sql("CREATE USER nobody@localhost IDENTIFIED VIA unix_socket; GRANT SELECT, PROCESS, SHOW DATABASES ON *.* TO nobody@localhost")
	f.same("a server without a ledger", nil, map[string]int{
		"plan": 1, "apply --all --dry-run": 1, "apply --all --prune --dry-run": 1, "create --all --dry-run": 1, "upgrade --all --dry-run": 2,
	})
	f.exits(0, "create", "--all")
	f.want143()
	f.same("wikis", others, map[string]int{
		"plan": 1, "apply --all --dry-run": 1, "create --all --dry-run": 0, "upgrade --all --dry-run": 1, "rollback --all --dry-run": 0, "render --write --all --dry-run": 0,
	})
}

// others puts a wikictl where other users may run it and returns how to run it as one.
func (f *farm) others() func(args ...string) (story string, code int) {
	if os.Geteuid() != 0 {
		return nil
	}
	self, err := os.Executable()
	must(f.t, err)
	program, err := os.ReadFile(self) // others may not enter its folder
	must(f.t, err)
	must(f.t, os.WriteFile(f.demo.Dir+"/wikictl", program, 0o755))
	return func(args ...string) (string, int) {
		out, story, code := f.as("nobody", args...)
		return out + story, code
	}
}

// tells runs wikictl and returns what it printed and its exit code.
func (f *farm) tells(args ...string) (story string, code int) {
	cmd := f.command(args...)
	text, _ := cmd.CombinedOutput()
	return string(text), cmd.ProcessState.ExitCode()
}

// same runs all dry runs, as root and as another user, and wants that nothing is made or
// changed, and the exit codes of some.
func (f *farm) same(where string, other func(args ...string) (string, int), codes map[string]int) {
	f.t.Helper()
	_, stopped := f.private().Pid()
	list := func() []string {
		if stopped != nil {
			return nil
		}
		return f.sql("SHOW DATABASES")
	}
	before, databases := tree(f.t, f.state("")), list()
	runs := []func(...string) (string, int){f.tells}
	if other != nil {
		runs = append(runs, other)
	}
	for who, run := range runs {
		for _, args := range dryRuns(filepath.Join(f.t.TempDir(), "plan.json")) {
			story, code := run(args...)
			want, held := codes[strings.Join(args, " ")]
			if held && who == 0 && code != want || strings.Contains(story, "panic") {
				f.t.Errorf("%s, %v: exit code %d, want %d\n%s", where, args, code, want, story)
			}
			if strings.Contains(story, "only root can make files of") {
				f.t.Errorf("%s, %v: %s", where, args, story)
			}
			after := tree(f.t, f.state(""))
			if diff := cmp.Diff(before, after); diff != "" {
				f.t.Fatalf("%s, %v, run %d, wrote below state:\n%s\n%s", where, args, who, diff, story)
			}
		}
	}
	if _, err := f.private().Pid(); (err != nil) != (stopped != nil) {
		f.t.Errorf("%s: a server was started or stopped: %v", where, err)
	}
	if diff := cmp.Diff(databases, list()); diff != "" {
		f.t.Errorf("%s: databases: %s", where, diff)
	}
}
