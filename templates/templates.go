// Package templates renders a tenant's LocalSettings.php, virtual host and php-fpm pool
// to memory. It writes values in the syntax of PHP, nginx, Apache and php-fpm, and
// refuses a template that prints a value without an escaper. It writes no file, and reads
// only the farm's own templates and the codebase's settings.
package templates

import (
	"bytes"
	"cmp"
	"embed"
	"slices"

	"wikictl/tenants"
	"wikictl/tenants/secrets"
)

//go:embed *.tmpl nginx/*.tmpl apache/*.tmpl
var builtin embed.FS

// Names of the templates. A file of the same name in the farm's templates folder replaces
// each.
const (
	LocalSettings = "localsettings.php.tmpl"
	NginxVhost    = "vhost-nginx.conf.tmpl"
	NginxDefault  = "default-nginx.conf.tmpl"
	NginxMap      = "map-nginx.conf.tmpl"
	ApacheVhost   = "vhost-apache.conf.tmpl"
	ApacheDefault = "default-apache.conf.tmpl"
	FPMPool       = "pool.conf.tmpl"
)

// partFiles lists the files that define parts of a built-in template, besides its own file.
var partFiles = map[string][]string{
	NginxVhost: {
		"nginx/names.tmpl", "nginx/acme.tmpl", "nginx/limits.tmpl", "nginx/shared.tmpl", "nginx/php.tmpl", "nginx/maintenance.tmpl",
		"nginx/code.tmpl", "nginx/uploads.tmpl", "nginx/pages.tmpl", "nginx/static.tmpl",
	},
	NginxDefault: {"nginx/acme.tmpl"},
	ApacheVhost: {
		"apache/names.tmpl", "apache/acme.tmpl", "apache/access.tmpl", "apache/shared.tmpl", "apache/php.tmpl", "apache/maintenance.tmpl",
		"apache/code.tmpl", "apache/uploads.tmpl", "apache/pages.tmpl", "apache/static.tmpl",
	},
	ApacheDefault: {"apache/acme.tmpl"},
}

// suffix ends the name of every template.
const suffix = ".tmpl"

// builtinPrefix begins the name of a built-in template in messages.
const builtinPrefix = "built-in "

// Data is the input for rendering one tenant; templates see it as a View.
type Data struct {
	Farm     *tenants.Farm
	Tenant   *tenants.Tenant
	Codebase *tenants.Codebase // the codebase to render for, which may differ from the wanted one
	Secrets  secrets.Secrets

	draft bool // the files are not kept: the code is not identified, which reads much of it
}

// messages is the tenant's MessageSet, or of a draft something that is written like it.
func (d Data) messages() string {
	if d.draft {
		return d.Tenant.MessageSet(&tenants.Codebase{Fingerprint: func() string { return "draft" }})
	}
	return d.Tenant.MessageSet(d.Codebase)
}

// Rendered holds the files of one tenant's release.
type Rendered struct {
	LocalSettings []byte
	Vhost         []byte
	Pool          []byte // nil unless each tenant of the farm has a php-fpm pool

	Asked []string // expressions by which the templates asked for tenants
}

// size returns the size of the files in bytes.
func (r Rendered) size() int { return len(r.LocalSettings) + len(r.Vhost) + len(r.Pool) }

// Render renders a tenant's files. The error is tenants.Problems if a value can't be
// written in its file: no value is left out or changed to make it fit.
func (s *Set) Render(d Data) (Rendered, error) {
	if r, ok := s.kept.find(d); ok {
		return r, nil
	}
	r, err := s.render(d)
	if err == nil {
		s.kept.add(d, r)
	}
	return r, err
}

func (s *Set) render(d Data) (Rendered, error) {
	var r Rendered
	v, err := s.view(d)
	if err != nil {
		return r, v.problems(s.infos[LocalSettings].label(), err)
	}
	if r.LocalSettings, err = s.execute(LocalSettings, v); err != nil {
		return Rendered{}, err
	}
	label := s.infos[LocalSettings].label()
	if err := cmp.Or(v.checkShared(r.LocalSettings, label), v.checkMedia(r.LocalSettings, label), v.checkStage(r.LocalSettings, label)); err != nil {
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
	slices.Sort(v.asked)
	r.Asked = slices.Compact(v.asked)
	return r, nil
}

// Default renders the virtual hosts for host names of no tenant, and of removed ones.
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

// goneView returns the view of removed tenants, without a tenant of its own.
func (s *Set) goneView(f *tenants.Farm, gone []Gone, mapped bool) *View {
	fleet := *s.fleet(f)
	gone = slices.Clone(gone)
	for i := range gone {
		gone[i].connect(fleet.usual)
		fleet.addNames(gone[i].Hosts...)
	}
	v := newView(&fleet, Paths{}, fleet.usual)
	v.Gone, v.Mapped = gone, mapped
	return v
}

// execute executes one template into a new buffer.
func (s *Set) execute(name string, v *View) ([]byte, error) {
	buffer, _ := s.buffers.Get().(*bytes.Buffer)
	if buffer == nil {
		buffer = new(bytes.Buffer)
	}
	defer s.buffers.Put(buffer)
	buffer.Reset()
	e := v.fleet.executors.Get().(*executor)
	defer v.fleet.executors.Put(e)
	e.asked = nil
	if err := e.template(name).Execute(buffer, v); err != nil {
		return nil, v.problems(s.infos[name].label(), err)
	}
	v.asked = append(v.asked, e.asked...)
	return slices.Clone(buffer.Bytes()), nil
}

// NumberFile is a file of a release that holds only the release's number: Apache reads it
// to resolve the link to the current release.
const NumberFile = "number"
