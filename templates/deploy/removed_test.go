package deploy

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"wikictl/tenants"
)

// What is moved to another file system keeps content, links, modes and times, and a
// move that was interrupted is finished without a loss.
func TestCarryToAnotherFileSystem(t *testing.T) {
	other, err := os.MkdirTemp("/dev/shm", "wikictl")
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(other) })
	from := filepath.Join(t.TempDir(), "wiki")
	must(t, os.MkdirAll(filepath.Join(from, "images/a"), 0o750))
	picture, old := filepath.Join(from, "images/a/P.gif"), time.Now().Add(-time.Hour).Truncate(time.Second)
	must(t, os.WriteFile(picture, []byte("GIF"), 0o640))
	must(t, os.Chtimes(picture, old, old))
	must(t, os.Symlink("images/a", filepath.Join(from, "link")))
	if deviceOf(t, from) == deviceOf(t, other) {
		t.Fatal("/dev/shm is the file system of temporary files: nothing is tested")
	}
	to := filepath.Join(other, "wiki")
	must(t, os.MkdirAll(to+".half/images", 0o700)) // a killed run's
	must(t, carry(from, to))
	must(t, carry(from, to))
	info, err := os.Stat(filepath.Join(to, "images/a/P.gif"))
	must(t, err)
	if info.Mode().Perm() != 0o640 || !info.ModTime().Equal(old) || read(t, filepath.Join(to, "link/P.gif")) != "GIF" || Exists(from) || Exists(to+".half") {
		t.Error(info.Mode(), info.ModTime(), Exists(from))
	}
	if folder, _ := os.Stat(filepath.Join(to, "images")); folder.Mode().Perm() != 0o750 {
		t.Error(folder.Mode())
	}
	must(t, os.Rename(to, to+movedEnding)) // killed when the copy was whole
	must(t, os.CopyFS(from+".half", os.DirFS(to+movedEnding)))
	must(t, carry(to, from))
	if Exists(to) || Exists(to+movedEnding) || Exists(from+".half") || read(t, filepath.Join(from, "images/a/P.gif")) != "GIF" {
		t.Error("a move that was killed did not end")
	}
	must(t, carry(from, to))
	must(t, syscall.Mkfifo(filepath.Join(to, "images/fifo"), 0o600))
	if err := carry(to, from); err == nil || !Exists(filepath.Join(to, "images/a/P.gif")) {
		t.Error("a FIFO was moved, or something was lost:", err)
	}
}

func deviceOf(t *testing.T, path string) uint64 {
	t.Helper()
	info, err := os.Stat(path)
	must(t, err)
	return device(info)
}

// A second move of the same thing goes beside the first, never over it.
func TestFree(t *testing.T) {
	path := filepath.Join(t.TempDir(), "wiki")
	if free(path) != path {
		t.Error(free(path))
	}
	must(t, os.Mkdir(path, 0o700))
	if got := free(path); got != path+".2" {
		t.Error(got)
	}
}

// A return from another file system ends wherever it was killed.
func TestBringBackEndsAMove(t *testing.T) {
	from := t.TempDir()
	d, err := New(tenants.Layout{State: t.TempDir()}, tenants.Web{})
	must(t, err)
	for _, whole := range []string{"wiki.half", "wiki"} {
		must(t, os.RemoveAll(d.layout.Wiki("a")))
		must(t, os.MkdirAll(filepath.Join(from, "wiki"+movedEnding), 0o755)) // its copy is whole
		must(t, os.MkdirAll(d.layout.Wiki("a")+strings.TrimPrefix(whole, "wiki"), 0o755))
		must(t, d.BringBack(t.Context(), "a", from))
		if entries, _ := os.ReadDir(from); len(entries) > 0 || !Exists(d.layout.Wiki("a")) || Exists(d.layout.Wiki("a")+".half") {
			t.Errorf("%s: there is still %v", whole, entries)
		}
	}
}
