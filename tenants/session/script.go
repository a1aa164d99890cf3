package session

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"wikictl/php"
	"wikictl/templates/deploy"
	"wikictl/tenants"
)

// Served returns the folder of a tenant's current release and the codebase of that
// release, which may differ from the wanted one.
func (h *Host) Served(t *tenants.Tenant) (release string, c *tenants.Codebase, err error) {
	release, err = filepath.EvalSymlinks(h.Layout.Current(t.Name))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil, tenants.WithHint(errors.New("it has no current release"), "wikictl create "+t.Name)
	}
	if err != nil {
		return "", nil, err
	}
	if c = h.codeOf(t, release); c == nil {
		return "", nil, fmt.Errorf("the codebase of %s is not in %s any more", release, tenants.FarmFile)
	}
	return release, c, nil
}

// codeKept is how long the code of a killed run is kept.
const codeKept = 7 * 24 * time.Hour

// WriteCode writes an administrator's code into a file that only PHP's user may read, and
// the script that runs it. Call remove after the run.
func (h *Host) WriteCode(text []byte) (path string, remove func() error, err error) {
	if err := h.writeScript(h.Layout.EvalScript(), php.EvalScript()); err != nil {
		return "", nil, err
	}
	left, err := filepath.Glob(h.Layout.Code("*"))
	if err != nil {
		return "", nil, err
	}
	for _, file := range left {
		if info, err := os.Stat(file); err == nil && time.Since(info.ModTime()) > codeKept {
			_ = os.Remove(file) // another run may have removed it
		}
	}
	path = h.Layout.Code(h.RunID)
	remove = func() error { return os.Remove(path) }
	if err := deploy.WriteFile(path, php.Code(text), 0o600, -1); err != nil {
		return "", nil, err
	}
	return path, remove, h.Give(path)
}
