package audit

import (
	"context"

	"wikictl/tenants"
	"wikictl/tenants/wiki"
)

// answer is what came when a tenant was asked by one of its host names.
type answer struct {
	host string
	info wiki.SiteInfo
	err  error
}

// ask asks a tenant who it is by each of its host names.
func ask(ctx context.Context, probe string, t *tenants.Tenant) []answer {
	answers := make([]answer, 0, len(t.Hosts))
	for _, name := range t.Hosts {
		info, err := wiki.Probe(ctx, probe, name)
		answers = append(answers, answer{name, info, err})
	}
	return answers
}
