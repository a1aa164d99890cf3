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
	why, named := map[string]error{}, 0
	for err = refused; refusal(err) && ctx.Err() == nil; {
		more := d.ofOtherKind(j)
		some := len(more) > 0 && len(more) <= len(j.Swaps)
		if len(more) == 0 {
			more = d.atFault(err, j)
			named += len(more)
			some = len(more) > 0 && named <= mostAside
		}
		if !some || !d.leavesSome(j, more) {
			return false, refused
		}
		for _, s := range more {
			why[s.Tenant] = asideError(s, err)
		}
		j.Swaps = append(j.Swaps, more...)
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

// apacheSection matches the beginning of a section of Apache's configuration; nginx has none.
var apacheSection = regexp.MustCompile(`(?m)^[ \t]*<[A-Z]`)

// ofOtherKind returns changes that take out the installed virtual hosts that were written for
// another kind of web server, and that a journal does not change: after a change of web.kind these
// are of tenants that can't be rendered. A journal that changes fewer is not one of all tenants.
func (d *Deployer) ofOtherKind(j journal) []swap {
	return d.withdrawn(j, slices.DeleteFunc(d.installed(), func(path string) bool {
		text, err := disk.Read(path)
		return err != nil || apacheSection.Match(text) == (d.web.Kind == "apache")
	}))
}

// atFault returns changes that take out the installed virtual hosts and pools that a refusal
// names and a journal does not change.
func (d *Deployer) atFault(refused error, j journal) []swap {
	return d.withdrawn(j, slices.Concat(d.namedVhosts(refused), d.namedPools(refused)))
}

// withdrawn returns changes that take out virtual hosts and pools, except those of tenants that a
// journal changes. It omits files without a release: other programs made them.
func (d *Deployer) withdrawn(j journal, paths []string) (out []swap) {
	for _, path := range paths {
		s := swap{Tenant: strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)), Out: true}
		changes := slices.ContainsFunc(slices.Concat(j.Swaps, out), func(other swap) bool { return other.Tenant == s.Tenant })
		current, err := d.Current(s.Tenant)
		if err != nil || current == 0 || changes {
			continue
		}
		s.From, s.To = current, current
		if path == d.layout.Pool(s.Tenant) {
			s.Pool = Delete // readers get 502, which says less than 404 that the wiki is gone
		} else {
			s.Vhost = Delete
		}
		out = append(out, s)
	}
	return out
}

// section matches the name of a pool in its file.
var section = regexp.MustCompile(`(?m)^\[([^\]\n]+)\]`)

// namedPools lists the installed php-fpm pools that a refusal names, by their file or by the name
// of the pool. web.check may check php-fpm, too.
func (d *Deployer) namedPools(refused error) (pools []string) {
	paths, _ := filepath.Glob(filepath.Join(d.layout.Pools(), "*.conf"))
	for _, path := range paths {
		text, _ := disk.Read(path)
		name := section.FindSubmatch(text)
		if strings.Contains(refused.Error(), "["+path+":") || name != nil && strings.Contains(refused.Error(), "[pool "+string(name[1])+"]") {
			pools = append(pools, path)
		}
	}
	return pools
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

// suspects returns a hint that lists the virtual hosts and pools named by a refusal, unless the
// refusal names so many that the fault is elsewhere, or the kind of web server changed.
func (d *Deployer) suspects(refused error) string {
	if others := d.ofOtherKind(journal{}); len(others) > 0 {
		return fmt.Sprintf("; the virtual hosts of other wikis (%d) are for another kind of web server: wikictl apply --all writes all anew", len(others))
	}
	named := slices.Concat(d.namedVhosts(refused), d.namedPools(refused))
	if len(named) == 0 || len(named) > mostAside {
		return "; correct what it says, or have wikictl apply --all write the files of all wikis anew"
	}
	return "; check " + strings.Join(named, ", ") + ": correct what the web server or php-fpm names, or move the file away for now"
}

// installed lists the virtual hosts of tenants that the web server includes.
func (d *Deployer) installed() []string {
	paths, _ := filepath.Glob(filepath.Join(d.layout.Vhosts(), "*.*"))
	return slices.DeleteFunc(paths, func(path string) bool {
		tenant := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
		return path == d.DefaultVhost() || path == d.layout.HostsVhost() || path != d.layout.Vhost(tenant)
	})
}

// leavesSome reports whether a virtual host remains after a journal's changes and others.
func (d *Deployer) leavesSome(j journal, out []swap) bool {
	left := len(d.installed())
	for _, s := range slices.Concat(j.Swaps, out) {
		switch s.Vhost {
		case Add:
			left++
		case Delete:
			left--
		}
	}
	return left > 0
}

// asideError is the error of a tenant whose virtual host or pool was taken out.
func asideError(s swap, why error) error {
	part, program, named := "its virtual host", "the web server", "restore the file that the web server names"
	if s.Pool == Delete {
		part, program, named = "its php-fpm pool", "php-fpm", "correct the value or the user that php-fpm names"
	}
	return fmt.Errorf("%s was taken out of the configuration, because %s refuses it: %w\n(%s, then run wikictl apply %s)", part, program, why, named, s.Tenant)
}
