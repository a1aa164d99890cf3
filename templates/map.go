package templates

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"wikictl/templates/escape"
	"wikictl/tenants"
)

// With web.vhosts = "map" nginx has one virtual host for all wikis. It is rendered from the
// template of a wiki's virtual host, built in or the farm's own, with variables for the values
// that differ between wikis. While it is rendered, names that no tenant can have stand for the
// variables.
const (
	mapName   = "WIKICTL-MAP-NAME"
	mapServer = "WIKICTL-MAP-SERVER"
	mapStatic = "WIKICTL-MAP-STATIC"
)

var mapVariables = strings.NewReplacer(
	mapName, "$wikictl_name", mapServer, "$wikictl_server",
	mapStatic+"0", "$wikictl_static0", mapStatic+"1", "$wikictl_static1", mapStatic+"2", "$wikictl_static2", mapStatic+"3", "$wikictl_static3",
)

// nginxWaits is nginx's default of fastcgi_read_timeout in seconds, which wikis without a timeout
// of their own keep.
const nginxWaits = 60

// mapEntries returns a tenant's lines in the map of host names.
func (v *View) mapEntries() ([]byte, error) {
	t := v.Tenant
	private := ""
	if v.Private {
		private = "private"
	}
	folders := slices.Concat(v.Static, slices.Repeat([]string{""}, max(0, tenants.MapFolders-len(v.Static))))
	fields := append([]string{t.Name, private, strconv.FormatInt(v.MaxBody, 10), v.Server}, folders...)
	title, err := escape.Comment(t.Sitename)
	if err != nil {
		return nil, err
	}
	text := []byte("# " + title + ". Written by wikictl: changes made here are lost.\n")
	for _, names := range []struct {
		list  []string
		value string
	}{{t.Hosts, strings.Join(fields, "|") + "|"}, {t.Aliases, ">" + v.Server}} {
		value, err := escape.Nginx(names.value)
		if err != nil {
			return nil, err
		}
		for _, name := range names.list {
			// Without a backslash some words have a meaning in a map (nginx: map).
			key, err := escape.Nginx(`\` + name)
			if err != nil {
				return nil, err
			}
			text = append(text, key+" "+value+";\n"...)
		}
	}
	return text, nil
}

// mapped renders the virtual host of all tenants, and the map by which it distinguishes
// them. Host names of removed wikis have virtual hosts of their own.
func (s *Set) mapped(f *tenants.Farm, gone []Gone) ([]byte, error) {
	v := s.mapView(f)
	head, err := s.execute(NginxMap, v)
	if err != nil {
		return nil, err
	}
	vhost, err := s.execute(NginxVhost, v)
	if err != nil {
		return nil, err
	}
	others, err := s.execute(NginxDefault, s.goneView(f, gone, true))
	return slices.Concat(head, []byte(mapVariables.Replace(string(vhost))), others), err
}

// mapView returns the view of no particular tenant. Values that all tenants share are
// taken from the first one.
func (s *Set) mapView(f *tenants.Farm) *View {
	fleet, l := s.fleet(f), f.Layout()
	t := tenants.Tenant{Articles: tenants.DefaultArticles}
	if len(f.Tenants) > 0 {
		t = *f.Tenants[0]
	}
	t.Name, t.Sitename, t.Hosts, t.Aliases, t.ByHTTP = mapName, "All wikis", []string{"_"}, nil, false
	t.Settings = nil // they belong to one wiki
	v := newView(fleet, pathsOf(&t), fleet.usual)
	v.Tenant, v.Mapped, v.Server = &t, true, mapServer
	v.Current, v.Wiki, v.Core = l.Current(mapName), l.Wiki(mapName), filepath.Join(l.Current(mapName), "core")
	v.Maintenance, v.FPM, v.AccessLog = l.Maintenance(mapName), f.Web.FPM, f.Web.AccessLog
	v.Certificate, v.CertificateKey = f.Web.Certificate, f.Web.CertificateKey
	v.MapFiles = filepath.Join(l.Vhosts(), "*"+l.VhostEnding(""))
	if f.Web.Pools {
		v.FPM = "unix:" + l.PoolSocket(mapName)
	}
	v.Listens, v.Redirects = asDefault(v.Listens), asDefault(v.Redirects)
	names := 0
	for _, t := range f.Tenants {
		v.MaxBody, v.Waits = max(v.MaxBody, maxBody(t)), max(v.Waits, waits(f.Web, t))
		names += len(t.Hosts) + len(t.Aliases)
	}
	if v.Waits > 0 {
		v.Waits = max(v.Waits, nginxWaits)
	}
	for v.MapHashSize = 2048; v.MapHashSize < 4*names; {
		v.MapHashSize *= 2
	}
	for i := range tenants.MapFolders {
		v.Static = append(v.Static, mapStatic+strconv.Itoa(i))
	}
	v.Moves = moves(&t, mapServer)
	v.limit()
	v.Symbol = "map"
	return v
}

// asDefault makes a virtual host answer for all names.
func asDefault(listens []string) []string {
	out := make([]string, len(listens))
	for i, listen := range listens {
		out[i] = listen + " default_server"
	}
	return out
}
