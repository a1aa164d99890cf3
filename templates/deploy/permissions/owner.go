package permissions

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"wikictl/tenants/disk"
)

// Owner is a user and a group by number; -1 leaves either unchanged.
type Owner struct{ UID, GID int }

// Umask returns the mode bits that the kernel clears on new files and folders (umask(2)). It
// asks the kernel once: on a large farm a call for every file would take noticeable time.
var Umask = sync.OnceValue(func() os.FileMode {
	mask := unix.Umask(0)
	unix.Umask(mask)
	return os.FileMode(mask)
})

// Folder makes a folder with its owner and mode, and reports whether it did. An existing
// folder keeps its mode, but gets the owner, which a killed run may not have set.
func Folder(path string, mode os.FileMode, uid, gid int) (made bool, err error) {
	err = os.Mkdir(path, mode)
	if errors.Is(err, fs.ErrExist) {
		return false, own(path, uid, gid)
	}
	if err != nil {
		return false, err
	}
	if uid >= 0 || gid >= 0 {
		if err := os.Chown(path, uid, gid); err != nil {
			return false, err
		}
	}
	if mode&Umask() == 0 {
		return true, nil
	}
	return true, os.Chmod(path, mode)
}

func own(path string, uid, gid int) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s exists and is not a folder: move it away", path)
	}
	have := info.Sys().(*syscall.Stat_t)
	if (uid < 0 || int(have.Uid) == uid) && (gid < 0 || int(have.Gid) == gid) {
		return nil
	}
	return os.Chown(path, uid, gid)
}

// HandOver gives a folder and its content to another user. It changes the folder itself last,
// so that the next run repeats an interrupted call.
func HandOver(path string, o Owner) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && (!info.IsDir() || o.UID < 0 || int(info.Sys().(*syscall.Stat_t).Uid) == o.UID) {
		return nil
	}
	if err != nil {
		return err
	}
	err = filepath.WalkDir(path, func(below string, _ fs.DirEntry, err error) error {
		if err != nil || below == path {
			return disk.IgnoreAbsent(err)
		}
		return disk.IgnoreAbsent(os.Lchown(below, o.UID, -1))
	})
	if err != nil {
		return err
	}
	return os.Chown(path, o.UID, o.GID)
}

// Chgrp sets the group of a file, if it differs; -1 sets none.
func Chgrp(path string, gid int) error {
	info, err := os.Lstat(path)
	if err != nil || gid < 0 || int(info.Sys().(*syscall.Stat_t).Gid) == gid {
		return err
	}
	return os.Lchown(path, -1, gid)
}

// Copy gives a copy the owner, mode and time of its source.
func Copy(info fs.FileInfo, to string) error {
	have := info.Sys().(*syscall.Stat_t)
	if os.Geteuid() == 0 {
		if err := os.Lchown(to, int(have.Uid), int(have.Gid)); err != nil {
			return err
		}
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		return nil
	}
	if err := os.Chmod(to, info.Mode()); err != nil {
		return err
	}
	return os.Chtimes(to, info.ModTime(), info.ModTime())
}
