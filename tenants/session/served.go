package session

import (
	"fmt"

	"wikictl/tenants"
	"wikictl/tenants/definitions"
	"wikictl/tenants/mediawiki"
)

// HostOf is the first host name by which a release of a tenant is served: the one of
// the definition that the release was made from, which may have been another.
func (h *Host) HostOf(t *tenants.Tenant, release int) string {
	text, err := h.Deploy.DefinitionOf(t.Name, release)
	if err == nil {
		if hosts := definitions.DefinedHosts(text); len(hosts) > 0 {
			return hosts[0]
		}
	}
	return t.Hosts[0]
}

// ServedHost is HostOf of the release that a tenant is served from.
func (h *Host) ServedHost(t *tenants.Tenant) string {
	current, err := h.Deploy.Current(t.Name)
	if err != nil {
		return t.Hosts[0]
	}
	return h.HostOf(t, current)
}

// CodeOf is the version of the MediaWiki that a release of a tenant runs on, as it is in
// its folder now, which may have been updated or removed.
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
