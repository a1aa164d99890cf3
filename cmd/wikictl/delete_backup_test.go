package main

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"
)

// A deletion whose backup fails says why, and recommends --no-backup only where that helps.
func TestDeleteSaysWhyItsBackupFailed(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.define(1)
	f.exits(0, "create", "--all")
	out, code := f.struck(event{"w0", "dump", "before", "fail"}, "delete", "w0", "--yes")
	if code != 2 {
		t.Fatal(code, out)
	}
	f.wants(out, "nothing was deleted, because w0 could not be backed up", "planted by a test", "--no-backup")
	out, code = f.held("w0", "dump", "before", func() { f.run("server", "stop") }, "delete", "w0", "--yes")
	if code == 0 || strings.Contains(out, "--no-backup") {
		t.Fatal(code, out)
	}
	f.wants(out, "nothing was deleted")
	f.wants(f.fails("undelete", "w0"), "nothing of w0 was removed") // and no server is started for that
	if _, err := os.Lstat(f.private().Socket); !errors.Is(err, fs.ErrNotExist) {
		t.Error("undelete started the server:", err)
	}
	f.run("server", "start")
	f.hasStatus("w0.localhost", "200 ")
	changedMeanwhile(f)
	returnsOnly(f)
}

// returnsOnly kills undelete once the wiki is defined again: no other wiki is made in its place.
func returnsOnly(f *farm) {
	f.exits(0, "delete", "w0", "--yes", "--no-backup")
	if out, code := f.struck(event{"w0", "lock", "before", "kill"}, "undelete", "w0"); code != -1 {
		f.t.Fatal(code, out)
	}
	f.read("tenants/w0.toml")
	for _, command := range []string{"create", "apply", "plan"} {
		out, story, _ := f.result(command, "w0")
		f.wants(out+story, "it is being brought back, or that was interrupted: wikictl undelete w0 finishes it")
	}
	out, code := f.struck(event{"w0", "ledger", "before", "fail"}, "undelete", "w0")
	if code != 2 {
		f.t.Error(code)
	}
	f.wants(out, "ledger: planted by a test (wikictl undelete w0 continues)")
	f.exits(0, "undelete", "w0")
	f.hasStatus("w0.localhost", "200 ")
	f.exits(0, "plan", "w0")
}

// changedMeanwhile gives the file of a wiki that is being deleted to another wiki: it stays.
func changedMeanwhile(f *farm) {
	other := strings.ReplaceAll(f.read("tenants/w0.toml"), "w0", "w1")
	out, code := f.held("w0", "dump", "before", func() { f.write("tenants/w0.toml", other) }, "delete", "w0", "--yes")
	if code != 2 {
		f.t.Error(code, out)
	}
	if f.read("tenants/w0.toml") != other {
		f.t.Error("the file of another wiki was removed")
	}
	must(f.t, os.Rename(f.demo.Dir+"/tenants/w0.toml", f.demo.Dir+"/tenants/w1.toml"))
	f.exits(0, "undelete", "w0")
	f.hasStatus("w0.localhost", "200 ")
}
