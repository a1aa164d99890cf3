package deploy

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"wikictl/tenants"
	"wikictl/tenants/definitions"
	"wikictl/tenants/disk"
)

// Gone is a removed tenant that can still be brought back or inspected.
type Gone struct {
	Name  string
	Hosts []string // all its host names, the canonical one first
	Path  string   // of its addresses on them; empty: the root
}

// Gone lists the removed tenants, sorted by name: those of the folders below state/removed,
// except those that are served again and those without a definition; and those that are about
// to move there, because no file defines them and the web server includes them no longer, or
// not after the run that lists them in leaving. The error is fs.ErrPermission for users who may
// not read them.
func (d *Deployer) Gone(known func(tenant string) bool, leaving ...string) ([]Gone, error) {
	all, err := d.removed()
	if err != nil {
		return nil, err
	}
	wikis, err := disk.Folders(d.layout.Wikis())
	if err != nil {
		return nil, err
	}
	for _, name := range wikis {
		if known(name) || (d.included(name) && !slices.Contains(leaving, name)) {
			continue
		}
		text, err := disk.Read(filepath.Join(d.layout.Current(name), defined))
		if errors.Is(err, os.ErrPermission) {
			return nil, err
		}
		if of, hosts, path := definitions.DefinedNames(text); err == nil && of == name && len(hosts) > 0 {
			all = append(all, Gone{Name: name, Hosts: hosts, Path: path})
		}
	}
	slices.SortStableFunc(all, func(a, b Gone) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// included reports whether the web server includes a part of a tenant.
func (d *Deployer) included(tenant string) bool {
	return Exists(d.layout.Vhost(tenant)) || Exists(d.layout.OtherVhost(tenant))
}

// removed lists the removed tenants of the folders below state/removed.
func (d *Deployer) removed() ([]Gone, error) {
	folders, err := disk.Folders(d.layout.Removed())
	if err != nil {
		return nil, err
	}
	var all []Gone
	for _, folder := range folders {
		dir := filepath.Join(d.layout.Removed(), folder)
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

// Undefined lists the tenants that are still served below a path of a shared host although
// the farm no longer defines them, sorted by name, with their addresses and limits; not those
// that the run removes. The error is fs.ErrPermission for users who may not read their
// definitions.
func (d *Deployer) Undefined(leaving ...string) ([]*tenants.Tenant, error) {
	if d.layout.Map {
		return nil, nil
	}
	parts, err := filepath.Glob(d.layout.Part("*"))
	if err != nil {
		return nil, err
	}
	var all []*tenants.Tenant
	for _, file := range parts {
		name := strings.TrimSuffix(filepath.Base(file), ".map")
		if d.layout.Parts[name] || Exists(d.layout.Vhost(name)) || slices.Contains(leaving, name) {
			continue
		}
		text, err := disk.Read(filepath.Join(d.layout.Current(name), defined))
		if errors.Is(err, os.ErrPermission) {
			return nil, err
		}
		if t := definitions.DefinedTenant(text); err == nil && t.Name == name && len(t.Hosts) > 0 {
			all = append(all, t)
		}
	}
	return all, nil
}
