// Package templates renders a tenant's LocalSettings.php, virtual host and
// php-fpm pool to memory. It knows how values are written in PHP, nginx, Apache
// and php-fpm, and refuses a template that prints a value without saying how.
// It writes nothing and knows nothing of what is on disk besides the farm's own
// templates and the codebase's settings.
package templates

import (
	"bytes"
	"embed"
	"slices"

	"wikictl/tenants"
	"wikictl/tenants/secrets"
)

//go:embed *.tmpl
var builtin embed.FS

// Names of the templates, each of which the farm can replace by a file of the
// same name in its templates folder.
const (
	LocalSettings = "localsettings.php.tmpl"
	NginxVhost    = "vhost-nginx.conf.tmpl"
	NginxDefault  = "default-nginx.conf.tmpl"
	NginxMap      = "map-nginx.conf.tmpl"
	ApacheVhost   = "vhost-apache.conf.tmpl"
	ApacheDefault = "default-apache.conf.tmpl"
	FPMPool       = "pool.conf.tmpl"
)

// suffix ends the name of every template.
const suffix = ".tmpl"

// builtinPrefix begins what messages call a template that the farm has no file for.
const builtinPrefix = "built-in "

// Data is what a tenant is rendered from; templates see it as a View.
type Data struct {
	Farm     *tenants.Farm
	Tenant   *tenants.Tenant
	Codebase *tenants.Codebase // the one to render for, which need not be the wanted one
	Secrets  secrets.Secrets
}

// Rendered is what one tenant's release consists of besides its codebase.
type Rendered struct {
	LocalSettings []byte
	Vhost         []byte
	Pool          []byte // nil unless the farm has one php-fpm pool a tenant
}

// Render makes a tenant's files. The error is tenants.Problems when a value has
// no form in the file that it was meant for: nothing is ever left out or
// changed to make it fit.
func (s *Set) Render(d Data) (Rendered, error) {
	var r Rendered
	v, err := s.view(d)
	if err != nil {
		return r, v.problems(s.infos[LocalSettings].label(), err)
	}
	if r.LocalSettings, err = s.execute(LocalSettings, v); err != nil {
		return Rendered{}, err
	}
	vhost := NginxVhost
	if d.Farm.Web.Kind == "apache" {
		vhost = ApacheVhost
	}
	if d.Farm.Web.Map {
		r.Vhost, err = v.mapEntries()
	} else {
		r.Vhost, err = s.execute(vhost, v)
	}
	if err != nil {
		return Rendered{}, err
	}
	if d.Farm.Web.Pools {
		if r.Pool, err = s.execute(FPMPool, v); err != nil {
			return Rendered{}, err
		}
	}
	return r, nil
}

// Default makes the virtual hosts that answer for host names of no tenant, and for those of
// removed ones.
func (s *Set) Default(f *tenants.Farm, gone ...Gone) ([]byte, error) {
	if f.Web.Map {
		return s.mapped(f, gone)
	}
	name := NginxDefault
	if f.Web.Kind == "apache" {
		name = ApacheDefault
	}
	return s.execute(name, s.goneView(f, gone, false))
}

// goneView is the view of no tenant, and of removed ones.
func (s *Set) goneView(f *tenants.Farm, gone []Gone, mapped bool) *View {
	fleet := *s.fleet(f)
	gone = slices.Clone(gone)
	for i := range gone {
		gone[i].connect(fleet.usual)
		fleet.addNames(gone[i].Hosts...)
	}
	return &View{Fleet: &fleet, Connection: fleet.usual, Layout: f.Layout(), Gone: gone, Mapped: mapped}
}

// execute runs one template into memory of its own.
func (s *Set) execute(name string, v *View) ([]byte, error) {
	buffer, _ := s.buffers.Get().(*bytes.Buffer)
	if buffer == nil {
		buffer = new(bytes.Buffer)
	}
	defer s.buffers.Put(buffer)
	buffer.Reset()
	if err := v.templates[name].Execute(buffer, v); err != nil {
		return nil, v.problems(s.infos[name].label(), err)
	}
	return slices.Clone(buffer.Bytes()), nil
}

// NumberFile is a file of a release that holds nothing but the release's number:
// Apache reads it to resolve the link to the current release.
const NumberFile = "number"
