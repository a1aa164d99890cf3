package definitions

import (
	"slices"

	"wikictl/tenants"
)

// draft is a definition that is not among the farm's files yet.
type draft struct {
	file string // in the place of its file's name
	text []byte
}

// Draft loads the farm in dir with an additional definition, and returns the resulting
// tenant and its problems; the tenant is nil if it can't be resolved. file names the
// definition in the problems.
func Draft(dir, file string, text []byte) (*tenants.Tenant, tenants.Problems, error) {
	l, err := load(dir, &draft{file, text})
	if err != nil {
		return nil, nil, err
	}
	wrong := slices.DeleteFunc(l.problems, func(p tenants.Problem) bool { return p.Position.File != file })
	i := slices.IndexFunc(l.farm.Tenants, func(t *tenants.Tenant) bool { return slices.Contains(t.Files, file) })
	if i < 0 {
		return nil, wrong, nil
	}
	t := l.farm.Tenants[i]
	wrong = append(wrong, t.Faults...)
	wrong.Sort()
	return t, slices.Compact(wrong), nil
}
