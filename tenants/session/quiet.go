package session

import (
	"context"
	"fmt"
	"time"

	"wikictl/tenants"
	"wikictl/tenants/mariadb"
)

// Freeze waits until the requests have ended that began before a tenant's wiki was read-only,
// and then has the server refuse writes by its web account, as mariadb.Server.Freeze does.
// Requests are ended that take longer than patience.
func (h *Host) Freeze(ctx context.Context, t *tenants.Tenant, a mariadb.Accounts, patience time.Duration) error {
	server, wait, err := h.ended(ctx, t, a, false, patience)
	if err != nil {
		return err
	}
	return server.Freeze(ctx, a, wait)
}

// Quiet waits until no request of a tenant's wiki is running on its server and the replicas,
// once the web server admits no more. It closes connections that are open for longer than
// patience.
func (h *Host) Quiet(ctx context.Context, t *tenants.Tenant, a mariadb.Accounts, patience time.Duration) error {
	server, wait, err := h.ended(ctx, t, a, true, patience)
	if err != nil {
		return err
	}
	if err := server.Quiet(ctx, a, wait); err != nil {
		return err
	}
	return h.eachReplica(ctx, t.Server, func(ctx context.Context, replica *tenants.Server) error {
		limited, cancel := context.WithTimeout(ctx, wait.Patience+hangLimit)
		defer cancel()
		server, err := h.Server(limited, replica)
		if err == nil {
			err = server.Quiet(limited, a, wait)
		}
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil && !mariadb.IsDown(err):
			return fmt.Errorf("%s: %w", replica.Label(), err)
		case err != nil:
			h.leaveOut(replica, err.Error())
		}
		return nil
	})
}

// ended waits until requests have ended that use a tenant's tables: its own, those of the wikis
// that share its accounts and, with all, of those that show its files. It returns the tenant's
// server and the rest of patience.
func (h *Host) ended(ctx context.Context, t *tenants.Tenant, a mariadb.Accounts, all bool, patience time.Duration) (s *mariadb.Server, wait mariadb.Wait, err error) {
	if s, err = h.Server(ctx, t.Server); err != nil {
		return nil, wait, err
	}
	using := []*tenants.Tenant{t}
	if len(a.Sharers) > 0 {
		members, err := h.MembersOf(ctx, t)
		if err != nil {
			return nil, wait, err
		}
		using = append(using, members...)
	}
	if all {
		using = append(using, t.Viewers...)
	}
	deadline, counted := time.Now().Add(patience), true
	for _, one := range using {
		known, err := h.Deploy.Ended(ctx, one.Name, all, time.Until(deadline))
		if err != nil {
			return nil, wait, err
		}
		counted = counted && known
	}
	return s, mariadb.Wait{Patience: max(time.Until(deadline), 0), Counted: counted}, nil
}
