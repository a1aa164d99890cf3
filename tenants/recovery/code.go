package recovery

import (
	"maps"
	"slices"

	"wikictl/tenants"
)

// codebases returns a farm's usable codebases, the tenant's own first.
func codebases(f *tenants.Farm, t *tenants.Tenant) []*tenants.Codebase {
	list := []*tenants.Codebase{t.Codebase}
	for _, name := range slices.Sorted(maps.Keys(f.Codebases)) {
		if c := f.Codebases[name]; c != t.Codebase && len(c.Faults) == 0 {
			list = append(list, c)
		}
	}
	return list
}
