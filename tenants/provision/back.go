package provision

import (
	"context"

	"wikictl/tenants/ledger"
)

// half maps the ledger's names of tenants whose rename was interrupted to the other
// names, under which their files are.
type half map[string]string

// halfRenamed finds interrupted renames by the links that Deploy.Rename leaves.
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

// whose returns the tenant whose files are under a name that the ledger does not have, or
// "".
func (h half) whose(name string) string {
	for tenant, other := range h {
		if other == name {
			return tenant
		}
	}
	return ""
}

// moveBack moves the files of a tenant back under the name in the ledger, after an
// interrupted rename that is no longer wanted.
func (c *creation) moveBack(ctx context.Context, j *job) error {
	if err := c.same(ctx, j); err != nil {
		return err
	}
	j.back = c.half[j.tenant.Name]
	return c.Deploy.RenameBack(ctx, j.back, j.tenant.Name)
}
