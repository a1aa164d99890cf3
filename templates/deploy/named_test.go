package deploy

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"wikictl/cmd/testbed/needs"
)

func TestNamedFilesAreReplacedOnlyWhenRegular(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	check := func(name string, want string, mode os.FileMode) {
		t.Helper()
		data, err := os.ReadFile(at(name))
		info, err2 := os.Stat(at(name))
		if err := errors.Join(err, err2); err != nil || string(data) != want || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, has %q and mode %v", name, err, data, info.Mode())
		}
	}
	for _, err := range []error{
		os.WriteFile(at("there"), []byte("a long text that was there"), 0o600), os.WriteFile(at("target"), []byte("also a long text"), 0o640),
		os.Symlink("target", at("link")), os.Symlink("fresh", at("dangling")),
		WriteNamed(at("new"), []byte("x"), 0o644), WriteNamed(at("there"), []byte("x"), 0o644),
		WriteNamed(at("link"), []byte("x"), 0o644), WriteNamed(at("dangling"), []byte("x"), 0o644),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	check("new", "x", 0o644)
	check("there", "x", 0o600)
	check("target", "x", 0o640)
	check("fresh", "x", 0o644)
	for _, link := range []string{"link", "dangling"} {
		if info, err := os.Lstat(at(link)); err != nil || info.Mode()&fs.ModeSymlink == 0 {
			t.Errorf("%s: %v, is %v", link, err, info.Mode())
		}
	}
	if err := WriteNamed(dir, []byte("x"), 0o644); err == nil {
		t.Error("a folder was written")
	}
}

func TestPipesAndDevicesAreWrittenTo(t *testing.T) {
	dir := t.TempDir()
	pipe, device := filepath.Join(dir, "pipe"), filepath.Join(dir, "null")
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := WriteNamed(pipe, []byte("x"), 0o644); !errors.Is(err, syscall.ENXIO) {
		t.Errorf("a pipe that nothing reads: %v", err)
	}
	if _, err := AppendNamed(pipe, 0o644); !errors.Is(err, syscall.ENXIO) {
		t.Errorf("a pipe that nothing reads, opened: %v", err)
	}
	reader, err := os.OpenFile(pipe, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	data := bytes.Repeat([]byte("x"), 5000)
	if err := WriteNamed(pipe, data, 0o644); err != nil {
		t.Error(err)
	}
	got := make([]byte, 5000)
	if n, err := reader.Read(got); err != nil || !bytes.Equal(got[:n], data[:n]) {
		t.Errorf("read %d, %v", n, err)
	}
	needs.Allowed(t, unix.Mknod(device, unix.S_IFCHR|0o666, int(unix.Mkdev(1, 3))), "making a device")
	if err := WriteNamed(device, data, 0o644); err != nil {
		t.Error(err)
	}
	if info, err := os.Lstat(device); err != nil || info.Mode()&fs.ModeCharDevice == 0 {
		t.Errorf("the device is %v now, %v", info.Mode(), err)
	}
}
