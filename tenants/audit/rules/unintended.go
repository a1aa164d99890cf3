package rules

import (
	"context"
	"slices"

	"wikictl/tenants"
	"wikictl/tenants/audit"
	"wikictl/tenants/audit/observe"
)

// unintended lists the rules about values that probably do something else than was intended.
var unintended = []string{groupMerged.ID, listShortened.ID, databaseDenied.ID, tablesShared.ID}

// Unintended returns the findings about tables that are merged into MediaWiki's defaults and
// look as if they replaced them, about lists that replace them and look as if they added to
// them, about databases of other tenants that the tenant may not read, and about tables of
// another database. A codebase that can't be read has none.
func Unintended(ctx context.Context, f *tenants.Farm, list []*tenants.Tenant) ([]audit.Finding, error) {
	w := &wanted{Scope: observe.Scope{Farm: f}}
	w.List = slices.DeleteFunc(slices.Clone(list), func(t *tenants.Tenant) bool {
		_, shares := t.Settings["wgSharedDB"]
		return !shares && !mayReplace(t) && !w.namesOthers(t)
	})
	if len(w.List) == 0 {
		return nil, nil
	}
	var invalid tenants.Problems // an audit reports them
	w.code, w.unread = observe.ReadCode(ctx, f, w.List)
	r := newReporter(readIgnores(f, w.today, &invalid))
	r.compare(w)
	found := slices.DeleteFunc(r.report(w).Findings, func(f audit.Finding) bool { return !slices.Contains(unintended, f.Rule) })
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
