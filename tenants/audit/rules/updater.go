package rules

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"wikictl/php"
	"wikictl/tenants"
	"wikictl/tenants/audit/observe"
)

// Objections are the conflicts of a tenant's settings with its wanted code.
type Objections struct {
	Stop   []string // MediaWiki's updater refuses to run with these
	Remark []string // the new code reads these differently, or not at all
}

// remarked lists the rules whose findings a change of version can cause.
var remarked = []string{"setting-obsolete", "setting-type", "setting-value"}

// Updater returns the conflicts of settings with the wanted code for tenants that are to
// be upgraded, by tenant. MediaWiki's updater refuses to run with a setting that its
// schema calls obsolete, or deprecated with another value than the default
// (maintenance/update.php, validateSettings). Ignores do not apply.
func Updater(ctx context.Context, f *tenants.Farm, list []*tenants.Tenant) (map[string]Objections, error) {
	w := &wanted{Scope: observe.Scope{Farm: f, List: list}}
	w.code, w.unread = observe.ReadCode(ctx, f, list)
	r := newReporter(nil)
	r.compare(w)
	all := map[string]Objections{}
	for _, finding := range r.report(w).Findings {
		if !slices.Contains(remarked, finding.Rule) {
			continue
		}
		for _, name := range finding.Tenants {
			o := all[name]
			o.Remark = append(o.Remark, fmt.Sprintf("%s: $%s: %s", finding.Position, finding.Key, finding.Message))
			all[name] = o
		}
	}
	for _, t := range list {
		o := all[t.Name]
		if err := w.unread[t.Codebase]; err != nil {
			o.Stop = append(o.Stop, fmt.Sprintf("codebases.%s: %s", t.Codebase.Name, err))
		} else if code := w.code[t.Codebase]; code != nil {
			o.Stop = stopping(code, t)
		}
		all[t.Name] = o
	}
	return all, ctx.Err()
}

// stopping lists the tenant's settings that stop the updater.
func stopping(c *observe.Code, t *tenants.Tenant) []string {
	var stop []string
	for name, v := range t.Settings {
		declared, found := c.Core.Settings[name]
		why := declared.Obsolete
		if why == "" && declared.Deprecated != "" && !isDefault(v, declared) {
			why = "deprecated " + declared.Deprecated
		}
		if found && why != "" {
			stop = append(stop, fmt.Sprintf("%s: $%s: MediaWiki %s's updater does not run while it is set (%s); remove it", v.Position, name, t.Codebase.Version, why))
		}
	}
	slices.Sort(stop)
	return stop
}

// isDefault reports whether a value is the declared scalar default.
func isDefault(v tenants.Value, s php.Setting) bool {
	var value any
	return len(s.Default) > 0 && json.Unmarshal(s.Default, &value) == nil && (value != nil && same(v, value))
}
