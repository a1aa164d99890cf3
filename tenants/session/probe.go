package session

import (
	"context"
	"time"

	"wikictl/tenants/wiki"
)

// probeAll sends all requests to a tenant, served from a release, once, and fills in the
// checks. It does not repeat requests that this run has sent already.
func (h *Host) probeAll(ctx context.Context, tenant string, release int, s *Sight) {
	info := h.probeHosts(ctx, tenant, release, s)
	h.pages(ctx, tenant, s, info, nil)
}

// probeHosts is probeAll without the pages. It returns the site information by the first
// host name.
func (h *Host) probeHosts(ctx context.Context, tenant string, release int, s *Sight) wiki.SiteInfo {
	s.Checks = nil
	var info wiki.SiteInfo
	for i, name := range s.Hosts {
		start := time.Now()
		got, err := h.identifyOnce(ctx, tenant, release, i, name)
		if err == nil {
			err = Differ(name, got, s.Want)
		}
		if i == 0 {
			info = got
		}
		s.add(hostCheck(i, name), err, start)
	}
	s.settings(info)
	return info
}

// identifyOnce requests the site information by the i-th host name of a tenant, unless
// this run has just had the answer.
func (h *Host) identifyOnce(ctx context.Context, tenant string, release, i int, name string) (wiki.SiteInfo, error) {
	if i == 0 {
		if a, known := h.answers.take(tenant, name, release); known {
			return a.info, nil
		}
	}
	return probeOf(i)(ctx, h.Farm.ProbeBy(name), name)
}

// probeOf returns the request for the i-th host name of a tenant. The first also asks for
// a log-in token.
func probeOf(i int) probe {
	if i == 0 {
		return wiki.ProbeLogIn
	}
	return wiki.Probe
}
