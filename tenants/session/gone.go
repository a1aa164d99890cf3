package session

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"time"

	"wikictl/templates"
	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/definitions"
	"wikictl/tenants/wiki"
)

// Leaving lists the names that a deployment takes from the web server's configuration.
type Leaving struct {
	Gone  []string          // removed tenants
	Moved map[string]string // renamed tenants, new names by former ones
}

// Default renders the virtual hosts for names of no tenant, and of removed ones, and those
// that several tenants share. Removed tenants that are leaving answer 410 from the moment that
// their own virtual hosts go. Both are nil for users who may not see which were removed.
func (h *Host) Default(leaving Leaving) (vhost, shared []byte, err error) {
	defined := map[string]bool{}
	for _, t := range h.Farm.Tenants {
		defined[t.Name] = true
	}
	removed, err := h.Deploy.Gone(func(name string) bool { return defined[name] }, leaving.Gone...)
	var undefined []*tenants.Tenant
	if err == nil {
		undefined, err = h.Deploy.Undefined(leaving.Gone...)
	}
	if errors.Is(err, fs.ErrPermission) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	gone := goneOf(h.Farm, removed, func(tenant string) bool { return deploy.Exists(h.Layout.Wiki(tenant)) })
	if shared, err = h.Templates.Hosts(h.Farm, undefined, gone); err != nil {
		return nil, nil, err
	}
	gone = slices.DeleteFunc(gone, func(g templates.Gone) bool { return len(g.Hosts) == 0 })
	for i, g := range gone {
		gone[i] = h.certified(g, &tenants.Tenant{Name: g.Name, Hosts: g.Hosts})
	}
	renamed, err := h.renamed(leaving.Moved)
	if err != nil {
		return nil, nil, err
	}
	gone = append(gone, renamed...)
	vhost, err = h.Templates.Default(h.Farm, gone...)
	return vhost, shared, err
}

// certified adds the certificate of a tenant to a removed one, if it can be used: otherwise the
// web server would refuse the virtual hosts of all removed ones, which are in one file.
func (h *Host) certified(g templates.Gone, of *tenants.Tenant) templates.Gone {
	g.Certificate, g.CertificateKey = h.Farm.Web.CertificateOf(of)
	if err := definitions.PairError(g.Certificate, g.CertificateKey); err != nil && !errors.Is(err, fs.ErrPermission) {
		g.Certificate, g.CertificateKey = "", ""
	}
	return g
}

// renamed lists the former names that tenants still have as links, with their FormerHost: those
// that moved now, and those without a virtual host. The web server serves others by the link.
func (h *Host) renamed(moved map[string]string) (list []templates.Gone, err error) {
	aliases, err := h.Deploy.Aliases()
	for _, from := range slices.Sorted(maps.Keys(aliases)) {
		t, served := h.Farm.Tenant(aliases[from]), deploy.Exists(h.Layout.Vhost(from))
		if t != nil && (moved[from] == t.Name || !served) {
			list = append(list, h.certified(templates.Gone{Name: from, Hosts: []string{templates.FormerHost(from)}, Renamed: true}, t))
		}
	}
	return list, err
}

// goneOf are removed tenants with their host names that no tenant of the farm has, each once. A
// tenant has its names once it is made: one that is to be brought back has a definition before.
func goneOf(f *tenants.Farm, removed []deploy.Gone, made func(tenant string) bool) (gone []templates.Gone) {
	if len(removed) == 0 {
		return nil
	}
	names, taken, awaited := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, r := range removed {
		names[r.Name] = true
	}
	for _, t := range f.Tenants {
		if names[t.Name] && !made(t.Name) {
			awaited[t.Name] = true
			continue
		}
		for _, host := range slices.Concat(t.Hosts, t.Aliases) {
			taken[host] = true
		}
	}
	for _, r := range removed {
		g := templates.Gone{Name: r.Name, Path: r.Path, All: r.Hosts, Awaited: awaited[r.Name]}
		for _, host := range r.Hosts {
			if !taken[host] {
				taken[host] = true
				g.Hosts = append(g.Hosts, host)
			}
		}
		gone = append(gone, g)
	}
	return gone
}

// quiet is how long a withdrawn tenant must not have answered to be no longer served: nginx's
// former workers answer for a moment beside the new ones.
const quiet = 300 * time.Millisecond

// AwaitGone waits until the web server has stopped to serve a tenant that was withdrawn, or until
// a reload must have ended: requests that still reach the tenant fail without its database.
func (h *Host) AwaitGone(ctx context.Context, t *tenants.Tenant) {
	text, err := h.Deploy.Definition(t.Name)
	places := definitions.DefinedPlaces(text)
	if err != nil || len(places) == 0 {
		return
	}
	await(ctx, func() bool {
		info, err := wiki.Probe(ctx, h.Farm.ProbeBy(places[0]), places[0])
		return err == nil && info.DBName == t.Database
	})
}

// AwaitRenamed waits until the web server serves a tenant no longer by the link that its former
// name is, or until a reload must have ended: without the link such requests fail.
func (h *Host) AwaitRenamed(ctx context.Context, former string) {
	host := templates.FormerHost(former)
	await(ctx, func() bool { return !wiki.Gone(ctx, h.Farm.Web.Probe, host) })
}

// await waits until old, which asks for the configuration before a reload, has been false for
// quiet, or until a reload must have ended.
func await(ctx context.Context, old func() bool) {
	start := time.Now()
	for last := start; time.Since(last) < quiet && time.Since(start) < reloadLimit && ctx.Err() == nil; time.Sleep(50 * time.Millisecond) {
		if old() {
			last = time.Now()
		}
	}
}

// ServeAgain has the web server serve the current release of a tenant that a removal withdrew, in
// place of 410.
func (h *Host) ServeAgain(ctx context.Context, tenant string) error {
	if _, err := h.Deploy.Publish(ctx, tenant); err != nil {
		return err
	}
	return h.ServeDefault(ctx)
}

// ServeDefault brings the virtual hosts of Default in line with what is removed now.
func (h *Host) ServeDefault(ctx context.Context) error {
	text, shared, err := h.Default(Leaving{})
	if err != nil {
		return err
	}
	_, err = h.Deploy.Apply(ctx, deploy.Source{Default: text, Hosts: shared})
	return err
}
