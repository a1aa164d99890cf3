package backup

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Latest returns the description of the newest complete dump in a folder, or nil. File
// names begin with the time. It does not read the dump.
func Latest(dir string) (*Dump, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, e := range slices.Backward(entries) {
		if !isDump(e.Name()) || strings.Contains(e.Name(), plus) {
			continue
		}
		b, err := Open(filepath.Join(dir, e.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			continue // incomplete: another process verifies it now, or was killed
		}
		return b, err
	}
	return nil, nil
}
