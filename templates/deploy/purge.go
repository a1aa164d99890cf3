package deploy

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// removedManifest says what a folder of a removed tenant has.
const removedManifest = "manifest.json"

// RetireDefinition moves the file that defined a tenant into the folder of what was
// removed of it, where it is source.toml. One that is not there was moved before.
func (d *Deployer) RetireDefinition(file, to string) error {
	if err := carry(file, free(filepath.Join(to, "source.toml"))); err != nil {
		return err
	}
	return d.Sync()
}

// Purge deletes a folder of what was removed: secrets first, so that a half deleted one
// does not come back, and what says what it is last, so that it is found again.
func (d *Deployer) Purge(dir string) error {
	if err := remove(filepath.Join(dir, "secrets.toml")); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		if e.Name() == removedManifest {
			continue
		}
		if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return os.RemoveAll(dir)
}
