package deploy

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"wikictl/tenants/disk"
)

// mostAside is the maximum number of virtual hosts that are taken out so that others can
// change. If the web server refuses more, the fault is not in a tenant's virtual host.
const mostAside = 5

// commitAround is a commit that takes out the virtual hosts of other tenants that the web
// server refuses, such as for a missing certificate: they would block every change, and the
// next start of the web server. It calls Aside for each such tenant, whose releases stay.
func (d *Deployer) commitAround(ctx context.Context, j journal) (reloaded bool, err error) {
	reloaded, err = d.commit(ctx, j)
	if !refusal(err) {
		return reloaded, err
	}
	return d.around(ctx, j, err)
}

// around continues after the web server's check has refused a journal with the error refused;
// an empty journal stands for the existing configuration. If taking virtual hosts out does not
// help, around restores the earlier state and returns refused.
func (d *Deployer) around(ctx context.Context, j journal, refused error) (reloaded bool, err error) {
	why := map[string]error{}
	for err = refused; refusal(err) && ctx.Err() == nil; {
		more := d.atFault(err, j)
		if len(more) == 0 || len(why)+len(more) > mostAside || !d.leavesSome(j, more) {
			return false, refused
		}
		for _, tenant := range more {
			current, wrong := d.Current(tenant)
			if wrong != nil {
				return false, wrong
			}
			why[tenant] = err
			j.Swaps = append(j.Swaps, swap{Tenant: tenant, From: current, To: current, Vhost: Delete, Out: true})
		}
		reloaded, err = d.commit(ctx, j)
	}
	if err == nil && d.Aside != nil {
		for tenant, reason := range why {
			d.Aside(tenant, reason)
		}
	}
	return reloaded, err
}

// quoted matches a path in the output of the check.
var quoted = regexp.MustCompile(`/[^\s"':;]+`)

// atFault lists the tenants whose installed virtual host a refusal names and a journal does
// not change. It omits files without a release: other programs made them.
func (d *Deployer) atFault(refused error, j journal) (tenants []string) {
	for _, vhost := range d.namedVhosts(refused) {
		tenant := strings.TrimSuffix(filepath.Base(vhost), filepath.Ext(vhost))
		changes := slices.ContainsFunc(j.Swaps, func(s swap) bool { return s.Tenant == tenant })
		if current, err := d.Current(tenant); err == nil && current != 0 && !changes {
			tenants = append(tenants, tenant)
		}
	}
	return tenants
}

// namedVhosts lists the installed virtual hosts that a refusal names, by their own path or by
// the path of a file that they use, such as a certificate.
func (d *Deployer) namedVhosts(refused error) (vhosts []string) {
	paths := quoted.FindAllString(refused.Error(), -1)
	for _, vhost := range d.installed() {
		text, _ := disk.Read(vhost)
		if slices.ContainsFunc(paths, func(p string) bool { return p == vhost || len(p) > 5 && strings.Contains(string(text), p) }) {
			vhosts = append(vhosts, vhost)
		}
	}
	return vhosts
}

// suspects returns a hint that lists the virtual hosts named by a refusal. It is empty if the
// refusal names so many that the fault is elsewhere.
func (d *Deployer) suspects(refused error) string {
	named := d.namedVhosts(refused)
	if len(named) == 0 || len(named) > mostAside {
		return ""
	}
	return "; check " + strings.Join(named, ", ") + ": restore the file that the web server names, or move the virtual host away for now"
}

// installed lists the virtual hosts of tenants that the web server includes.
func (d *Deployer) installed() []string {
	paths, _ := filepath.Glob(filepath.Join(d.layout.Vhosts(), "*.*"))
	return slices.DeleteFunc(paths, func(path string) bool {
		tenant := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
		return path == d.DefaultVhost() || path == d.layout.HostsVhost() || path != d.layout.Vhost(tenant)
	})
}

// leavesSome reports whether a virtual host remains if those of some tenants are taken
// out in addition to a journal's changes.
func (d *Deployer) leavesSome(j journal, out []string) bool {
	left := len(d.installed()) - len(out)
	for _, s := range j.Swaps {
		switch s.Vhost {
		case Add:
			left++
		case Delete:
			left--
		}
	}
	return left > 0
}

// AsideError is the error of a tenant whose virtual host was taken out.
func AsideError(tenant string, why error) error {
	return fmt.Errorf("its virtual host was taken out of the web server's configuration, because the web server refuses it: %w\n(restore the file that the web server names, then run wikictl apply %s)", why, tenant)
}
