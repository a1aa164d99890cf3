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

// created asks Created, which may be set after members were chosen.
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
	ask := s.asking(f)
	functions := template.FuncMap{"tenants": ask}
	for name, t := range s.templates {
		// A clone fails only after the original was executed.
		fleet.templates[name] = template.Must(t.Clone()).Funcs(functions)
	}
	for name, t := range s.pages {
		fleet.pages[name] = html.Must(t.Clone()).Funcs(html.FuncMap{"tenants": ask})
	}
	s.fleets[f] = fleet
	return fleet
}

// asking returns the function by which templates select tenants: all of them, or those
// that each of several expressions chooses. It keeps results, because most templates ask
// the same for every tenant.
func (s *Set) asking(f *tenants.Farm) func(where ...string) ([]*Member, error) {
	var known sync.Map // by expression
	return func(where ...string) ([]*Member, error) {
		for _, w := range where {
			if strings.TrimSpace(w) == "" {
				return nil, errors.New(`tenants "" chooses no wiki: leave the text out for all of them`)
			}
		}
		all := strings.Join(where, ") and (")
		if len(where) > 1 {
			all = "(" + all + ")"
		}
		if found, ok := known.Load(all); ok {
			return found.([]*Member), nil
		}
		found, err := choose(f, all)
		if err != nil {
			return nil, err
		}
		list := s.members(f, found)
		known.Store(all, list)
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
