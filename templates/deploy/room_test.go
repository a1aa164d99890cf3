package deploy

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"wikictl/cmd/testbed/needs"
	"wikictl/tenants"
)

// Room tells before anything moves what a move would come to.
func TestRoom(t *testing.T) {
	other, err := os.MkdirTemp("/dev/shm", "wikictl")
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(other) })
	d, err := New(tenants.Layout{State: t.TempDir()}, tenants.Web{})
	must(t, err)
	images := d.layout.Images("a")
	must(t, os.MkdirAll(images, 0o755))
	must(t, os.WriteFile(filepath.Join(images, "large"), nil, 0o644))
	must(t, os.Truncate(filepath.Join(images, "large"), 1<<42)) // a hole: it takes no space here
	wants := func(dump, taken int64, says string) {
		t.Helper()
		if _, err := d.Room("a", dump, taken); (err == nil) != (says == "") || says != "" && !strings.Contains(err.Error(), says) {
			t.Errorf("%d, %d: %v, want %q", dump, taken, err, says)
		}
	}
	wants(1<<20, 0, "") // it is renamed
	wants(1<<50, 0, "make room there")
	wants(1<<20, 1<<50, "make room there")
	removed := d.layout.Removed()
	must(t, os.Symlink(other, removed))
	if deviceOf(t, removed) == deviceOf(t, images) {
		t.Fatal("/dev/shm is the file system of temporary files: nothing is tested")
	}
	wants(0, 0, "make room there")
	must(t, os.Truncate(filepath.Join(images, "large"), 1<<20))
	wants(0, 0, "")
	t.Run("inodes", func(t *testing.T) {
		needs.Root(t, "mounting a file system")
		needs.Allowed(t, syscall.Mount("none", other, "tmpfs", 0, "nr_inodes=6"), "mounting a file system")
		defer syscall.Unmount(other, syscall.MNT_DETACH)
		wants(0, 0, "it needs about 11 new files in "+removed+", whose file system has inodes for 5 (df -i): remove files there")
	})
	must(t, syscall.Mkfifo(filepath.Join(images, "fifo"), 0o600))
	wants(0, 0, "fifo is neither a file, a folder nor a link")
	must(t, os.Remove(removed))
	wants(0, 0, "") // a FIFO can be renamed
	must(t, os.Symlink("/nowhere/at/all", removed))
	wants(0, 0, "dangling link")
	must(t, os.Remove(removed))
	must(t, os.WriteFile(removed, nil, 0o600))
	wants(0, 0, "is not a folder")
}
