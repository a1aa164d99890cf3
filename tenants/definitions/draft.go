package definitions

import (
	"slices"

	"wikictl/tenants"
)

// Drafted is a tenant as a draft of its definition gives it.
type Drafted struct {
	Tenant *tenants.Tenant // nil if it can't be resolved
	Wrong  tenants.Problems
}

// Draft loads the farm in dir with an additional definition, and returns the resulting
// tenant and its problems; the tenant is nil if it can't be resolved. file names the
// definition in the problems.
func Draft(dir, file string, text []byte) (*tenants.Tenant, tenants.Problems, error) {
	all, err := Drafts(dir, map[string][]byte{file: text})
	return all[file].Tenant, all[file].Wrong, err
}

// Drafts is Draft with several definitions at once, by file, which may name each other. The
// tenants are the tenants of one farm.
func Drafts(dir string, texts map[string][]byte) (map[string]Drafted, error) {
	l, err := load(dir, texts)
	if err != nil {
		return nil, err
	}
	all := map[string]Drafted{}
	for file := range texts {
		one := Drafted{Wrong: slices.DeleteFunc(slices.Clone(l.problems), func(p tenants.Problem) bool { return p.Position.File != file })}
		if i := slices.IndexFunc(l.farm.Tenants, func(t *tenants.Tenant) bool { return slices.Contains(t.Files, file) }); i >= 0 {
			one.Tenant = l.farm.Tenants[i]
			one.Wrong = append(one.Wrong, one.Tenant.Faults...)
			one.Wrong.Sort()
		}
		one.Wrong = slices.Compact(one.Wrong)
		all[file] = one
	}
	return all, nil
}
