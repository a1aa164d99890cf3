package upgrade

import (
	"context"
	"fmt"

	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/session"
)

// servable reports as an error why a release of a tenant can't be served again with the
// database that it was for: its code is not there any more, or the release is gone and
// can't be made again.
func servable(h *session.Host, t *tenants.Tenant, release int, codebase, set, version string) error {
	if !deploy.Exists(h.Layout.Release(t.Name, release)) {
		_, err := remakable(h, t, release, codebase, set)
		return err
	}
	_, err := codeOf(h, t.Name, release, version)
	return err
}

// remakable is the codebase by which a release that is gone can be made again from the
// definition: it has to be the same code, as the database is for that.
func remakable(h *session.Host, t *tenants.Tenant, release int, codebase, set string) (*tenants.Codebase, error) {
	c := h.Farm.Codebases[codebase]
	if c == nil {
		return nil, fmt.Errorf("its release %d is gone, and the codebase %s, to make it again, is not in wikictl.toml any more", release, codebase)
	}
	if t.ComponentSet(c) != set {
		return nil, fmt.Errorf("its release %d is gone, and with the codebase %s as it is now, and the extensions and skins of its definition, it can't be made again; set them as they were", release, codebase)
	}
	return c, nil
}

// releaseFor is the release that serves a tenant as it was: that one or, where it is
// gone, a new one of the same code.
func (k *task) releaseFor(ctx context.Context, release int, codebase, set string) (int, error) {
	if deploy.Exists(k.Layout.Release(k.Name, release)) {
		return release, nil
	}
	c, err := remakable(k.Host, k.tenant, release, codebase, set)
	if err != nil {
		return 0, err
	}
	made, err := k.Deploy.Prepare(ctx, deploy.Source{Len: 1, At: func(int) (deploy.Wanted, error) { return k.Wanted(k.tenant, c) }})
	if err != nil {
		return 0, err
	}
	return made[0].Release, made[0].Err
}
