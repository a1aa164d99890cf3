package session

import (
	"context"
	"os"
	"sync"

	"wikictl/tenants"
	"wikictl/tenants/machine"
)

// worker is the user of nginx's workers, once it was read; empty: unknown.
type worker struct {
	once sync.Once
	name string
}

// reach returns a function that returns what of the state folder and the codebases the web
// side can't reach for a tenant, or nil: nothing of the tenant would run. Only root's servers
// run as other users. It reads the user of nginx's workers once per Host.
func (h *Host) reach(ctx context.Context) func(*tenants.Tenant) *tenants.Problem {
	if os.Geteuid() != 0 {
		return func(*tenants.Tenant) *tenants.Problem { return nil }
	}
	h.worker.once.Do(func() { h.worker.name = machine.Worker(ctx, h.Farm) })
	r := machine.NewReach(h.Farm, h.worker.name)
	return func(t *tenants.Tenant) *tenants.Problem {
		b := r.Of(t)
		if b == nil {
			return nil
		}
		p := b.Problem(h.Farm)
		return &p
	}
}
