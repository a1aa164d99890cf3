package provision

import (
	"context"

	"wikictl/tenants"
	"wikictl/tenants/ledger"
	"wikictl/tenants/machine"
)

// checkServing blocks new tenants that this machine's web server would not serve, by its
// configuration, so that their creation does not wait for an answer in vain.
func (c *creation) checkServing(ctx context.Context, list []*tenants.Tenant) {
	var wanted []*tenants.Tenant
	for _, t := range list {
		if c.obstacles[t.Name] == nil && c.rows[t.Name].State != ledger.Ready && t.Server != nil {
			wanted = append(wanted, t)
		}
	}
	if len(wanted) == 0 {
		return
	}
	for _, found := range machine.CheckWeb(c.Farm, machine.ReadWeb(ctx, c.Farm)) {
		if found.Level < machine.Error {
			continue
		}
		for _, t := range wanted {
			c.obstacles[t.Name] = append(c.obstacles[t.Name], found.Problem())
		}
	}
}
