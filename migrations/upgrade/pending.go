package upgrade

import (
	"context"

	"wikictl/migrations/farmsql"
	"wikictl/tenants"
	"wikictl/tenants/session"
)

// PendingSQL returns, by tenant, the farm's own SQL that a Run would apply, or the
// problems with it. It writes nothing.
func PendingSQL(ctx context.Context, h *session.Host, list []*tenants.Tenant) (map[string][]string, error) {
	sql, err := farmsql.Read(h.Farm.Migrations)
	if err != nil || sql.Empty() {
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
		names, err := sql.Pending(t, seen[t.Name])
		for _, name := range names {
			pending[t.Name] = append(pending[t.Name], "apply migrations/"+name)
		}
		if err != nil {
			pending[t.Name] = append(pending[t.Name], err.Error())
		}
	}
	return pending, nil
}
