package session

import (
	"context"
	"os"
	"sync"

	"wikictl/tenants"
	"wikictl/tenants/machine"
)

// worker caches the user of nginx's workers; empty: unknown.
type worker struct {
	once sync.Once
	name string
}

// reach returns a function that returns the problem of a tenant for which the web server or PHP
// can't reach the state folder or a codebase, or nil. Without root, all run as one user, and
// it always returns nil. It reads the user of nginx's workers once per Host.
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
