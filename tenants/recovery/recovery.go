// Package recovery backs tenants up and brings them back: database, uploads, definition
// and secrets, as one archive a tenant beside a store of uploads that all share. Every
// step can be repeated, so that a run that was killed is finished by the next one. It does
// not know how a command was called or how progress is shown.
package recovery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"wikictl/tenants"
	"wikictl/tenants/backup/archive"
	"wikictl/tenants/fleet"
	"wikictl/tenants/ledger"
	"wikictl/tenants/mariadb"
	"wikictl/tenants/session"
)

// Options of a run.
type Options struct {
	Jobs     int
	Drain    <-chan struct{}
	Observer session.Observer
}

// recovery is one run of a command of this package.
type recovery struct {
	*session.Host
	o      Options
	ledger *ledger.Ledger
	run    *session.Run
	store  archive.Store
}

// task is what a run does about one tenant, under its lock.
type task struct {
	*recovery
	tenant  *tenants.Tenant
	row     ledger.Tenant // the zero row: the ledger has none
	server  *mariadb.Server
	archive string // file that was made of it
	note    string // for the result
}

// begin opens locks and ledger, and writes a run into the latter. The context ends when
// the ledger's locks are lost.
func begin(ctx context.Context, h *session.Host, command string, list []*tenants.Tenant, o Options) (*recovery, context.Context, error) {
	r := &recovery{Host: h, o: o, store: archive.NewStore(h.Layout.Archives())}
	ctx, err := h.Lock(ctx, tenants.ServersOf(list))
	if err != nil {
		return nil, nil, err
	}
	if r.ledger, err = h.Ledger(ctx); err != nil {
		return nil, nil, err
	}
	r.run, err = h.Begin(ctx, command, o.Observer)
	return r, ctx, err
}

// each does one thing for each tenant, under its lock, and returns the outcomes in the
// order of the list.
func (r *recovery) each(ctx context.Context, list []*tenants.Tenant, do func(context.Context, *task) error) ([]session.Outcome, error) {
	options := fleet.Options[*tenants.Tenant]{Jobs: r.o.Jobs, MaxFailures: fleet.NoLimit, Drain: r.o.Drain}
	results := fleet.Run(ctx, list, options, func(ctx context.Context, t *tenants.Tenant) (*task, error) {
		k := &task{recovery: r, tenant: t}
		return k, k.locked(ctx, do)
	})
	outcomes := make([]session.Outcome, len(results))
	for i, result := range results {
		o := session.Outcome{Tenant: result.Item, Status: session.Done, Err: result.Err, Elapsed: result.Elapsed}
		if k := result.Value; k != nil {
			o.Archive, o.Note = k.archive, k.note
		}
		switch {
		case !result.Started:
			o.Status = session.Skipped
		case errors.As(result.Err, new(*blockedError)):
			o.Status = session.Blocked
		case errors.As(result.Err, new(*untouchedError)):
			o.Status = session.Restored
		case result.Err != nil:
			o.Status = session.Failed
		}
		outcomes[i] = r.run.Finish(o)
	}
	return outcomes, r.run.End(ctx, outcomes)
}

// blockedError is why nothing was begun about a tenant.
type blockedError struct{ error }

// Unwrap gives the reason.
func (e *blockedError) Unwrap() error { return e.error }

// blocked is an error by which a tenant is left as it is.
func blocked(format string, args ...any) error { return &blockedError{fmt.Errorf(format, args...)} }

// untouchedError is why a tenant is as it was before the run.
type untouchedError struct{ error }

// Unwrap gives the reason.
func (e *untouchedError) Unwrap() error { return e.error }

// locked takes a tenant's lock, reads what the ledger has of it, and does something.
func (k *task) locked(ctx context.Context, do func(context.Context, *task) error) (err error) {
	if k.tenant.Server == nil {
		return &blockedError{session.InTheWay(k.tenant.Faults)}
	}
	ctx, done := k.While(ctx, k.tenant)
	defer done()
	k.o.Observer.Started(k.tenant.Name)
	locks := k.Locks(k.tenant.Server)
	if err := k.run.Step(k.tenant.Name, "lock", func() error { return locks.Acquire(ctx, k.tenant.Database) }); err != nil {
		return err
	}
	defer func() {
		after, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		_ = locks.Release(after, k.tenant.Database) // it ends with the session anyway
	}()
	if k.server, err = k.Server(ctx, k.tenant.Server); err != nil {
		return err
	}
	if k.row, _, err = k.ledger.Tenant(ctx, k.tenant.Name); err != nil {
		return err
	}
	return do(ctx, k)
}

// step is a named part of what is done about a tenant.
type step struct {
	name string
	do   func() error
}

// steps runs steps up to the first that fails, and names that. Each begins by making sure
// that the tenant's lock is still this run's.
func (k *task) steps(ctx context.Context, list []step) error {
	for _, s := range list {
		err := k.run.Step(k.tenant.Name, s.name, func() error {
			if err := k.Verify(ctx, k.tenant); err != nil {
				return err
			}
			return s.do()
		})
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}
