// Package disk opens and reads regular files only, so that no FIFO or device makes a
// program wait. It also returns the free space of a file system, and whom a mode lets in.
package disk

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

// ErrIrregular reports a file that is not a regular file.
var ErrIrregular = errors.New("is not a regular file")

// Open opens a regular file for reading. It fails immediately for a folder (EISDIR), and
// for a FIFO, a device or a socket (ErrIrregular): opening a FIFO would wait for a
// writer.
func Open(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY, 0) // regular files ignore both
	if errors.Is(err, unix.ENXIO) {
		return nil, wrong("open", path, ErrIrregular) // a socket, or a device without a driver
	}
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	switch {
	case err != nil:
	case info.IsDir():
		err = wrong("open", path, unix.EISDIR)
	case !info.Mode().IsRegular():
		err = wrong("open", path, ErrIrregular)
	default:
		return f, nil
	}
	f.Close()
	return nil, err
}

// Allows reports whether the mode of a file gives a user, with all of the user's groups, the
// permissions of bits: 4 read, 2 write, 1 execute or enter (path_resolution(7)). It knows neither
// root nor access control lists. Without an owner it returns true.
func Allows(info fs.FileInfo, uid uint32, groups []uint32, bits fs.FileMode) bool {
	have, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return true
	}
	mode := info.Mode().Perm()
	switch {
	case have.Uid == uid:
		mode >>= 6
	case slices.Contains(groups, have.Gid):
		mode >>= 3
	}
	return mode&bits == bits
}

// CheckPrivate returns an error unless a file exists that only its owner may use.
func CheckPrivate(path string) error {
	info, err := os.Stat(path)
	if err == nil && info.Mode().Perm()&0o077 != 0 {
		err = fmt.Errorf("%s has mode %o; chmod 600 it", path, info.Mode().Perm())
	}
	return err
}

// maxFile is the largest file that Read reads, in bytes.
const maxFile = 64 << 20

// Read reads a regular file of at most 64 MiB, as os.ReadFile does.
func Read(path string) ([]byte, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var data bytes.Buffer
	if info, err := f.Stat(); err == nil {
		data.Grow(int(min(info.Size(), maxFile)) + bytes.MinRead) // or it would be copied as it grows
	}
	_, err = data.ReadFrom(io.LimitReader(f, maxFile+1))
	if err == nil && data.Len() > maxFile {
		return nil, tooLarge(path)
	}
	return data.Bytes(), err
}

// CopyTo writes what Read would return, a buffer at a time. An error may come after a part.
func CopyTo(w io.Writer, path string, buffer []byte) error {
	f, err := Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	n, err := io.CopyBuffer(w, io.LimitReader(f, maxFile+1), buffer)
	if err == nil && n > maxFile {
		err = tooLarge(path)
	}
	return err
}

func tooLarge(path string) error {
	return wrong("read", path, fmt.Errorf("is larger than %d MiB", maxFile>>20))
}

func wrong(op, path string, err error) error { return &os.PathError{Op: op, Path: path, Err: err} }

// Existing returns a folder, or the nearest parent that exists.
func Existing(dir string) (string, error) {
	for {
		info, err := os.Stat(dir)
		switch {
		case err == nil && !info.IsDir():
			return "", fmt.Errorf("%s is not a folder", dir)
		case err == nil:
			return dir, nil
		case !errors.Is(err, fs.ErrNotExist) || dir == filepath.Dir(dir):
			return "", err
		}
		if target, broken := BrokenLink(dir, err); broken {
			return "", fmt.Errorf("%s is a dangling link to %s", dir, target)
		}
		dir = filepath.Dir(dir)
	}
}

// SyncFolder has the names in a folder survive a power cut (fsync(2)).
func SyncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// SyncFileSystem has everything that was written to the file system of a folder survive a
// power cut (syncfs(2)).
func SyncFileSystem(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(unix.Syncfs(int(f.Fd())), f.Close())
}

// Space is the free space of a file system.
type Space struct {
	Bytes, Files int64  // files: inodes; both 0 for a file system without a limit
	Inodes       int64  // in all, used or free; 0 if their number is not limited
	Device       uint64 // of the file system: equal for folders on the same one
	ReadOnly     bool   // the file system is mounted read-only
	Shares       bool   // files can share blocks (ioctl_ficlonerange(2)), as on Btrfs and most of XFS
}

// Lacks reports whether a number of bytes would find no room.
func (s Space) Lacks(bytes int64) bool { return (s.Bytes > 0 || s.Files > 0) && bytes > s.Bytes }

// LacksFiles reports whether a number of new files would find no inode.
func (s Space) LacksFiles(files int64) bool { return s.Inodes > 0 && files > s.Files }

// Free returns the space that this user may still use in the file system of a folder,
// which need not exist. Reserved blocks count for root only.
func Free(dir string) (Space, error) {
	dir, err := Existing(dir)
	if err != nil {
		return Space{}, err
	}
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return Space{}, wrong("statfs", dir, err)
	}
	var of unix.Stat_t
	if err := unix.Stat(dir, &of); err != nil {
		return Space{}, wrong("stat", dir, err)
	}
	blocks := s.Bavail
	if os.Geteuid() == 0 {
		blocks = s.Bfree
	}
	return Space{Bytes: int64(blocks) * s.Bsize, Files: int64(s.Ffree), Inodes: int64(s.Files), Device: of.Dev, ReadOnly: s.Flags&unix.ST_RDONLY != 0,
		Shares: s.Type == unix.BTRFS_SUPER_MAGIC || s.Type == unix.XFS_SUPER_MAGIC}, nil
}

// Used returns the bytes that a folder and all in it take on disk; 0 if it does not exist.
func Used(dir string) (bytes int64, err error) {
	err = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return IgnoreAbsent(err)
		}
		info, err := e.Info()
		if err != nil {
			return IgnoreAbsent(err)
		}
		if s, ok := info.Sys().(*syscall.Stat_t); ok {
			bytes += s.Blocks * 512
		}
		return nil
	})
	return bytes, err
}

// Folders returns the names of the folders in a folder, sorted; none if it does not exist.
func Folders(dir string) (names []string, err error) {
	entries, err := os.ReadDir(dir)
	if IgnoreAbsent(err) != nil {
		return nil, err
	}
	for _, e := range entries {
		if e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// IsFolder reports whether a path leads to a folder, perhaps by links.
func IsFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// Size returns the bytes of a file, or 0 if it can't be inspected.
func Size(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// IgnoreAbsent returns an error unless it says that a file does not exist.
func IgnoreAbsent(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
