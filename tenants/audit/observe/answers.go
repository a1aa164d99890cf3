package observe

import (
	"context"

	"wikictl/tenants"
	"wikictl/tenants/wiki"
)

// Answer is a tenant's answer for one of its host names.
type Answer struct {
	Host string // one of Tenant.Places
	Info wiki.SiteInfo
	Err  error
}

// ask requests a tenant's site information for each of its host names.
func ask(ctx context.Context, probe string, t *tenants.Tenant) []Answer {
	answers := make([]Answer, 0, len(t.Hosts))
	for _, name := range t.Places() {
		info, err := wiki.Probe(ctx, probe, name)
		answers = append(answers, Answer{name, info, err})
	}
	return answers
}
