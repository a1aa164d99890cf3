// Package recovery backs up and restores tenants: database, uploads, definition and
// secrets, as one archive per tenant and a shared store of uploads. Every step can be
// repeated, so that the next run finishes a killed one. It knows nothing of the command
// line and of progress output.
package recovery

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"wikictl/tenants"
	"wikictl/tenants/backup/archive"
	"wikictl/tenants/backup/restic"
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

	repository *restic.Repository // for backups instead of the store; nil: the farm has none
}

// task is the work of a run on one tenant, under the tenant's lock.
type task struct {
	*recovery
	tenant  *tenants.Tenant
	row     ledger.Tenant // the zero row if the ledger has none
	server  *mariadb.Server
	further []string // its further databases
	archive string   // archive that the run made
	note    string   // note for the outcome
}

// begin opens locks and ledger, and records a run. The context ends when the ledger's
// locks are lost.
func begin(ctx context.Context, h *session.Host, command string, list []*tenants.Tenant, o Options) (*recovery, context.Context, error) {
	r := &recovery{Host: h, o: o, store: archive.NewStore(h.Layout.Archives())}
	var err error
	if r.repository, err = repositoryOf(h.Farm); err != nil {
		return nil, nil, err
	}
	ctx, err = h.Lock(ctx, tenants.ServersOf(list))
	if err != nil {
		return nil, nil, err
	}
	if r.ledger, err = h.Ledger(ctx); err != nil {
		return nil, nil, err
	}
	r.run, err = h.Begin(ctx, command, o.Observer)
	return r, ctx, err
}

// each calls a function for each tenant, under its lock, and returns the outcomes in the
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

// blockedError is the reason why nothing was started for a tenant.
type blockedError struct{ error }

// Unwrap returns the reason.
func (e *blockedError) Unwrap() error { return e.error }

// blocked returns an error that leaves a tenant unchanged.
func blocked(format string, args ...any) error { return &blockedError{fmt.Errorf(format, args...)} }

// untouchedError is the reason of a failure that left a tenant unchanged.
type untouchedError struct{ error }

// Unwrap returns the reason.
func (e *untouchedError) Unwrap() error { return e.error }

// locked takes a tenant's lock, reads its row of the ledger, and calls a function.
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
		_ = locks.Release(after, k.tenant.Database) // the lock ends with the session in any case
	}()
	if k.server, err = k.Server(ctx, k.tenant.Server); err != nil {
		return err
	}
	if k.row, _, err = k.ledger.Tenant(ctx, k.tenant.Name); err != nil {
		return err
	}
	if k.further, err = session.Further(ctx, k.ledger, k.tenant); err != nil {
		return err
	}
	if k.row.State != ledger.Recovering { // a restore was killed after its last step
		if err := os.RemoveAll(k.Layout.Restoring(k.tenant.Name)); err != nil {
			return err
		}
	}
	return do(ctx, k)
}

// step is a named step of the work on one tenant.
type step struct {
	name string
	do   func() error
}

// steps runs steps up to the first that fails, and adds its name to the error. Before
// each it checks that this run still has the tenant's lock.
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
