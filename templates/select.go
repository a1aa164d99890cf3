package templates

import (
	"errors"
	"sync"
	"text/template"

	"wikictl/tenants"
)

// fleet returns what all tenants of a farm have in common, and the templates
// with the functions that need the farm.
func (s *Set) fleet(f *tenants.Farm) *Fleet {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fleets[f] != nil {
		return s.fleets[f]
	}
	fleet := newFleet(f)
	var known sync.Map // by expression: a template asks once for every tenant
	functions := template.FuncMap{"tenants": func(where string) ([]*tenants.Tenant, error) {
		if found, ok := known.Load(where); ok {
			return found.([]*tenants.Tenant), nil
		}
		found, err := choose(f, where)
		if err == nil {
			known.Store(where, found)
		}
		return found, err
	}}
	for name, t := range s.templates {
		// A clone only fails once the original was executed.
		fleet.templates[name] = template.Must(t.Clone()).Funcs(functions)
	}
	s.fleets[f] = fleet
	return fleet
}

// choose lists the tenants that an expression such as "class=kernel" chooses.
// Unlike on the command line, none is no mistake here.
func choose(f *tenants.Farm, where string) ([]*tenants.Tenant, error) {
	found, err := tenants.Select(f, nil, where)
	if errors.Is(err, tenants.ErrNone) {
		return nil, nil
	}
	return found, err
}
