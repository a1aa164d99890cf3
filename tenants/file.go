package tenants

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// OpenFile is os.OpenFile for regular files. It does not ask whether the file can
// be waited for, as os.OpenFile does by five system calls: a farm has tens of
// thousands of small files, each of which takes four calls to read.
func OpenFile(path string, flag int, mode os.FileMode) (*os.File, error) {
	for {
		fd, err := unix.Open(path, flag|unix.O_CLOEXEC, uint32(mode.Perm()))
		switch {
		case err == nil:
			return os.NewFile(uintptr(fd), path), nil
		case !errors.Is(err, unix.EINTR):
			return nil, &os.PathError{Op: "open", Path: path, Err: err}
		}
	}
}

// ReadFile is os.ReadFile for regular files.
func ReadFile(path string) ([]byte, error) {
	f, err := OpenFile(path, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}
