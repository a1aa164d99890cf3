package provision

import (
	"context"
	"slices"

	"wikictl/tenants"
	"wikictl/tenants/plan"
)

// replicated waits until replicas have the databases and accounts of the tenants to publish.
// It returns those to publish, and why the others can't be, by name.
func (c *creation) replicated(ctx context.Context, jobs []*job) (refused map[string]error, ready []*job) {
	refused = map[string]error{}
	behind := map[*tenants.Server]error{}
	for _, server := range tenants.ServersOf(tenantsOf(jobs)) {
		if len(server.Replicas) > 0 {
			behind[server] = c.run.Shared("", "replicas", func() error { return c.Replicated(ctx, server) })
		}
	}
	return refused, slices.DeleteFunc(slices.Clone(jobs), func(j *job) bool {
		why := behind[j.tenant.Server]
		if why == nil || j.kind == plan.Undefined {
			return false
		}
		refused[j.tenant.Name] = why
		return true
	})
}
