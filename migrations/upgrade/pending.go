package upgrade

import (
	"context"

	"wikictl/tenants"
	"wikictl/tenants/session"
)

// PendingSQL says, by tenant, what of the farm's own SQL a Run would apply, or what
// is wrong with it. Nothing is written.
func PendingSQL(ctx context.Context, h *session.Host, list []*tenants.Tenant) (map[string][]string, error) {
	sql, err := readFarmSQL(h.Farm.Migrations)
	if err != nil || len(sql.files) == 0 {
		return nil, err
	}
	ledger, err := h.Ledger(ctx)
	if err != nil {
		return nil, err
	}
	seen, err := ledger.FarmSQL(ctx)
	if err != nil {
		return nil, err
	}
	pending := map[string][]string{}
	for _, t := range list {
		names, err := sql.pending(t, seen[t.Name])
		for _, name := range names {
			pending[t.Name] = append(pending[t.Name], "apply migrations/"+name)
		}
		if err != nil {
			pending[t.Name] = append(pending[t.Name], err.Error())
		}
	}
	return pending, nil
}
