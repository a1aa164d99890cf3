package mariadb

import (
	"cmp"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Backups is what a folder of dumps holds.
type Backups struct {
	Dumps       []string // that have a description, latest first, as OpenBackup takes them
	Undescribed []string // dumps without a description
	Dumpless    []string // descriptions without a dump
	Half        []string // still being written, or left by a run that was killed
}

// ListBackups looks at a folder of dumps and opens none of them. A folder that is
// not there is empty.
func ListBackups(dir string) (b Backups, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return b, err
	}
	written, described := map[string]time.Time{}, map[string]bool{}
	for _, e := range entries {
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed meanwhile
		}
		if err != nil {
			return b, err
		}
		path := filepath.Join(dir, e.Name())
		switch {
		case strings.HasSuffix(path, ".half"):
			b.Half = append(b.Half, path)
		case strings.HasSuffix(path, ".json"):
			described[path] = true
		case strings.HasSuffix(path, ownDump), strings.HasSuffix(path, operatorDump):
			written[path] = info.ModTime()
		}
	}
	b.Dumpless = slices.Collect(maps.Keys(b.match(written, described)))
	slices.Sort(b.Undescribed)
	slices.Sort(b.Dumpless)
	slices.SortFunc(b.Dumps, func(x, y string) int { return cmp.Or(written[y].Compare(written[x]), strings.Compare(y, x)) })
	return b, nil
}

// match sorts dumps by whether they are described, and returns the descriptions
// of none.
func (b *Backups) match(written map[string]time.Time, described map[string]bool) map[string]bool {
	rest := maps.Clone(described)
	for path := range written {
		if by := describedBy(path); described[by] {
			b.Dumps = append(b.Dumps, path)
			delete(rest, by)
			continue
		}
		b.Undescribed = append(b.Undescribed, path)
	}
	return rest
}
