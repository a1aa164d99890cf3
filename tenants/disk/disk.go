// Package disk opens and reads regular files, and nothing that could keep a program
// waiting: no FIFO, no device.
package disk

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// File is an open regular file. An *os.File asks whether it can be waited for, by
// five system calls when it opens and one when it is given an open one; a farm has
// tens of thousands of small files, each of which takes four calls to read.
type File struct {
	fd   int
	path string
}

// ErrIrregular is the reason of an error of Open for what is no regular file.
var ErrIrregular = errors.New("is no regular file")

// Open is os.OpenFile for regular files. What is to be read and is a folder
// (EISDIR), or a FIFO, a device or a socket (ErrIrregular), is an error at once: a FIFO
// would wait for a writer for ever.
func Open(path string, flag int, mode os.FileMode) (File, error) {
	reads := flag&unix.O_ACCMODE == os.O_RDONLY
	if reads {
		flag |= unix.O_NONBLOCK // which regular files do not know
	}
	fd, err := again(func() (int, error) { return unix.Open(path, flag|unix.O_CLOEXEC|unix.O_NOCTTY, uint32(mode.Perm())) })
	if errors.Is(err, unix.ENXIO) {
		err = ErrIrregular // a socket, or a device without a driver
	}
	f := File{fd, path}
	if err != nil || !reads {
		return f, wrong("open", path, err)
	}
	if err := f.regular(); err != nil {
		f.Close()
		return f, wrong("open", path, err)
	}
	return f, nil
}

// regular says why a file is no regular one.
func (f File) regular() error {
	var s unix.Stat_t
	if _, err := again(func() (int, error) { return 0, unix.Fstat(f.fd, &s) }); err != nil {
		return err
	}
	switch s.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		return nil
	case unix.S_IFDIR:
		return unix.EISDIR
	}
	return ErrIrregular
}

// Read is io.Reader's.
func (f File) Read(p []byte) (int, error) {
	n, err := again(func() (int, error) { return unix.Read(f.fd, p) })
	switch {
	case err != nil:
		return 0, wrong("read", f.path, err)
	case n == 0 && len(p) > 0:
		return 0, io.EOF
	}
	return n, nil
}

// Write is io.Writer's.
func (f File) Write(p []byte) (written int, err error) {
	for written < len(p) {
		n, err := again(func() (int, error) { return unix.Write(f.fd, p[written:]) })
		if err != nil {
			return written, wrong("write", f.path, err)
		}
		written += n
	}
	return written, nil
}

// Stat tells how many bytes the file has and who may read it.
func (f File) Stat() (size int64, mode os.FileMode, err error) {
	var s unix.Stat_t
	_, err = again(func() (int, error) { return 0, unix.Fstat(f.fd, &s) })
	return s.Size, os.FileMode(s.Mode & 0o777), wrong("stat", f.path, err)
}

// Chown changes its owner; -1 leaves the user or the group as it is.
func (f File) Chown(uid, gid int) error { return wrong("chown", f.path, unix.Fchown(f.fd, uid, gid)) }

// Chmod changes who may read it.
func (f File) Chmod(mode os.FileMode) error {
	return wrong("chmod", f.path, unix.Fchmod(f.fd, uint32(mode.Perm())))
}

// Close ends the use of the file. It is not asked twice (close(2)).
func (f File) Close() error { return wrong("close", f.path, unix.Close(f.fd)) }

// maxFile is the largest file that Read reads, in bytes.
const maxFile = 64 << 20

// Read is os.Read for regular files of people and programs, which are not
// larger than 64 MiB.
func Read(path string) ([]byte, error) {
	f, err := Open(path, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(data) > maxFile {
		return nil, wrong("read", path, fmt.Errorf("is larger than %d MiB", maxFile>>20))
	}
	return data, err
}

// again calls until no signal came between.
func again(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}

// wrong names the file that a system call failed for.
func wrong(op, path string, err error) error {
	if err == nil {
		return nil
	}
	return &os.PathError{Op: op, Path: path, Err: err}
}
