package mariadb

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Backups is what a folder of dumps holds.
type Backups struct {
	Dumps       []string // that have a description, latest first, as OpenBackup takes them
	Undescribed []string // dumps without a description
	Dumpless    []string // descriptions without a dump
	Half        []string // still being written, or left by a run that was killed
}

// ListBackups looks at a folder of dumps, whose names begin with the time, and
// opens none of them. A folder that is not there is empty.
func ListBackups(dir string) (b Backups, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return b, err
	}
	var dumps []string
	described := map[string]bool{}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch {
		case strings.HasSuffix(path, ".half"):
			b.Half = append(b.Half, path)
		case strings.HasSuffix(path, ".json"):
			described[path] = true
		case strings.HasSuffix(path, ownDump), strings.HasSuffix(path, operatorDump):
			dumps = append(dumps, path)
		}
	}
	dumpless := maps.Clone(described)
	for _, path := range slices.Backward(dumps) {
		if by := describedBy(path); described[by] {
			b.Dumps = append(b.Dumps, path)
			delete(dumpless, by)
		} else {
			b.Undescribed = append(b.Undescribed, path)
		}
	}
	b.Dumpless = slices.Sorted(maps.Keys(dumpless))
	return b, nil
}
