package backup

import (
	"os"
	"strings"
	"time"
)

// Expire removes a folder's dumps older than before, except the newest few (at least one)
// and the needed ones. It returns the number of removed dumps and their size in bytes.
func Expire(dir string, newest int, before time.Time, needed map[string]bool) (n int, bytes int64, err error) {
	found, err := List(dir)
	if err != nil {
		return 0, 0, err
	}
	for i, file := range found.Dumps {
		if i < max(newest, 1) || needed[file] {
			continue
		}
		info, err := os.Stat(file)
		if err != nil {
			return n, bytes, err
		}
		if info.ModTime().After(before) {
			continue
		}
		if err := Remove(strings.TrimSuffix(describedBy(file), ".json")); err != nil {
			return n, bytes, err
		}
		n, bytes = n+1, bytes+info.Size()
	}
	return n, bytes, nil
}
