package audit

import (
	"context"

	"wikictl/tenants/host"
	"wikictl/tenants/mariadb"
)

// there is what is really there, as far as it could be looked at. The rules
// compare it with what is wanted.
type there struct {
	servers map[string]serverState       // by name
	ledger  map[string]mariadb.TenantRow // by tenant; nil when it can't be read
	disk    map[string]diskState         // by tenant
}

// gather looks at everything once, before any rule does.
func gather(ctx context.Context, h *host.Host, w *wanted) (*there, error) {
	t := &there{servers: lookAtServers(ctx, h)}
	var err error
	if t.ledger, err = lookAtLedger(ctx, h); err != nil {
		return nil, err
	}
	t.disk, err = lookAtDisk(ctx, h, w.list)
	return t, err
}
