package mariadb

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"wikictl/tenants/process"
)

// writeGrants are the privileges of webGrants that change rows.
const writeGrants = "INSERT, UPDATE, DELETE"

// errNoGrant is the error of a REVOKE of privileges that were not granted.
const errNoGrant = 1141

// underWay is how long Freeze waits for requests that began before their wiki was read-only
// and have not connected yet: they would be refused in the middle.
const underWay = 200 * time.Millisecond

// Wait says how requests to a wiki are waited for.
type Wait struct {
	Patience time.Duration // connections that are open for longer are killed; zero: at once
	Counted  bool          // none is under way that has not connected yet
}

// Freeze revokes the web account's privilege to write, and waits until the connections
// that had it are closed: the server checks a database's grants when a connection is
// made. Connections that are open for longer than the wait are killed; the server rolls
// back their uncommitted writes. Reads continue. It does the same with what other tenants may
// write into shared tables; their sites are read-only by then.
func (s *Server) Freeze(ctx context.Context, a Accounts, wait Wait) error {
	if err := s.Mark(ctx, a); err != nil {
		return err
	}
	if err := s.own(ctx, a); err != nil {
		return err
	}
	if wait.Patience > 0 && !wait.Counted {
		if err := process.Pause(ctx, underWay); err != nil {
			return err
		}
	}
	web := account(a.Web.Name, a.Host)
	for _, database := range a.databases() {
		_, err := s.db.ExecContext(ctx, "REVOKE "+writeGrants+" ON "+quotePattern(database)+".* FROM "+web)
		if err != nil && !isError(err, errNoGrant) {
			return fmt.Errorf("stop %s from writing: %w", web, err)
		}
	}
	deadline := time.Now().Add(wait.Patience)
	if err := s.closed(ctx, a.webs(), deadline); err != nil || len(a.Sharers) == 0 {
		return err
	}
	// The server checks grants on tables even in the middle of a request, but no request of
	// before runs any more.
	if err := s.stopWriters(ctx, a); err != nil {
		return err
	}
	return s.closed(ctx, a.Sharers, deadline)
}

// closed waits until the present connections of accounts are closed, and kills those that are
// open at the deadline.
func (s *Server) closed(ctx context.Context, users []string, deadline time.Time) error {
	before, err := s.connectionsOf(ctx, users...)
	if err != nil {
		return err
	}
	for len(before) > 0 && time.Now().Before(deadline) {
		if err := process.Pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
		now, err := s.connectionsOf(ctx, users...)
		if err != nil {
			return err
		}
		before = both(before, now)
	}
	return s.kill(ctx, before)
}

// webs returns the accounts by which requests write into the tenant's tables.
func (a Accounts) webs() []string { return append([]string{a.Web.Name}, a.Sharers...) }

// quietPoll is the interval at which Quiet counts the running requests.
const quietPoll = 50 * time.Millisecond

// quiet is how long an account must have no connection before its wiki counts as idle: a
// request connects some time after it began.
const quiet = 150 * time.Millisecond

// Quiet waits until no request of a tenant's wiki is running, once the web server admits
// no more. It kills connections that are open for longer than the wait.
func (s *Server) Quiet(ctx context.Context, a Accounts, wait Wait) error {
	deadline, since := time.Now().Add(wait.Patience), time.Now()
	for {
		ids, err := s.connectionsOf(ctx, a.webs()...)
		if err != nil {
			return err
		}
		switch now := time.Now(); {
		case len(ids) > 0 && now.After(deadline):
			return s.kill(ctx, ids)
		case len(ids) > 0:
			since = now
		case wait.Counted, now.Sub(since) >= quiet:
			return nil
		}
		if err := process.Pause(ctx, quietPoll); err != nil {
			return err
		}
	}
}

// Thaw grants the web account the privileges that Freeze revoked.
func (s *Server) Thaw(ctx context.Context, a Accounts) error {
	if err := s.own(ctx, a); err != nil {
		return err
	}
	web := account(a.Web.Name, a.Host)
	for _, database := range a.databases() {
		if _, err := s.db.ExecContext(ctx, GrantStatement(database, a.Web.Name, a.Host, false)); err != nil {
			return fmt.Errorf("let %s write: %w", web, err)
		}
	}
	return s.letWriters(ctx, a)
}

// Waiting returns the state of an account's connection that is waiting, such as "Waiting
// for table metadata lock", or "".
func (s *Server) Waiting(ctx context.Context, user string) (state string, err error) {
	err = s.connections(ctx, listConnections, func(r record) {
		if r["User"] == user && strings.HasPrefix(r["State"], "Waiting") {
			state = r["State"]
		}
	})
	return state, err
}

// connectionsOf lists the ids of accounts' connections.
func (s *Server) connectionsOf(ctx context.Context, users ...string) ([]int64, error) {
	return s.connectionsWhere(ctx, listConnections, func(r record) bool { return slices.Contains(users, r["User"]) })
}

func both(a, b []int64) []int64 {
	in := map[int64]bool{}
	for _, id := range b {
		in[id] = true
	}
	var common []int64
	for _, id := range a {
		if in[id] {
			common = append(common, id)
		}
	}
	return common
}
