package provision

import (
	"context"

	"wikictl/tenants/ledger"
)

// half are renames that were interrupted, and have to be ended or to go back: by the
// name that the ledger has, the other name, under which files are.
type half map[string]string

// halfRenamed tells interrupted renames by the links that Deploy.Rename leaves.
func halfRenamed(aliases map[string]string, rows map[string]ledger.Tenant) half {
	h := half{}
	for from, to := range aliases {
		if _, known := rows[from]; known {
			h[from] = to
		} else if _, known := rows[to]; known {
			h[to] = from
		}
	}
	return h
}

// whose is the tenant whose files are under a name that the ledger gives to nobody.
func (h half) whose(name string) string {
	for tenant, other := range h {
		if other == name {
			return tenant
		}
	}
	return ""
}

// moveBack brings the files of a tenant, whose rename was interrupted and is not
// wanted any more, under the name that the ledger has.
func (c *creation) moveBack(ctx context.Context, j *job) error {
	if err := c.same(ctx, j); err != nil {
		return err
	}
	j.back = c.half[j.tenant.Name]
	return c.Deploy.RenameBack(ctx, j.back, j.tenant.Name)
}
