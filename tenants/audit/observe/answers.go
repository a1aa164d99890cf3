package observe

import (
	"context"

	"wikictl/tenants"
	"wikictl/tenants/wiki"
)

// Answer is what came when a tenant was asked by one of its host names.
type Answer struct {
	Host string
	Info wiki.SiteInfo
	Err  error
}

// ask asks a tenant who it is by each of its host names.
func ask(ctx context.Context, probe string, t *tenants.Tenant) []Answer {
	answers := make([]Answer, 0, len(t.Hosts))
	for _, name := range t.Hosts {
		info, err := wiki.Probe(ctx, probe, name)
		answers = append(answers, Answer{name, info, err})
	}
	return answers
}
