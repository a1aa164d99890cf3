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

// Room reports as an error why the files of a tenant, and a dump of about so many bytes,
// can't go to the folder of what was removed: it can't be written, has too little space,
// or is on another file system, and there is something that can't be copied. taken is
// what others will have written there by then, in bytes; need is what this tenant adds.
// It writes nothing.
func (d *Deployer) Room(tenant string, dump, taken int64) (need int64, err error) {
	dir, err := disk.Existing(d.layout.Removed())
	if err != nil {
		return 0, err
	}
	if err := unix.Access(dir, unix.W_OK); err != nil {
		return 0, fmt.Errorf("%s can't be written: %w", dir, err)
	}
	need = dump
	for _, part := range d.removedParts(tenant) {
		elsewhere, err := onOtherDisk(part.path, dir)
		if err != nil {
			return 0, err
		}
		if elsewhere {
			size, err := copiedSize(part.path)
			if err != nil {
				return 0, err
			}
			need += size
		}
	}
	free, err := disk.Free(dir)
	if err == nil && need+taken > free.Bytes {
		err = fmt.Errorf("it needs about %d MB in %s, where %d MB are free: make room there", 1+(need>>20), dir, max(0, free.Bytes-taken)>>20)
	}
	return need, err
}

// onOtherDisk reports whether a move of a file or folder into a folder is a copy: they
// are on two file systems, or the former is a mount point. What is not there need not move.
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

// copiedSize is about how many bytes a copy of a file or folder takes. What copyTree
// would refuse is an error.
func copiedSize(path string) (size int64, err error) {
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
		size += block
		if e.Type().IsRegular() {
			size += info.Size()
		}
		return nil
	})
	return size, err
}

// copied reports whether copyTree copies such a thing.
func copied(mode fs.FileMode) bool {
	return mode.IsDir() || mode.IsRegular() || mode&fs.ModeSymlink != 0
}

// uncopied says that something can't be kept.
func uncopied(path string) error {
	return fmt.Errorf("%s is no file, folder or link: remove it and run this again", path)
}
