package audit

import (
	"context"
	"errors"
	"io/fs"

	"wikictl/tenants/host"
	"wikictl/tenants/mariadb"
)

// serverState is what one server says.
type serverState struct {
	err error // it can't be reached; nothing else is known then
}

// lookAtServers asks every server of the farm, each by a fixed number of queries.
func lookAtServers(ctx context.Context, h *host.Host) map[string]serverState {
	states := map[string]serverState{}
	for name, def := range h.Farm.Servers {
		_, err := h.Server(ctx, def)
		states[name] = serverState{err: err}
	}
	return states
}

// lookAtLedger reads the ledger's tenants; none when there is no ledger or its
// server can't be reached, which is another rule's finding.
func lookAtLedger(ctx context.Context, h *host.Host) (map[string]mariadb.TenantRow, error) {
	if _, err := h.Server(ctx, h.Farm.Ledger); err != nil {
		return nil, nil
	}
	ledger, err := h.Ledger(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return ledger.Tenants(ctx)
}
