package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"wikictl/tenants"
	"wikictl/tenants/fleet"
	"wikictl/tenants/ledger"
	"wikictl/tenants/mariadb"
)

// Lock opens a lock session on each server. The context ends when the session on the
// ledger's server is lost, which all tenants need; While covers the other servers. On an
// unreachable server every lock fails, and with it the tenants there.
func (h *Host) Lock(ctx context.Context, servers []*tenants.Server) (context.Context, error) {
	ledger, err := h.Ledger(ctx)
	if err != nil {
		return nil, err
	}
	for _, def := range servers {
		l, err := h.lock(ctx, def, ledger)
		switch {
		case err == nil && def == h.Farm.Ledger:
			ctx, _ = l.While(ctx) // until the end of the run
		case err == nil:
		case ctx.Err() != nil || def == h.Farm.Ledger:
			return nil, err
		default:
			l = mariadb.NoLocks(err)
		}
		h.mu.Lock()
		h.locks[def.Name] = l
		h.mu.Unlock()
	}
	return ctx, nil
}

func (h *Host) lock(ctx context.Context, def *tenants.Server, l *ledger.Ledger) (*mariadb.Locks, error) {
	s, err := h.Server(ctx, def)
	if err != nil {
		return nil, err
	}
	return s.Locks(ctx, l, h.options.Holder+", run "+h.RunID)
}

// LockAll takes the locks of tenants, and returns the errors by name. Its other results
// are those of Lock.
func (h *Host) LockAll(ctx context.Context, list []*tenants.Tenant) (context.Context, map[string]error, error) {
	databases := map[*tenants.Server][]string{}
	servers := tenants.ServersOf(list)
	for _, t := range list {
		databases[t.Server] = append(databases[t.Server], t.Database)
	}
	ctx, err := h.Lock(ctx, servers)
	if err != nil {
		return nil, nil, err
	}
	refused := map[string]error{}
	for _, def := range servers {
		why := h.Locks(def).AcquireAll(ctx, databases[def])
		for _, t := range list {
			if t.Server == def && why[t.Database] != nil {
				refused[t.Name] = why[t.Database]
			}
		}
	}
	return ctx, refused, nil
}

// Await takes a lock on a server. If another run holds it, Await says once what the run waits for,
// by waiting, and waits until the lock is free, ctx ends or drain is closed (fleet.ErrDrained).
func (h *Host) Await(ctx context.Context, def *tenants.Server, lock string, drain <-chan struct{}, waiting func(holder string) string) error {
	said := false
	for {
		err := h.Locks(def).Acquire(ctx, lock)
		var locked *mariadb.LockedError
		if !errors.As(err, &locked) {
			return err
		}
		if !said {
			h.Say(waiting(locked.Holder))
			said = true
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-drain:
			return fleet.ErrDrained
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// Locks returns the session that Lock opened on a server.
func (h *Host) Locks(def *tenants.Server) *mariadb.Locks {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.locks[def.Name]
}

// While returns a context for work on one tenant under its lock. It also ends when this
// run's locks on the tenant's server are lost. Call done after the work.
func (h *Host) While(ctx context.Context, t *tenants.Tenant) (held context.Context, done context.CancelFunc) {
	if l := h.locksOf(t); l != nil {
		return l.While(ctx)
	}
	return context.WithCancel(ctx)
}

// Lost returns the error if this run has noticed the loss of a tenant's lock, otherwise
// nil.
func (h *Host) Lost(t *tenants.Tenant) error {
	if l := h.locksOf(t); l != nil {
		return l.Lost()
	}
	return nil
}

func (h *Host) locksOf(t *tenants.Tenant) *mariadb.Locks {
	if t.Server == nil {
		return nil
	}
	return h.Locks(t.Server)
}

// Verify asks a tenant's server whether this run still holds the tenant's lock. Call it
// before an irreversible step.
func (h *Host) Verify(ctx context.Context, t *tenants.Tenant) error {
	l := h.Locks(t.Server)
	if l == nil {
		return fmt.Errorf("tenant %s: no lock was taken on server %s", t.Name, t.Server.Name)
	}
	return l.Verify(ctx, t.Database)
}
