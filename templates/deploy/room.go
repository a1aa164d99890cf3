package deploy

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"wikictl/tenants/disk"
)

// Room checks that the files of a tenant, and a dump of about dump bytes, can be moved to
// state/removed: the folder is writable and, if it is on another file system, has enough space,
// and every file can be copied. taken is the number of bytes that earlier removals of the run
// need there; need is the number that this tenant adds. It writes nothing.
func (d *Deployer) Room(tenant string, dump, taken int64) (need int64, err error) {
	dir, err := disk.Existing(d.layout.Removed())
	if err != nil {
		return 0, err
	}
	if err := unix.Access(dir, unix.W_OK); err != nil {
		return 0, fmt.Errorf("%s can't be written: %w", dir, err)
	}
	need = dump
	var files int64
	for _, part := range d.removedParts(tenant) {
		elsewhere, err := onOtherDisk(part.path, dir)
		if err != nil {
			return 0, err
		}
		if elsewhere {
			size, n, err := copiedSize(part.path)
			if err != nil {
				return 0, err
			}
			need, files = need+size, files+n
		}
	}
	free, err := disk.Free(dir)
	switch {
	case err != nil:
	case need+taken > free.Bytes:
		err = fmt.Errorf("it needs about %d MB in %s, where %d MB are free: make room there", 1+(need>>20), dir, max(0, free.Bytes-taken)>>20)
	case free.LacksFiles(files + ownFiles):
		err = fmt.Errorf("it needs about %d new files in %s, whose file system has inodes for %d (df -i): remove files there", files+ownFiles, dir, free.Files)
	}
	return need, err
}

// onOtherDisk reports whether moving a file or folder into a folder requires a copy: they
// are on two file systems, or the former is a mount point. A missing file needs none.
func onOtherDisk(path, dir string) (bool, error) {
	from, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	above, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return false, err
	}
	to, err := os.Stat(dir)
	if err != nil {
		return false, err
	}
	return device(from) != device(to) || device(from) != device(above), nil
}

func device(info fs.FileInfo) uint64 { return uint64(info.Sys().(*syscall.Stat_t).Dev) }

// block is the space that a small file or a folder takes on most file systems.
const block = 4096

// ownFiles is about how many files and folders a removal makes beside those of the tenant.
const ownFiles = 8

// copiedSize returns about how many bytes a copy of a file or folder uses, and how many files it
// is. It returns an error for anything that copyTree refuses.
func copiedSize(path string) (size, files int64, err error) {
	err = filepath.WalkDir(path, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		if !copied(info.Mode()) {
			return uncopied(path)
		}
		size, files = size+block, files+1
		if e.Type().IsRegular() {
			size += info.Size()
		}
		return nil
	})
	return size, files, err
}

// copied reports whether copyTree copies files of that mode.
func copied(mode fs.FileMode) bool {
	return mode.IsDir() || mode.IsRegular() || mode&fs.ModeSymlink != 0
}

// uncopied is the error of a file that can't be kept.
func uncopied(path string) error {
	return fmt.Errorf("%s is neither a file, a folder nor a link: remove it and run this again", path)
}
