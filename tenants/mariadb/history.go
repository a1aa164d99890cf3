package mariadb

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// LatestBackup describes the last whole dump in a folder of dumps, whose names
// begin with the time; nil when there is none. It does not read the dump.
func LatestBackup(dir string) (*Backup, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, e := range slices.Backward(entries) {
		if !strings.HasSuffix(e.Name(), ownDump) && !strings.HasSuffix(e.Name(), operatorDump) {
			continue
		}
		b, err := OpenBackup(filepath.Join(dir, e.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			continue // it is still being verified, or whoever made it was killed
		}
		return b, err
	}
	return nil, nil
}
