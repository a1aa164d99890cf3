package deploy

import (
	"errors"
	"os"
	"path/filepath"

	"wikictl/tenants/definitions"
	"wikictl/tenants/disk"
)

// Gone is a removed tenant that can still be brought back or inspected.
type Gone struct {
	Name  string
	Hosts []string // all its host names, the canonical one first
	Path  string   // of its addresses on them; empty: the root
}

// Gone lists the removed tenants of the folders below state/removed, except those that
// are served again and those without a definition. The error is fs.ErrPermission for
// users who may not read them.
func (d *Deployer) Gone() ([]Gone, error) {
	entries, err := os.ReadDir(d.layout.Removed())
	if disk.IgnoreAbsent(err) != nil {
		return nil, err
	}
	var all []Gone
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		dir := filepath.Join(d.layout.Removed(), e.Name())
		if _, err := os.Stat(filepath.Join(dir, removedManifest)); disk.IgnoreAbsent(err) != nil {
			return nil, err
		} else if err != nil {
			continue
		}
		text, err := disk.Read(filepath.Join(dir, "definition.toml"))
		if errors.Is(err, os.ErrPermission) {
			return nil, err
		}
		name, hosts, path := definitions.DefinedNames(text)
		if err == nil && len(hosts) > 0 && !Exists(d.layout.Vhost(name)) {
			all = append(all, Gone{Name: name, Hosts: hosts, Path: path})
		}
	}
	return all, nil
}
