package deploy

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
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
	if device(t, from) == device(t, other) {
		t.Fatal("/dev/shm is the file system of temporary files: nothing is tested")
	}
	to := filepath.Join(other, "wiki")
	must(t, os.MkdirAll(to+".half/images", 0o700)) // a killed run's
	must(t, carry(from, to))
	must(t, carry(from, to))
	info, err := os.Stat(filepath.Join(to, "images/a/P.gif"))
	must(t, err)
	if info.Mode().Perm() != 0o640 || !info.ModTime().Equal(old) || read(t, filepath.Join(to, "link/P.gif")) != "GIF" || exists(from) || exists(to+".half") {
		t.Error(info.Mode(), info.ModTime(), exists(from))
	}
	if folder, _ := os.Stat(filepath.Join(to, "images")); folder.Mode().Perm() != 0o750 {
		t.Error(folder.Mode())
	}
	must(t, syscall.Mkfifo(filepath.Join(to, "images/fifo"), 0o600))
	if err := carry(to, from); err == nil || !exists(filepath.Join(to, "images/a/P.gif")) {
		t.Error("a FIFO was moved, or something was lost:", err)
	}
}

func device(t *testing.T, path string) uint64 {
	t.Helper()
	info, err := os.Stat(path)
	must(t, err)
	return uint64(info.Sys().(*syscall.Stat_t).Dev)
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
