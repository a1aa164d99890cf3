package templates

import (
	"bytes"
	"slices"

	"wikictl/templates/escape"
	"wikictl/tenants"
)

// Sharer is one of several tenants that share a host.
type Sharer struct {
	File string // pattern of the path of its part; it matches no other file
	View *View  // its limits, which stand outside of the parts
}

// Hosts renders the virtual hosts of hosts that several tenants share. Each includes the parts of
// its tenants, which are files of their own, until the tenants are removed. The result is empty
// if no host is shared.
func (s *Set) Hosts(f *tenants.Farm, undefined []*tenants.Tenant, gone []Gone) ([]byte, error) {
	text := []byte{}
	if f.Web.Map || len(f.Parts)+len(undefined) == 0 {
		return text, nil
	}
	name := NginxVhost
	if f.Web.Kind == "apache" {
		name = ApacheVhost
	}
	for _, members := range sharing(f.Tenants, undefined) {
		if lacksCertificate(members) {
			// The web server would refuse the file, and with it every change of other wikis. The
			// note names the certificate, so that the wikis are not served by http later.
			certificate, _ := f.Web.CertificateOf(members[0])
			note, err := escape.Comment("The wikis of " + members[0].Hosts[0] + " are not served without their certificate " + certificate)
			if err != nil {
				return nil, err
			}
			text = append(text, "# "+note+".\n"...)
			continue
		}
		frame, err := s.execute(name, s.frame(f, members, gone))
		if err != nil {
			return nil, err
		}
		text = append(append(text, bytes.TrimRight(frame, "\n")...), '\n')
	}
	return text, nil
}

// lacksCertificate reports whether the certificate or the key of a shared host is missing or
// faulty, which is a fault of each of its tenants that is defined.
func lacksCertificate(members []*tenants.Tenant) bool {
	return slices.ContainsFunc(members, func(t *tenants.Tenant) bool {
		return slices.ContainsFunc(t.Faults, func(p tenants.Problem) bool { return p.Key == "web.certificate" || p.Key == "web.certificate_key" })
	})
}

// sharing groups the tenants that share hosts by host. The tenant at the root of a host is the
// last of its group. A tenant that is no longer defined joins the group of its host, unless its
// path collides with another one; without that group it is a group of its own, unless a defined
// tenant has one of its hosts.
func sharing(list, undefined []*tenants.Tenant) (groups [][]*tenants.Tenant) {
	at, taken := map[string]int{}, map[string]bool{}
	add := func(t *tenants.Tenant) {
		i, known := at[t.Hosts[0]]
		if !known {
			i = len(groups)
			at[t.Hosts[0]], groups = i, append(groups, nil)
		}
		groups[i] = append(groups[i], t)
		for _, host := range slices.Concat(t.Hosts, t.Aliases) {
			taken[host] = true
		}
	}
	for _, t := range list {
		for _, host := range slices.Concat(t.Hosts, t.Aliases) {
			taken[host] = true
		}
		if t.Shares && len(t.Hosts) > 0 {
			add(t)
		}
	}
	for _, t := range undefined {
		if i, known := at[t.Hosts[0]]; known && !slices.ContainsFunc(groups[i], func(other *tenants.Tenant) bool { return tenants.PathsCollide(t.Path, other.Path) }) {
			add(t)
		} else if !known && !slices.ContainsFunc(slices.Concat(t.Hosts, t.Aliases), func(host string) bool { return taken[host] }) {
			add(t)
		}
	}
	for _, group := range groups {
		slices.SortStableFunc(group, func(a, b *tenants.Tenant) int { return atRoot(a) - atRoot(b) })
	}
	return groups
}

// atRoot is 1 for the tenant at the root of its hosts, and 0 for others.
func atRoot(t *tenants.Tenant) int {
	if t.Path == "" {
		return 1
	}
	return 0
}

// frame returns the view of a virtual host that several tenants share. It takes the values that
// are equal for all of them from the first one that is defined.
func (s *Set) frame(f *tenants.Farm, members []*tenants.Tenant, gone []Gone) *View {
	first := max(0, slices.IndexFunc(members, func(t *tenants.Tenant) bool { return f.Parts[t.Name] }))
	fleet, l, t := s.fleet(f), f.Layout(), *members[first]
	t.Sitename, t.Path, t.ScriptPath, t.Moves, t.Limits = "The wikis of "+t.Hosts[0], "", "", nil, tenants.Limits{}
	v := newView(fleet, pathsOf(&t), fleet.connectionOf(&t))
	v.Tenant, v.Frame, v.Server, v.Current = &t, true, f.Web.AddressOf(&t), l.Vhosts()
	v.FPM, v.AccessLog = f.Web.FPM, f.Web.AccessLogOf(&t)
	v.Certificate, v.CertificateKey = f.Web.CertificateOf(&t)
	taken, awaited := map[string]bool{}, map[string]bool{}
	for _, g := range gone {
		awaited[g.Name] = awaited[g.Name] || g.Awaited
	}
	for _, m := range members {
		taken[m.Path] = !awaited[m.Name]
		v.MaxBody = max(v.MaxBody, maxBody(m))
		file := l.Part(m.Name)
		own := newView(fleet, pathsOf(m), fleet.usual)
		own.Tenant = m
		own.limit()
		v.Members = append(v.Members, Sharer{File: file[:len(file)-1] + "[" + file[len(file)-1:] + "]", View: own})
	}
	for _, g := range gone {
		if taken[g.Path] || !slices.ContainsFunc(g.All, func(host string) bool { return slices.Contains(t.Hosts, host) }) {
			continue
		}
		taken[g.Path] = true
		if v.GoneRoot = v.GoneRoot || g.Path == ""; g.Path != "" {
			v.GonePaths = append(v.GonePaths, pathsOf(&tenants.Tenant{Path: g.Path}).All)
		}
	}
	return v
}
