package templates

import (
	"sync"
	"text/template"

	"wikictl/tenants"
)

// bind gives the template of that name the functions that need the farm.
func (s *Set) bind(f *tenants.Farm, name string) (*template.Template, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.bound[f][name]; t != nil {
		return t, nil
	}
	t, err := s.templates[name].Clone()
	if err != nil {
		return nil, err
	}
	var known sync.Map // by expression: a template asks once for every tenant
	t.Funcs(template.FuncMap{"tenants": func(where string) ([]*tenants.Tenant, error) {
		if found, ok := known.Load(where); ok {
			return found.([]*tenants.Tenant), nil
		}
		found, err := choose(f, where)
		if err == nil {
			known.Store(where, found)
		}
		return found, err
	}})
	if s.bound[f] == nil {
		s.bound[f] = map[string]*template.Template{}
	}
	s.bound[f][name] = t
	return t, nil
}

// choose lists the tenants that an expression such as "class=kernel" chooses.
// Unlike on the command line, none is no mistake here.
func choose(f *tenants.Farm, where string) ([]*tenants.Tenant, error) {
	found, err := tenants.Select(f, nil, where)
	if err == nil {
		return found, nil
	}
	if _, wrong := tenants.Select(f, nil, "("+where+") or name=*"); wrong != nil {
		return nil, err
	}
	return nil, nil
}
