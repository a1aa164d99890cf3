package deploy

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// mostAside is how many virtual hosts are taken out so that others can change: where more
// are refused the fault is not one tenant's.
const mostAside = 5

// commitAround is commit that takes the virtual hosts of other tenants out which the web
// server refuses, such as for a certificate that is gone: they would keep everybody's
// changes out, and the web server from starting again. Their releases stay; Aside is told.
func (d *Deployer) commitAround(ctx context.Context, j journal) (reloaded bool, err error) {
	reloaded, err = d.commit(ctx, j)
	if !refusal(err) {
		return reloaded, err
	}
	return d.around(ctx, j, err)
}

// around goes on after the web server's check has refused a journal, or with an empty one
// what is there already. When nothing helps all is as it was, and refused is returned.
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

// quoted is a path in what the check printed.
var quoted = regexp.MustCompile(`/[^\s"':;]+`)

// atFault are the tenants that a journal does not change and whose installed virtual host
// a refusal tells of. A file of another program has no release, and stays.
func (d *Deployer) atFault(refused error, j journal) (tenants []string) {
	for _, vhost := range d.told(refused) {
		tenant := strings.TrimSuffix(filepath.Base(vhost), d.layout.VhostEnding())
		changes := slices.ContainsFunc(j.Swaps, func(s swap) bool { return s.Tenant == tenant })
		if current, err := d.Current(tenant); err == nil && current != 0 && !changes {
			tenants = append(tenants, tenant)
		}
	}
	return tenants
}

// told are the installed virtual hosts that a refusal tells of, by their own path or by
// that of a file which they name, such as a certificate.
func (d *Deployer) told(refused error) (vhosts []string) {
	paths := quoted.FindAllString(refused.Error(), -1)
	for _, vhost := range d.installed() {
		text, _ := os.ReadFile(vhost)
		if slices.ContainsFunc(paths, func(p string) bool { return p == vhost || len(p) > 5 && strings.Contains(string(text), p) }) {
			vhosts = append(vhosts, vhost)
		}
	}
	return vhosts
}

// suspects is a hint that names the virtual hosts which a refusal tells of; empty when
// they are so many that the fault is in none of them.
func (d *Deployer) suspects(refused error) string {
	named := d.told(refused)
	if len(named) == 0 || len(named) > mostAside {
		return ""
	}
	return "; look at " + strings.Join(named, ", ") + ": give back the file that it names, or move it away for the time being"
}

// installed are the virtual hosts of tenants that the web server includes.
func (d *Deployer) installed() []string {
	paths, _ := filepath.Glob(filepath.Join(d.layout.Vhosts(), "*"+d.layout.VhostEnding()))
	return slices.DeleteFunc(paths, func(path string) bool { return path == d.DefaultVhost() })
}

// leavesSome reports whether a virtual host is left when those of some tenants are taken
// out besides what a journal changes.
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

// AsideError says what became of a tenant whose virtual host was taken out.
func AsideError(tenant string, why error) error {
	return fmt.Errorf("its virtual host was taken out of the web server's configuration, as that can't be read with it: %w\n(give back the file that it names, and run wikictl apply %s)", why, tenant)
}
