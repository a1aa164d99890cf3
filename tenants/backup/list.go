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

// Listing lists the files of a folder of dumps.
type Listing struct {
	Dumps       []string // dumps with a description, newest first; arguments for Open
	Undescribed []string // dumps without a description
	Dumpless    []string // descriptions without a dump
	Half        []string // incomplete files, of a running or a killed process
}

// List returns the files of a folder of dumps without opening any. File names begin with
// the time. A missing folder counts as empty.
func List(dir string) (b Listing, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return b, err
	}
	var dumps, further []string
	described := map[string]bool{}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch {
		case strings.HasSuffix(path, ".half"):
			b.Half = append(b.Half, path)
		case strings.HasSuffix(path, ".json"):
			described[path] = true
		case !isDump(path):
		case strings.Contains(e.Name(), plus):
			further = append(further, path)
		default:
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
	for _, path := range further {
		if base, _, _ := strings.Cut(filepath.Base(path), plus); !described[filepath.Join(dir, base+".json")] {
			b.Undescribed = append(b.Undescribed, path)
		}
	}
	b.Dumpless = slices.Sorted(maps.Keys(dumpless))
	return b, nil
}

// Further lists the further databases that have files beside the dump with the path base,
// sorted.
func Further(base string) (names []string, err error) {
	entries, err := os.ReadDir(filepath.Dir(base))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, e := range entries {
		name, is := strings.CutPrefix(e.Name(), filepath.Base(base)+plus)
		if is && isDump(name) {
			names = append(names, strings.TrimSuffix(strings.TrimSuffix(name, OwnDump), OperatorDump))
		}
	}
	return names, nil
}

// isDump reports whether a file has the name of a dump.
func isDump(name string) bool {
	return strings.HasSuffix(name, OwnDump) || strings.HasSuffix(name, OperatorDump)
}
