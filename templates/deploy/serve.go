package deploy

import (
	"context"
	"errors"
	"io/fs"

	"wikictl/tenants/disk"
)

// Serve makes another release of a tenant the current one, as Switch does. If its parts
// for the web server differ, it checks and reloads the web server; if the check fails, it
// restores the web server's files, and the release stays current.
func (d *Deployer) Serve(ctx context.Context, tenant string, release int) error {
	replaced, err := d.replaced(tenant, release)
	if err != nil {
		return err
	}
	if err := d.Switch(ctx, tenant, release); err != nil || len(replaced) == 0 {
		return err
	}
	if err := d.checkAround(ctx); err != nil {
		for path, text := range replaced {
			err = errors.Join(err, WriteFile(path, text, 0o644, -1)) // else the check would fail in other runs, too
		}
		return err
	}
	return d.Reload(ctx)
}

// checkAround is Check that takes out virtual hosts of others, as commitAround does.
func (d *Deployer) checkAround(ctx context.Context) error {
	refused := d.Check(ctx)
	if !refusal(refused) {
		return refused
	}
	unlock, err := d.lock(ctx, nil)
	if err != nil {
		return errors.Join(refused, err)
	}
	defer unlock()
	j, err := d.readJournal(ctx)
	if err != nil {
		return errors.Join(refused, err)
	}
	_, err = d.around(ctx, j, refused)
	return err
}

// replaced returns the installed files of the web server and php-fpm that differ from
// those of a release, by path.
func (d *Deployer) replaced(tenant string, release int) (map[string][]byte, error) {
	replaced := map[string][]byte{}
	for _, part := range d.parts(tenant, release) {
		text, err1 := disk.Read(part.source)
		now, err2 := disk.Read(part.installed)
		if errors.Is(err1, fs.ErrNotExist) || errors.Is(err2, fs.ErrNotExist) {
			continue // Switch leaves it unchanged
		}
		if err := errors.Join(err1, err2); err != nil {
			return nil, err
		}
		if string(text) != string(now) {
			replaced[part.installed] = now
		}
	}
	return replaced, nil
}

// SameParts reports whether two releases of a tenant have the same parts for the web
// server and php-fpm.
func (d *Deployer) SameParts(tenant string, one, other int) bool {
	second := d.parts(tenant, other)
	for i, part := range d.parts(tenant, one) {
		text1, err1 := disk.Read(part.source)
		text2, err2 := disk.Read(second[i].source)
		if absent := errors.Is(err1, fs.ErrNotExist) && errors.Is(err2, fs.ErrNotExist); absent {
			continue
		}
		if err1 != nil || err2 != nil || string(text1) != string(text2) {
			return false
		}
	}
	return true
}
