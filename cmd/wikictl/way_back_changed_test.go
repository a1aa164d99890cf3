package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// rehost gives a wiki another host name in its file.
func (f *farm) rehost(wiki, host string) {
	file := "tenants/" + wiki + ".toml"
	f.write(file, strings.ReplaceAll(f.read(file), wiki+".localhost", host+".localhost"))
}

// halfClient puts a mariadb before the real one in PATH that takes half of a dump and
// fails, as on a server whose disk is full. It returns what ends that.
func (f *farm) halfClient() func() {
	dir, path := f.t.TempDir(), os.Getenv("PATH")
	script := "#!/bin/sh\nhead -c 60000 | PATH=" + path + " mariadb \"$@\"\nexit 1\n"
	must(f.t, os.WriteFile(filepath.Join(dir, "mariadb"), []byte(script), 0o755))
	must(f.t, os.Setenv("PATH", dir+":"+path))
	return func() { must(f.t, os.Setenv("PATH", path)) }
}

// newest is a column of a wiki's newest upgrade.
func (f *farm) newest(wiki, column string) string {
	return f.sql("SELECT " + column + " FROM wikictl.upgrade WHERE tenant = '" + wiki + "' ORDER BY started DESC LIMIT 1")[0]
}

// What changed since an upgrade began or ended does not take the way back, or the way
// on, away: host names, the code of before, the dump that a rollback made.
func TestWaysBackFromChangedFiles(t *testing.T) {
	f := newFarm(t)
	f.define(5)
	code := filepath.Join(f.demo.Dir, "code139")
	must(t, os.Symlink(filepath.Join(os.Getenv("WIKICTL_TEST_CODEBASES"), "1.39"), code))
	f.write("wikictl.toml", strings.Replace(f.read("wikictl.toml"), os.Getenv("WIKICTL_TEST_CODEBASES")+"/1.39", code, 1))
	f.run("create", "--all")
	f.want143()

	t.Run("host names", f.hostNamesChanged)
	t.Run("a release is gone", f.releaseGone)
	t.Run("half of a dump is brought back", f.halfBroughtBack)
	t.Run("code is gone", func(t *testing.T) { f.codeGone(t, code) })
	t.Run("no room", f.noRoom)
}

func (f *farm) hostNamesChanged(t *testing.T) {
	f.struck(event{"w0", "check", "before", "kill"}, "upgrade", "w0")
	f.struck(event{"w1", "probe", "before", "kill"}, "upgrade", "w1")
	for i := range 3 {
		f.rehost(fmt.Sprint("w", i), fmt.Sprint("new", i))
	}
	t.Log(f.run("upgrade", "w0", "w1", "w2"))
	for i := range 3 {
		if got := f.client(fmt.Sprint("new", i)).version(); got != "MediaWiki 1.43.9" {
			t.Errorf("new%d is %s", i, got)
		}
	}
	f.run("rollback", "--yes", "w2")
	if got := f.client("w2").version(); got != "MediaWiki 1.39.17" {
		t.Errorf("w2 is %s by its old name", got)
	}
}

// releaseGone is about what many changes of settings leave of old releases: nothing.
func (f *farm) releaseGone(t *testing.T) {
	gone := filepath.Join(f.demo.Dir, "state/wikis/w2/releases", f.newest("w2", "new_release"))
	must(t, os.RemoveAll(gone))
	out, code := f.struck(event{"w2", "restore", "after", "kill"}, "rollback", "--yes", "--to", f.newest("w2", "undone_by"), "w2")
	if code != -1 {
		t.Fatalf("exit %d: %s", code, out)
	}
	f.run("rollback", "--yes", "w2")
	f.run("rollback", "--yes", "--to", f.newest("w2", "undone_by"), "w2")
	if got := f.client("new2").version(); got != "MediaWiki 1.43.9" {
		t.Errorf("w2 is %s", got)
	}
}

func (f *farm) halfBroughtBack(t *testing.T) {
	f.run("upgrade", "w3")
	f.client("w3").edit("Kept", "for ever")
	f.run("rollback", "--yes", "w3")
	undone := f.newest("w3", "undone_by")
	again := f.halfClient()
	f.refused(2, "state/backups/w3/", "rollback", "--yes", "--backup", "none", "--to", undone, "w3")
	again()
	if phase := f.phase("w3"); phase != "changing" {
		t.Fatalf("w3 is left %q", phase)
	}
	f.refused(2, "wikictl upgrade w3 continues", "rollback", "--yes", "w3")
	f.run("upgrade", "w3")
	if page := f.client("w3").page("Kept"); !strings.Contains(page, "for ever") {
		t.Errorf("w3 has %s", page)
	}
}

func (f *farm) codeGone(t *testing.T, code string) {
	f.run("upgrade", "w4")
	f.client("w4").edit("Kept", "for ever")
	trees := os.Getenv("WIKICTL_TEST_CODEBASES")
	for tree, says := range map[string]string{"/none": "is not a MediaWiki", "/1.43": "has MediaWiki 1.43.9 by now"} {
		must(t, os.Remove(code))
		must(t, os.Symlink(trees+tree, code))
		f.refused(2, says, "rollback", "--yes", "w4")
		if page := f.client("w4").page("Kept"); !strings.Contains(page, "for ever") {
			t.Errorf("w4 has %s", page)
		}
	}
	must(t, os.Remove(code))
	must(t, os.Symlink(trees+"/1.39", code))
	f.run("rollback", "--yes", "w4")
}
