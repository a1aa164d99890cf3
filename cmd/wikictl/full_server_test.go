package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"

	"wikictl/cmd/testbed/needs"
)

// ownDisk moves the private server's data to a file system of its own. It returns the data folder,
// and what leaves a number of bytes or of inodes free there.
func (f *farm) ownDisk(t *testing.T) (data string, leave, leaveFiles func(n int64)) {
	t.Helper()
	needs.Root(t, "mounting a file system")
	data = f.state("servers/main/data")
	must(t, f.private().Stop(t.Context()))
	was := data + ".was"
	must(t, errors.Join(os.Rename(data, was), os.Mkdir(data, 0o700)))
	if err := syscall.Mount("none", data, "tmpfs", 0, "mode=0700"); err != nil {
		must(t, errors.Join(os.Remove(data), os.Rename(was, data)))
		needs.Allowed(t, err, "mounting a file system")
	}
	t.Cleanup(func() {
		f.private().Stop(context.Background())
		syscall.Unmount(data, syscall.MNT_DETACH)
	})
	if out, err := exec.Command("cp", "-a", was+"/.", data).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	must(t, os.RemoveAll(was))
	must(t, f.private().Start(t.Context()))
	remount := func(option string, used func(syscall.Statfs_t) int64) func(int64) {
		return func(n int64) {
			t.Helper()
			var s syscall.Statfs_t
			must(t, syscall.Statfs(data, &s))
			must(t, syscall.Mount("none", data, "tmpfs", syscall.MS_REMOUNT, fmt.Sprint("mode=0700,", option, "=", used(s)+n)))
		}
	}
	return data, remount("size", func(s syscall.Statfs_t) int64 { return int64(s.Blocks-s.Bfree) * s.Bsize }),
		remount("nr_inodes", func(s syscall.Statfs_t) int64 { return int64(s.Files - s.Ffree) })
}

// noRoom upgrades a wiki and brings it back while the server's disk is full: the plan blocks it. If
// the disk is full only later, no database is dropped whose dump would not fit, and the same command
// goes on once there is room.
func (f *farm) noRoom(t *testing.T) {
	data, leave, leaveFiles := f.ownDisk(t)
	pages := func() string { return strings.Join(f.sql("SELECT COUNT(*) FROM wiki_w4.page"), "") }
	had := pages()
	says := []string{"nothing was dropped: loading the dump would need about ", " MB in " + data + "/ beside what is dropped, and ", "make room there"}

	leave(64 << 20)
	f.wants(f.exits(1, "upgrade", "--dry-run", "w4"), "copies of tables and ways back may need ", " MB of the 64 MB that are free in "+data)
	leave(120 << 10)
	blocked := f.fails("upgrade", "w4")
	f.wants(blocked, "blocked", "for copies of its tables and its way back it may need ", " MB in "+data+"/, where 0 MB are left", "make room there")
	f.lacks(f.exits(2, "upgrade", "--dry-run", "w4"), "in about", "read-only for")
	leave(64 << 20)
	out, code := f.held("w4", "update.php", "before", func() { leave(120 << 10) }, "upgrade", "w4")
	if code != 2 {
		t.Errorf("exit %d", code)
	}
	f.wants(out, append(says, "update.php: ", "readers get the maintenance page until wikictl upgrade w4 is run again")...)
	if phase, now := f.phase("w4"), pages(); phase != "changing" || now != had {
		t.Errorf("w4 is left %s, with %s of %s pages", phase, now, had)
	}
	leave(64 << 20)
	f.wants(f.exits(0, "upgrade", "w4"), "put back to MediaWiki 1.39.17, then upgraded to MediaWiki 1.43.9")

	leave(1 << 20)
	dumps := f.dumps("w4")
	out = f.fails("rollback", "--yes", "w4")
	f.wants(out, append(says, "it is open as before")...)
	f.lacks(out, "its content until then")
	if now := f.dumps("w4"); !slices.Equal(now, dumps) {
		t.Errorf("there are the dumps %v, and were %v", now, dumps)
	}
	f.client("w4").edit("Full", "written on 1.43")
	leave(64 << 20)
	f.sql("CREATE TABLE wiki_w4.own1 (id INT); CREATE TABLE wiki_w4.own2 (id INT); CREATE TABLE wiki_w4.own3 (id INT); CREATE TABLE wiki_w4.own4 (id INT)")
	f.run("rollback", "--yes", "w4")
	leave(1 << 20)
	redo := []string{"rollback", "--yes", "--to", f.newest("w4", "undone_by"), "w4"}
	f.wants(f.fails(redo...), says...)
	leave(64 << 20)
	leaveFiles(1) // the four tables take more
	f.wants(f.fails(redo...), "nothing was dropped: loading the dump would need ", " new files in "+data, "inodes for 1 (df -i)", "remove files there")
	leaveFiles(1000)
	f.client("w4").edit("Full", "written on 1.39")
}
