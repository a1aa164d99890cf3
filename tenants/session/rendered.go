package session

import (
	"context"
	"runtime"
	"slices"

	"wikictl/templates"
	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/fleet"
)

// Remember makes a source leave out tenants that were rendered from the same inputs before, and
// whose files did not change since.
func (h *Host) Remember(s *deploy.Source, list []*tenants.Tenant, on func(*tenants.Tenant) *tenants.Codebase) {
	s.Set = h.Templates
	s.Data = func(i int) templates.Data {
		return templates.Data{Farm: h.Farm, Tenant: list[i], Codebase: on(list[i])}
	}
}

// askedAtOnce is the number of tenants that AsRendered looks up at a time.
const askedAtOnce = 64

// AsRendered returns the tenants, by name, whose files are as rendered for their codebases
// according to the record, so that they need neither be rendered nor read.
func (h *Host) AsRendered(ctx context.Context, list []*tenants.Tenant) map[string]bool {
	record, same := h.options.Record, map[string]bool{}
	if record == nil {
		record = deploy.ReadRecord(h.Layout)
	}
	options := fleet.Options[[]*tenants.Tenant]{Jobs: runtime.GOMAXPROCS(0), MaxFailures: fleet.NoLimit}
	for _, r := range fleet.Run(ctx, slices.Collect(slices.Chunk(list, askedAtOnce)), options, func(_ context.Context, some []*tenants.Tenant) (found []string, _ error) {
		for _, t := range some {
			if !t.Blocked() && record.Same(h.Templates, templates.Data{Farm: h.Farm, Tenant: t, Codebase: t.Codebase}) {
				found = append(found, t.Name)
			}
		}
		return found, nil
	}) {
		for _, name := range r.Value {
			same[name] = true
		}
	}
	return same
}
