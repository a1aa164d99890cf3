package archive

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"wikictl/tenants/disk"
)

// Finish cleans up a wiki's folder of archives after killed runs: it removes incomplete files,
// and writes the missing descriptions of complete archives. No other run may write there.
func Finish(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return disk.IgnoreAbsent(err)
	}
	for _, e := range entries {
		file := filepath.Join(dir, e.Name())
		switch {
		case strings.HasSuffix(file, halfEnding):
			if err := disk.IgnoreAbsent(os.Remove(file)); err != nil {
				return err
			}
		case strings.HasSuffix(file, ending):
			if err := describeWhole(file); err != nil {
				return err
			}
		}
	}
	return nil
}

// describeWhole writes the description of an archive that has none, if it can be read
// completely. A damaged archive stays without one, and so does not count as a backup.
func describeWhole(file string) error {
	if _, err := os.Lstat(described(file)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	m, err := Extract(file, "", nil)
	if err != nil {
		return nil
	}
	return (&Archive{Manifest: m, File: file}).Describe()
}

// RemoveFolder deletes files that killed runs left in a wiki's folder of archives, and the
// folder if it is empty then.
func RemoveFolder(dir string) error {
	if err := Finish(dir); err != nil {
		return err
	}
	for _, run := range Undescribed(dir) {
		if err := Forget(dir, run); err != nil {
			return err
		}
	}
	_ = os.Remove(dir) // succeeds only if it is empty
	return nil
}
