package deploy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/google/renameio/v2"

	"wikictl/templates/deploy/permissions"
	"wikictl/tenants/disk"
)

// WriteFile replaces a file by rename, durably, and gives it exactly that mode. gid is its
// group; -1 is the group of the user who runs wikictl.
func WriteFile(path string, data []byte, mode os.FileMode, gid int) error {
	f, err := renameio.NewPendingFile(path, renameio.WithPermissions(0o600), renameio.WithTempDir(filepath.Dir(path)))
	if err != nil {
		return err
	}
	defer f.Cleanup()
	if err := fill(f.File, data, gid); err != nil {
		return err
	}
	if err := f.Chmod(mode); err != nil {
		return err
	}
	if err := f.CloseAtomicallyReplace(); err != nil {
		return err
	}
	return disk.SyncFolder(filepath.Dir(path))
}

// create writes a new file; a later syncfs makes it durable.
func create(path string, data []byte, mode os.FileMode, gid int) (err error) {
	at := mode
	if gid >= 0 {
		at = 0o600 // until the file belongs to the group
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, at)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := fill(f, data, gid); err != nil {
		return err
	}
	if at&^permissions.Umask() == mode {
		return nil
	}
	return f.Chmod(mode)
}

// fill writes a new file's contents and gives it to a group, unless gid is -1.
func fill(f *os.File, data []byte, gid int) error {
	if _, err := f.Write(data); err != nil || gid < 0 {
		return err
	}
	return f.Chown(-1, gid)
}

// point sets the target of a symbolic link, by rename if the link exists.
func point(link, target string) error {
	if err := os.Symlink(target, link); !errors.Is(err, fs.ErrExist) {
		return err
	}
	temporary := filepath.Join(filepath.Dir(link), "."+filepath.Base(link)+".new")
	err := os.Symlink(target, temporary)
	if errors.Is(err, fs.ErrExist) { // left by a killed run
		if err := os.Remove(temporary); err != nil {
			return err
		}
		err = os.Symlink(target, temporary)
	}
	if err != nil {
		return err
	}
	return os.Rename(temporary, link)
}

// add makes path a hard link to source unless path exists.
func add(source, path string) error {
	if err := os.Link(source, path); err == nil {
		return nil
	}
	return install(source, path)
}

// install makes path a hard link to source, by rename.
func install(source, path string) error {
	if same, err := sameFile(source, path); err != nil || same {
		return err
	}
	temporary := beside(path, "new")
	if err := remove(temporary); err != nil {
		return err
	}
	err := os.Link(source, temporary)
	if errors.Is(err, syscall.EXDEV) || errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EMLINK) {
		var data []byte
		if data, err = disk.Read(source); err == nil {
			err = create(temporary, data, 0o644, -1)
		}
	}
	if err != nil {
		return err
	}
	return os.Rename(temporary, path)
}

// beside returns a name next to path that *.conf does not match, so that neither the web
// server nor php-fpm includes it.
func beside(path, suffix string) string {
	return filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+"."+suffix)
}

func sameFile(a, b string) (bool, error) {
	first, err := os.Lstat(a)
	if err != nil {
		return false, err
	}
	second, err := os.Lstat(b)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && os.SameFile(first, second), err
}

// remove deletes a file, if it exists.
func remove(path string) error {
	return disk.IgnoreAbsent(os.Remove(path))
}

// Exists reports whether a path exists, as a file of any kind. A path that can't be inspected
// counts as existing, so that nothing replaces it.
func Exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR)
}

// difference is the result of comparing a file with its wanted content.
type difference int

const (
	equal difference = iota
	absent
	changed
	mode // the content is right, but too many users may read it
)

// compareFile compares a file, and stops reading at the first difference. Other users
// must not be able to read a secret file.
func compareFile(path string, want []byte, secret bool) (difference, error) {
	f, err := disk.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return absent, nil
	}
	if err != nil {
		return changed, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return changed, err
	}
	if info.Size() != int64(len(want)) {
		return changed, nil
	}
	have := make([]byte, len(want))
	if _, err := io.ReadFull(f, have); err != nil && !errors.Is(err, io.EOF) {
		return changed, fmt.Errorf("%s: %w", path, err)
	}
	switch {
	case !bytes.Equal(have, want):
		return changed, nil
	case secret && info.Mode()&0o027 != 0:
		return mode, nil
	}
	return equal, nil
}

// Sync makes all writes below the state folder durable, by one syncfs(2).
func (d *Deployer) Sync() error {
	d.unsynced.Store(false)
	if err := disk.SyncFileSystem(d.layout.State); err != nil {
		d.unsynced.Store(true)
		return fmt.Errorf("syncfs %s: %w", d.layout.State, err)
	}
	return nil
}
