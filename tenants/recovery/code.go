package recovery

import (
	"maps"
	"slices"

	"wikictl/tenants"
	"wikictl/tenants/mediawiki"
)

// codebases are those of a farm that are whole, the tenant's own first.
func codebases(f *tenants.Farm, t *tenants.Tenant) []*tenants.Codebase {
	list := []*tenants.Codebase{t.Codebase}
	for _, name := range slices.Sorted(maps.Keys(f.Codebases)) {
		if c := f.Codebases[name]; c != t.Codebase && len(c.Faults) == 0 {
			list = append(list, c)
		}
	}
	return list
}

// schemaOf is the part of a version by which MediaWiki changes its schema: 1 and 43 of
// 1.43.9 (Version lifecycle).
func schemaOf(version string) []int {
	numbers := mediawiki.Numbers(version)
	return numbers[:min(2, len(numbers))]
}

func newerSchema(a, b string) bool { return slices.Compare(schemaOf(a), schemaOf(b)) > 0 }

func sameSchema(a, b string) bool { return slices.Equal(schemaOf(a), schemaOf(b)) }
