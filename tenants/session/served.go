package session

import (
	"fmt"

	"wikictl/tenants"
	"wikictl/tenants/definitions"
	"wikictl/tenants/mediawiki"
)

// HostOf returns the first of the Places of a tenant's release, by the definition from which it
// was rendered.
func (h *Host) HostOf(t *tenants.Tenant, release int) string {
	text, err := h.Deploy.DefinitionOf(t.Name, release)
	if err == nil {
		if hosts := definitions.DefinedPlaces(text); len(hosts) > 0 {
			return hosts[0]
		}
	}
	return t.Places()[0]
}

// ServedHost returns HostOf for a tenant's current release.
func (h *Host) ServedHost(t *tenants.Tenant) string {
	current, err := h.Deploy.Current(t.Name)
	if err != nil {
		return t.Places()[0]
	}
	return h.HostOf(t, current)
}

// CodeOf returns the folder of a release's codebase and the version of MediaWiki in it
// now: the folder may have been updated or removed since.
func (h *Host) CodeOf(tenant string, release int) (path, version string, err error) {
	if path, err = h.Deploy.Core(tenant, release); err != nil {
		return "", "", err
	}
	if path == "" {
		return "", "", fmt.Errorf("release %d of tenant %q does not exist", release, tenant)
	}
	version, err = mediawiki.VersionAt(path)
	return path, version, err
}
