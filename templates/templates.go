// Package templates renders a tenant's LocalSettings.php, virtual host and
// php-fpm pool to memory. It knows how values are written in PHP, nginx, Apache
// and php-fpm, and refuses a template that prints a value without saying how.
// It writes nothing and knows nothing of what is on disk besides the farm's own
// templates and the codebase's settings.
package templates

import (
	"bytes"
	"embed"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"text/template"

	"wikictl/tenants"
	"wikictl/tenants/disk"
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

// Set is every template, ready to render. It may be used by many goroutines.
type Set struct {
	// Created reports whether the ledger has a tenant, for templates that ask; nil: each
	// counts as created. It is set before the first tenant is rendered.
	Created func(tenant string) (bool, error)

	asks      bool // a template asks which tenants were created
	templates map[string]*template.Template
	files     map[string]string // where each came from, for messages
	buffers   sync.Pool

	mu        sync.Mutex
	codebases map[*tenants.Codebase]*coreSettings
	fleets    map[*tenants.Farm]*Fleet
}

// Load reads the templates; a file dir/NAME replaces the built-in one. The
// error is tenants.Problems when a template does not parse, prints without an
// escaper, or has a name that nothing uses. dir need not exist.
func Load(dir string) (*Set, error) {
	s := &Set{
		templates: map[string]*template.Template{}, files: map[string]string{},
		codebases: map[*tenants.Codebase]*coreSettings{}, fleets: map[*tenants.Farm]*Fleet{},
	}
	own, problems := ownTemplates(dir)
	if len(problems) > 0 {
		return nil, problems
	}
	for _, name := range names() {
		file, text := builtinPrefix+name, own[name]
		if text != nil {
			file = filepath.Join(filepath.Base(dir), name)
		} else {
			var err error
			if text, err = builtin.ReadFile(name); err != nil {
				return nil, err
			}
		}
		s.asks = s.asks || bytes.Contains(text, []byte(".Created"))
		t, found := parseTemplate(name, file, string(text))
		s.templates[name], s.files[name] = t, file
		problems = append(problems, found...)
		delete(own, name)
	}
	for name := range own {
		problems = append(problems, tenants.Problem{
			Position: tenants.Position{File: filepath.Join(filepath.Base(dir), name)},
			Message:  "replaces no template",
			Hint:     "there are " + strings.Join(names(), ", "),
		})
	}
	if len(problems) > 0 {
		problems.Sort()
		return nil, problems
	}
	return s, nil
}

func names() []string {
	return []string{LocalSettings, NginxVhost, NginxDefault, ApacheVhost, ApacheDefault, FPMPool}
}

// ownTemplates reads the farm's own templates.
func ownTemplates(dir string) (map[string][]byte, tenants.Problems) {
	own := map[string][]byte{}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) || dir == "" {
		return own, nil
	}
	unread := func(file string, err error) tenants.Problem {
		return tenants.Problem{Position: tenants.Position{File: file}, Message: disk.Reason(err), Hint: "wikictl reads own templates from here"}
	}
	if err != nil {
		return nil, tenants.Problems{unread(filepath.Base(dir), err)}
	}
	var problems tenants.Problems
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), suffix) {
			continue
		}
		if own[e.Name()], err = disk.Read(filepath.Join(dir, e.Name())); err != nil {
			problems = append(problems, unread(filepath.Join(filepath.Base(dir), e.Name()), err))
		}
	}
	return own, problems
}

// Render makes a tenant's files. The error is tenants.Problems when a value has
// no form in the file that it was meant for: nothing is ever left out or
// changed to make it fit.
func (s *Set) Render(d Data) (Rendered, error) {
	var r Rendered
	v, err := s.view(d)
	if err != nil {
		return r, v.problems(s.files[LocalSettings], err)
	}
	if r.LocalSettings, err = s.execute(LocalSettings, v); err != nil {
		return Rendered{}, err
	}
	vhost := NginxVhost
	if d.Farm.Web.Kind == "apache" {
		vhost = ApacheVhost
	}
	if r.Vhost, err = s.execute(vhost, v); err != nil {
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
	name := NginxDefault
	if f.Web.Kind == "apache" {
		name = ApacheDefault
	}
	fleet := *s.fleet(f)
	gone = slices.Clone(gone)
	for i := range gone {
		gone[i].connect(fleet.usual)
		fleet.addNames(gone[i].Hosts...)
	}
	return s.execute(name, &View{Fleet: &fleet, Connection: fleet.usual, Layout: f.Layout(), Gone: gone})
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
		return nil, v.problems(s.files[name], err)
	}
	return slices.Clone(buffer.Bytes()), nil
}

// NumberFile is a file of a release that holds nothing but the release's number:
// Apache reads it to resolve the link to the current release.
const NumberFile = "number"
