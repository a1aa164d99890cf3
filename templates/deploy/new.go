package deploy

import (
	"errors"
	"os"
	"path/filepath"

	"wikictl/tenants/disk"
)

// WriteNew makes a file atomically and durably, and its folder if that is missing. The error
// wraps fs.ErrExist if the file exists: of two concurrent writers one succeeds.
func WriteNew(path string, data []byte, mode os.FileMode) (err error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	_, err = f.Write(data)
	if err := errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil {
		return err
	}
	return disk.SyncFolder(dir)
}
