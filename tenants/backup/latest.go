package backup

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Latest describes the last whole dump in a folder of dumps, whose names
// begin with the time; nil when there is none. It does not read the dump.
func Latest(dir string) (*Dump, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, e := range slices.Backward(entries) {
		if !strings.HasSuffix(e.Name(), OwnDump) && !strings.HasSuffix(e.Name(), OperatorDump) {
			continue
		}
		b, err := Open(filepath.Join(dir, e.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			continue // it is still being verified, or its maker was killed
		}
		return b, err
	}
	return nil, nil
}
