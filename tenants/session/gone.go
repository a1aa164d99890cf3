package session

import (
	"context"
	"errors"
	"io/fs"
	"slices"

	"wikictl/templates"
	"wikictl/templates/deploy"
	"wikictl/tenants"
)

// Default renders the virtual hosts for names of no tenant, and of removed ones, and those
// that several tenants share. Both are nil for users who may not see which were removed.
func (h *Host) Default() (vhost, shared []byte, err error) {
	removed, err := h.Deploy.Gone()
	var undefined []*tenants.Tenant
	if err == nil {
		undefined, err = h.Deploy.Undefined()
	}
	if errors.Is(err, fs.ErrPermission) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	gone := goneOf(h.Farm, removed)
	if shared, err = h.Templates.Hosts(h.Farm, undefined, gone); err != nil {
		return nil, nil, err
	}
	gone = slices.DeleteFunc(gone, func(g templates.Gone) bool { return len(g.Hosts) == 0 })
	for i := range gone {
		g := &gone[i]
		g.Certificate, g.CertificateKey = h.Farm.Web.CertificateOf(&tenants.Tenant{Name: g.Name, Hosts: g.Hosts})
		if !deploy.Exists(g.Certificate) || !deploy.Exists(g.CertificateKey) {
			g.Certificate, g.CertificateKey = "", ""
		}
	}
	vhost, err = h.Templates.Default(h.Farm, gone...)
	return vhost, shared, err
}

// goneOf are removed tenants with their host names that no tenant of the farm has, each once.
func goneOf(f *tenants.Farm, removed []deploy.Gone) (gone []templates.Gone) {
	if len(removed) == 0 {
		return nil
	}
	taken := map[string]bool{}
	for _, t := range f.Tenants {
		for _, host := range append(t.Hosts[:len(t.Hosts):len(t.Hosts)], t.Aliases...) {
			taken[host] = true
		}
	}
	for _, r := range removed {
		g := templates.Gone{Name: r.Name, Path: r.Path, All: r.Hosts}
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

// ServeDefault brings the virtual hosts of Default in line with what is removed now.
func (h *Host) ServeDefault(ctx context.Context) error {
	text, shared, err := h.Default()
	if err != nil {
		return err
	}
	_, err = h.Deploy.Apply(ctx, deploy.Source{Default: text, Hosts: shared})
	return err
}
