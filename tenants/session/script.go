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

// typedKept is how long what an administrator typed is kept after its run was killed.
const typedKept = 7 * 24 * time.Hour

// WriteCode writes an administrator's code into files that only the users of the tenants'
// PHP may read, one file for each user, and the script that runs it. Call remove after the run.
func (h *Host) WriteCode(text []byte, list []*tenants.Tenant) (pathOf func(tenant string) string, remove func() error, err error) {
	if err := h.writeScript(h.Layout.EvalScript(), php.EvalScript()); err != nil {
		return nil, nil, err
	}
	return h.writeTyped(h.Layout.Code, php.Code(text), list)
}

// WriteInput is like WriteCode, for the standard input of the tenants' scripts.
func (h *Host) WriteInput(text []byte, list []*tenants.Tenant) (pathOf func(tenant string) string, remove func() error, err error) {
	return h.writeTyped(h.Layout.Input, text, list)
}

// writeTyped writes text for the users of the tenants' PHP into files that named gives for each
// run and user.
func (h *Host) writeTyped(named func(run string) string, text []byte, list []*tenants.Tenant) (pathOf func(tenant string) string, remove func() error, err error) {
	left, err := filepath.Glob(named("*"))
	if err != nil {
		return nil, nil, err
	}
	for _, file := range left {
		if info, err := os.Stat(file); err == nil && time.Since(info.ModTime()) > typedKept {
			_ = os.Remove(file) // another run may have removed it
		}
	}
	pathOf = func(tenant string) string {
		return named(fmt.Sprintf("%s-%d", h.RunID, h.ownerOf(tenant).UID))
	}
	written := map[string]bool{}
	remove = func() (err error) {
		for path := range written {
			err = errors.Join(err, os.Remove(path))
		}
		return err
	}
	for _, t := range list {
		path := pathOf(t.Name)
		if written[path] {
			continue
		}
		if err := deploy.WriteFile(path, text, 0o600, -1); err != nil {
			return nil, nil, errors.Join(err, remove())
		}
		written[path] = true
		if err := h.giveTo(t.Name, path); err != nil {
			return nil, nil, errors.Join(err, remove())
		}
	}
	return pathOf, remove, nil
}
