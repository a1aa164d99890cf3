package provision

import (
	"context"

	"wikictl/tenants"
	"wikictl/tenants/ledger"
	"wikictl/tenants/machine"
)

// judgeServing blocks the tenants that are to be made where the web server of this
// machine would not serve them, as its configuration says: a wiki that is made and not
// served is found out by waiting for its first answer.
func (c *creation) judgeServing(ctx context.Context, list []*tenants.Tenant) {
	var wanted []*tenants.Tenant
	for _, t := range list {
		if c.obstacles[t.Name] == nil && c.rows[t.Name].State != ledger.Ready && t.Server != nil {
			wanted = append(wanted, t)
		}
	}
	if len(wanted) == 0 {
		return
	}
	for _, found := range machine.JudgeWeb(c.Farm, machine.ReadWeb(ctx, c.Farm)) {
		if found.Level < machine.Error {
			continue
		}
		for _, t := range wanted {
			c.obstacles[t.Name] = append(c.obstacles[t.Name], found.Problem())
		}
	}
}
