package templates

import (
	"errors"
	html "html/template"
	"strings"
	"sync"
	"text/template"

	"wikictl/tenants"
)

// Member is a tenant of the farm as seen by the templates of other tenants.
type Member struct {
	*tenants.Tenant
	Address string // without a path, as $wgServer has it
	Scripts string // address of its entry points, such as index.php, without a slash at the end
	Pages   string // address of its pages, with $1 for the title

	created func(tenant string) (bool, error)
}

// Created reports whether the ledger has the tenant: it was created, or this run creates
// it.
func (m *Member) Created() (bool, error) { return m.created(m.Name) }

// created calls Set.Created, which may be set after members were chosen.
func (s *Set) created(tenant string) (bool, error) {
	if s.Created == nil {
		return true, nil
	}
	return s.Created(tenant)
}

// AsksCreated reports whether a template may call Created.
func (s *Set) AsksCreated() bool { return s.asks }

// members converts tenants for templates. It includes blocked tenants, which stay served,
// unless their definition has no host.
func (s *Set) members(f *tenants.Farm, list []*tenants.Tenant) []*Member {
	all := make([]*Member, 0, len(list))
	for _, t := range list {
		if len(t.Hosts) == 0 {
			continue
		}
		address := f.Web.AddressOf(t)
		all = append(all, &Member{Tenant: t, Address: address, Scripts: address + t.ScriptPath, Pages: address + t.Articles, created: s.created})
	}
	return all
}

// fleet returns the values that all tenants of a farm share, and the templates with the
// functions that need the farm.
func (s *Set) fleet(f *tenants.Farm) *Fleet {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fleets[f] != nil {
		return s.fleets[f]
	}
	fleet := newFleet(f)
	fleet.ask = s.asking(f)
	fleet.executors.New = func() any { return s.executor(fleet.ask) }
	functions := html.FuncMap{"tenants": func(where ...string) ([]*Member, error) { return ask(fleet.ask, where) }}
	for name, t := range s.pages {
		fleet.pages[name] = html.Must(t.Clone()).Funcs(functions)
	}
	s.fleets[f] = fleet
	return fleet
}

// executor executes templates, one at a time, and records the expressions by which they ask for
// tenants.
type executor struct {
	set       *Set
	functions template.FuncMap
	templates map[string]*template.Template // that were executed
	asked     []string                      // expressions
}

func (s *Set) executor(members asker) *executor {
	e := &executor{set: s, templates: map[string]*template.Template{}}
	e.functions = template.FuncMap{"tenants": func(where ...string) ([]*Member, error) {
		e.asked = append(e.asked, joined(where))
		return ask(members, where)
	}}
	return e
}

// template returns the template of a name, with the functions that need the farm.
func (e *executor) template(name string) *template.Template {
	if e.templates[name] == nil {
		// A clone fails only after the original was executed.
		e.templates[name] = template.Must(e.set.templates[name]().Clone()).Funcs(e.functions)
	}
	return e.templates[name]
}

// asker returns the tenants that an expression chooses: all of them if it is empty.
type asker = func(where string) ([]*Member, error)

// ask returns the tenants that each of several expressions chooses.
func ask(members asker, where []string) ([]*Member, error) {
	for _, w := range where {
		if strings.TrimSpace(w) == "" {
			return nil, errors.New(`tenants "" selects no wiki: leave the text out to select all`)
		}
	}
	return members(joined(where))
}

// joined returns the expression that chooses the tenants that all given expressions choose.
func joined(where []string) string {
	if len(where) < 2 {
		return strings.Join(where, "")
	}
	return "(" + strings.Join(where, ") and (") + ")"
}

// asking returns the function that selects tenants. It keeps results, because most templates
// ask the same for every tenant.
func (s *Set) asking(f *tenants.Farm) asker {
	var known sync.Map // by expression
	return func(where string) ([]*Member, error) {
		if found, ok := known.Load(where); ok {
			return found.([]*Member), nil
		}
		found, err := choose(f, where)
		if err != nil {
			return nil, err
		}
		list := s.members(f, found)
		known.Store(where, list)
		return list, nil
	}
}

// choose lists the tenants that an expression such as "class=kernel" chooses, and all for
// an empty one. Unlike on the command line, an empty result is no mistake.
func choose(f *tenants.Farm, where string) ([]*tenants.Tenant, error) {
	if where == "" {
		return f.Tenants, nil
	}
	found, err := tenants.Select(f, nil, where)
	if errors.Is(err, tenants.ErrNone) {
		return nil, nil
	}
	return found, err
}
