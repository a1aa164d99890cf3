package session

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"wikictl/tenants"
)

// GateSize is the number of statements that may change tables at once on a server. With
// more, MariaDB spends its time waking threads that wait for its dictionary; with fewer,
// its disk idles.
const GateSize = 3

// Gate returns the lock files that limit concurrent schema changes on a server: a job
// locks one of them (flock(2)) for each statement, and its end releases it. All runs of a
// farm on this machine share them.
func (h *Host) Gate(def *tenants.Server) ([]string, error) {
	if err := os.MkdirAll(h.Layout.Run(), 0o755); err != nil {
		return nil, err
	}
	files := make([]string, GateSize)
	for i := range files {
		files[i] = filepath.Join(h.Layout.Run(), fmt.Sprintf("ddl-%s.%d", def.Name, i))
		f, err := os.OpenFile(files[i], os.O_CREATE|os.O_RDONLY, 0o644)
		if err != nil {
			return nil, err
		}
		if err := errors.Join(f.Chmod(0o644), f.Close()); err != nil { // for PHP's user
			return nil, err
		}
	}
	return files, nil
}
