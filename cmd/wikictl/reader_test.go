package main

import (
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// as runs wikictl as another user of the system.
func (f *farm) as(name string, args ...string) (out, story string, code int) {
	f.t.Helper()
	u, err := user.Lookup(name)
	must(f.t, err)
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	cmd := f.command(args...)
	cmd.Path, cmd.Env = f.demo.Dir+"/wikictl", append(os.Environ(), "HOME=/nonexistent")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	cmd.Dir = "/"
	var stderr, stdout strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.Run()
	return stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()
}

// Commands that only read need no root: they say what they could not see.
func TestReadersNeedNoRoot(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Fatal("only root can become another user")
	}
	f := newFarm(t)
	self, err := os.Executable()
	must(t, err)
	program, err := os.ReadFile(self) // others may not enter its folder
	must(t, err)
	must(t, os.WriteFile(f.demo.Dir+"/wikictl", program, 0o755))
	f.define(2)
	f.exits(0, "create", "--all")
	reads := func(code int, words []string, args ...string) {
		t.Helper()
		out, story, got := f.as("nobody", args...)
		if got != code || strings.Contains(story, "only root can make files of") {
			t.Errorf("%v: exit code %d, want %d\n%s%s", args, got, code, out, story)
		}
		f.wants(out+story, words...)
	}
	reads(0, []string{"main  running"}, "server", "status")
	reads(0, []string{`"command": "server status"`, `"state": "running"`}, "--format", "json", "server", "status")
	reads(2, []string{"Access denied for user 'nobody'", "run wikictl as that user"}, "status")
	must(t, os.Chmod(f.state("run"), 0o700))
	reads(2, []string{"main  unknown: ", "permission denied"}, "server", "status")
	must(t, os.Chmod(f.state("run"), 0o755))
	f.sql("CREATE USER nobody@localhost IDENTIFIED VIA unix_socket; GRANT SELECT, PROCESS, SHOW DATABASES ON *.* TO nobody@localhost")
	reads(0, []string{"w0", "ready", "w1", "create"}, "status")
	reads(1, []string{"not seen: the files of 2 wikis, such as w0: ", "permission denied", "plan: no changes in what was seen"}, "plan")
	reads(1, []string{`"unseen"`, "permission denied"}, "--format", "json", "plan")
	reads(1, []string{"not seen: "}, "apply", "--all", "--dry-run")
	reads(1, []string{"not seen: the files of w0: "}, "render", "w0")
	reads(1, []string{"w0", "permission denied"}, "audit", "--quick")
	reads(0, []string{"create: no changes, 2 unchanged"}, "create", "--all", "--dry-run")
	reads(0, []string{"upgrade: no changes, 2 unchanged"}, "upgrade", "--all", "--dry-run")
	reads(2, []string{"it has no upgrade to undo"}, "rollback", "--dry-run", "w0")
	page := filepath.Join(t.TempDir(), "farm.html")
	must(t, os.Chmod(filepath.Dir(page), 0o777))
	must(t, os.Chmod(filepath.Dir(filepath.Dir(page)), 0o755))
	reads(0, nil, "report", "--quick", "--html", page)
	if _, story, code := f.as("nobody", "apply", "--all"); code != 2 || !strings.Contains(story, "only root can make files of") {
		t.Error(code, story)
	}
	f.want143()
	reads(1, []string{"w0", "1.39", "1.43"}, "upgrade", "--all", "--dry-run")
	if out := f.run("server", "status"); !strings.Contains(out, "main  running") {
		t.Error(out)
	}
	f.run("server", "stop")
	reads(0, []string{"main  stopped"}, "server", "status")
	reads(2, []string{"wikictl server start"}, "render", "w0")
	reads(2, []string{"wikictl server start"}, "status")
}
