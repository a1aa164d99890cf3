package upgrade

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/mediawiki"
	"wikictl/tenants/session"
)

// servable returns an error if a release of a tenant can't be served again with the
// database that belongs to it: its code is gone, or the release is gone and can't be made
// again.
func servable(h *session.Host, t *tenants.Tenant, release int, codebase, set, version string) error {
	if !deploy.Exists(h.Layout.Release(t.Name, release)) {
		_, err := remakable(h.Farm, t, release, codebase, set, version)
		return err
	}
	_, err := codeOf(h, t.Name, release, version)
	return err
}

// remakable returns the codebase with which a missing release can be made again from the
// definition. It has to be the code that fits the database: the same code under any name, or
// the codebase of that name if it was updated in place and has the same schema.
func remakable(f *tenants.Farm, t *tenants.Tenant, release int, codebase, set, version string) (*tenants.Codebase, error) {
	names := slices.Sorted(maps.Keys(f.Codebases))
	for _, name := range append([]string{codebase}, names...) {
		if c := f.Codebases[name]; c != nil && len(c.Faults) == 0 && t.ComponentSet(c) == set {
			return c, nil
		}
	}
	c := f.Codebases[codebase]
	if c != nil && len(c.Faults) == 0 && c.Version != version && mediawiki.SameSchema(c.Version, version) {
		return c, nil
	}
	want := fmt.Sprintf("MediaWiki %s with the extensions and skins that the wiki had then", version)
	switch {
	case c == nil:
		return nil, fmt.Errorf("its release %d is gone, and no codebase of %s can make it again: name a folder that holds %s, as [codebases.%q], and run this again", release, tenants.FarmFile, want, codebase)
	case c.Version == version && len(c.Faults) == 0:
		return nil, fmt.Errorf("its release %d is gone, and with the extensions and skins of its definition it can't be made again: give the definition those that it had, with the codebase %s as it was then, and run this again", release, codebase)
	}
	return nil, fmt.Errorf("its release %d is gone, and the codebase %s can't make it again: bring %s back to %s, or name another folder that holds it in [codebases.%q], and run this again", release, codebase, want, c.Path, codebase)
}

// releaseFor returns the release with which to serve a tenant again: the given one or, if its
// files are gone, a new one with the same code. If the release was served for long (returning), it
// is replaced as well when [web] has changed since: the web server would not serve it.
func (k *task) releaseFor(ctx context.Context, release int, codebase, set, version string, returning bool) (int, error) {
	exists := deploy.Exists(k.up.Layout.Release(k.tenant.Name, release))
	if exists && !returning {
		return release, nil
	}
	c, err := remakable(k.up.Farm, k.tenant, release, codebase, set, version)
	if err != nil && exists {
		return release, nil // perhaps it can be served
	}
	if err != nil {
		return 0, err
	}
	wanted, err := k.up.Wanted(ctx, k.tenant, c)
	if err != nil {
		return 0, err
	}
	if exists && k.up.Deploy.SameFront(release, wanted) {
		return release, nil
	}
	made, err := k.up.Deploy.Prepare(ctx, deploy.Source{Len: 1, At: func(int) (deploy.Wanted, error) { return wanted, nil }})
	if err != nil {
		return 0, err
	}
	if exists && made[0].Err == nil {
		k.note("[web] has changed since, so its release was made anew from its definition")
	}
	return made[0].Release, made[0].Err
}
