package session

import (
	"fmt"
	"os"

	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/process"
)

// ownersOf looks up the tenants' own users, and passes them to the deployer.
func ownersOf(f *tenants.Farm, d *deploy.Deployer) (map[string]process.Owner, error) {
	owners := map[string]process.Owner{}
	for _, t := range f.Tenants {
		if t.Pool.User == "" {
			continue
		}
		owner, err := process.LookupOwner(t.Pool.User)
		if err == nil {
			err = d.Own(t.Name, t.Pool.User)
		}
		if err != nil && t.Blocked() { // perhaps because of that missing user
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%s: pool.user: %w", t.Origins["pool.user"], err)
		}
		owners[t.Name] = owner
	}
	return owners, nil
}

// ownerOf returns the user that a tenant's PHP runs as; zero: the user of wikictl.
func (h *Host) ownerOf(tenant string) process.Owner {
	if owner, own := h.owners[tenant]; own {
		return owner
	}
	return h.owner
}

// Give makes PHP's user the owner of a file or folder, if PHP runs as another user.
func (h *Host) Give(path string) error { return give(h.owner, path) }

// giveTo makes the user of a tenant's PHP the owner of a file or folder, if that is another
// user than wikictl's.
func (h *Host) giveTo(tenant, path string) error { return give(h.ownerOf(tenant), path) }

// GiveFileTo makes the user of a tenant's PHP the owner of an open file or folder.
func (h *Host) GiveFileTo(tenant string, f *os.File) error {
	o := h.ownerOf(tenant)
	if o.UID == 0 {
		return nil
	}
	return f.Chown(o.UID, o.GID)
}

func give(o process.Owner, path string) error {
	if o.UID == 0 {
		return nil
	}
	return os.Chown(path, o.UID, o.GID)
}
