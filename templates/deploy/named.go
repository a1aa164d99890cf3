package deploy

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// WriteNamed writes a file that the user named. It replaces a regular file by rename and
// keeps its mode; a new one gets mode. It never replaces anything else: it writes into a
// device, a pipe, or the target of a symbolic link.
func WriteNamed(path string, data []byte, mode os.FileMode) error {
	switch info, err := os.Lstat(path); {
	case errors.Is(err, fs.ErrNotExist):
		return WriteFile(path, data, mode, -1)
	case err != nil:
		return err
	case info.Mode().IsRegular():
		return WriteFile(path, data, info.Mode().Perm(), -1)
	}
	f, err := openNamed(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

// CreateNamed writes a file that the user named, and its parent folders, unless something
// of that name exists. It reports whether it did.
func CreateNamed(path string, data []byte, mode os.FileMode) (created bool, err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return false, err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return false, errors.Join(err, os.Remove(path)) // the next run would keep half a file
	}
	return true, nil
}

// AppendNamed opens a file that the user named, to append lines.
func AppendNamed(path string, mode os.FileMode) (*os.File, error) {
	return openNamed(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, mode)
}

// openNamed opens a file without waiting for a reader, as open(2) does for a pipe.
func openNamed(path string, flag int, mode os.FileMode) (*os.File, error) {
	f, err := os.OpenFile(path, flag|syscall.O_NONBLOCK, mode)
	if errors.Is(err, syscall.ENXIO) {
		return nil, fmt.Errorf("%w (no process reads from it)", err)
	}
	return f, err
}

// WriteNamedIn is WriteNamed for a file whose parent folders may be missing.
func WriteNamedIn(path string, data []byte, mode os.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return WriteNamed(path, data, mode)
}
