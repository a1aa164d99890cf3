package backup

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Listing is what a folder of dumps holds.
type Listing struct {
	Dumps       []string // that have a description, latest first, as Open takes them
	Undescribed []string // dumps without a description
	Dumpless    []string // descriptions without a dump
	Half        []string // still being written, or left by a run that was killed
}

// List looks at a folder of dumps, whose names begin with the time, and
// opens none of them. A folder that is not there is empty.
func List(dir string) (b Listing, err error) {
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
		case strings.HasSuffix(path, OwnDump), strings.HasSuffix(path, OperatorDump):
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
