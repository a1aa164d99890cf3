package disk

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Only regular files are opened, and nothing keeps the caller waiting.
func TestOpen(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	for _, err := range []error{os.WriteFile(path("file"), []byte("text"), 0o600), os.Mkdir(path("folder"), 0o700), unix.Mkfifo(path("fifo"), 0o600), os.Symlink("gone", path("link")), os.Symlink("file", path("good"))} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]error{"file": nil, "good": nil, "folder": unix.EISDIR, "fifo": ErrIrregular, "/dev/null": ErrIrregular, "link": os.ErrNotExist, "none": os.ErrNotExist} {
		if !filepath.IsAbs(name) {
			name = path(name)
		}
		done := make(chan error, 1)
		go func() {
			data, err := Read(name)
			if err == nil && string(data) != "text" {
				t.Errorf("%s is %q", name, data)
			}
			done <- err
		}()
		select {
		case err := <-done:
			if !errors.Is(err, want) || err != nil && !strings.Contains(err.Error(), name) {
				t.Errorf("%s: %v, want %v", name, err, want)
			}
		case <-time.After(30 * time.Second):
			t.Fatalf("%s is waited for", name)
		}
	}
}

// The free space of a missing folder is that of the file system of its nearest existing parent.
func TestFree(t *testing.T) {
	dir := t.TempDir()
	here, err := Free(dir)
	if err != nil || here.Bytes <= 0 || here.Device == 0 {
		t.Fatalf("%+v %v", here, err)
	}
	below, err := Free(filepath.Join(dir, "a", "b"))
	if err != nil || below.Device != here.Device {
		t.Errorf("below: %+v %v", below, err)
	}
	proc, err := Free("/proc")
	if err != nil || proc.Device == here.Device {
		t.Errorf("another file system: %+v %v", proc, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Free(filepath.Join(dir, "file")); err == nil || !strings.Contains(err.Error(), "is not a folder") {
		t.Errorf("a file: %v", err)
	}
}
