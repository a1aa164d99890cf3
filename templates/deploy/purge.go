package deploy

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"wikictl/tenants/disk"
)

// removedManifest is the file that lists the content of a removed tenant's folder.
const removedManifest = "manifest.json"

// RetiredDefinition is the name of the file that defined a tenant, in its folder in
// state/removed.
const RetiredDefinition = "source.toml"

// RetireDefinition moves the file that defined a tenant into to, its folder in state/removed,
// as RetiredDefinition. It takes a missing file for one that was moved before, and refuses a file
// that is not was any more: that may define another tenant.
func (d *Deployer) RetireDefinition(file string, was []byte, to string) error {
	now, err := disk.Read(file)
	if err == nil && !bytes.Equal(now, was) {
		return fmt.Errorf("%s was changed meanwhile, and stays", file)
	}
	if err := carry(file, free(filepath.Join(to, RetiredDefinition))); err != nil {
		return err
	}
	return d.Sync()
}

// Purge deletes the folder of a removed tenant: secrets first, so that a half-deleted
// tenant can't be brought back, and the manifest last, so that a repeated purge finds the
// folder.
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
