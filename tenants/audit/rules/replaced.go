package rules

import (
	"context"
	"slices"

	"wikictl/tenants"
	"wikictl/tenants/audit"
	"wikictl/tenants/audit/observe"
)

// replacing lists the rules about what a value does to MediaWiki's default.
var replacing = []string{groupMerged.ID, listShortened.ID}

// Replaced returns the findings about tables that are merged into MediaWiki's defaults and
// look as if they replaced them, and about lists that replace them and look as if they
// added to them. A codebase that can't be read has none.
func Replaced(ctx context.Context, f *tenants.Farm, list []*tenants.Tenant) ([]audit.Finding, error) {
	list = slices.DeleteFunc(slices.Clone(list), func(t *tenants.Tenant) bool { return !mayReplace(t) })
	if len(list) == 0 {
		return nil, nil
	}
	var invalid tenants.Problems // an audit reports them
	w := &wanted{Scope: observe.Scope{Farm: f, List: list}}
	w.code, w.unread = observe.ReadCode(ctx, f, list)
	r := newReporter(readIgnores(f, w.today, &invalid))
	r.compare(w)
	found := slices.DeleteFunc(r.report(w).Findings, func(f audit.Finding) bool { return !slices.Contains(replacing, f.Rule) })
	return found, ctx.Err()
}

// mayReplace reports whether a tenant sets a list, or rights of groups: codebases are read
// for those only.
func mayReplace(t *tenants.Tenant) bool {
	for name, v := range t.Settings {
		if _, isList := v.Data.([]tenants.Value); isList || slices.Contains(groupMerged.names, name) {
			return true
		}
	}
	return false
}
