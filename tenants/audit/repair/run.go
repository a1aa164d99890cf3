package repair

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"wikictl/tenants"
	"wikictl/tenants/fleet"
	"wikictl/tenants/ledger"
	"wikictl/tenants/session"
)

// Run performs repairs, each under its tenant's lock and recorded in the ledger. It
// returns outcomes of the tenants, and an error of the run or of the farm's own repairs.
// h must not be read-only.
func Run(ctx context.Context, h *session.Host, list []Repair, o session.Observer) (outcomes []session.Outcome, err error) {
	var errs error
	var work []*tenants.Tenant
	of := map[*tenants.Tenant][]Repair{}
	for _, m := range list {
		t := h.Farm.Tenant(m.Tenant)
		if t == nil {
			errs = errors.Join(errs, m.run(ctx, h))
			continue
		}
		if of[t] == nil {
			work = append(work, t)
		}
		of[t] = append(of[t], m)
	}
	if len(work) == 0 {
		return nil, errs
	}
	if ctx, err = h.Lock(ctx, tenants.ServersOf(work)); err != nil {
		return nil, errors.Join(errs, err)
	}
	run, err := h.Begin(ctx, "fix", o)
	if err != nil {
		return nil, errors.Join(errs, err)
	}
	for _, r := range fleet.Run(ctx, work, fleet.Options[*tenants.Tenant]{Jobs: 2 * runtime.GOMAXPROCS(0), MaxFailures: fleet.NoLimit, Drain: h.Drain()},
		func(ctx context.Context, t *tenants.Tenant) (struct{}, error) {
			o.Started(t.Name)
			ctx, done := h.While(ctx, t)
			defer done()
			return struct{}{}, one(ctx, h, run, t, of[t])
		}) {
		outcomes = append(outcomes, run.Finish(outcome(r)))
	}
	return outcomes, errors.Join(errs, run.End(ctx, outcomes))
}

// outcome returns the outcome of one tenant.
func outcome(r fleet.Result[*tenants.Tenant, struct{}]) session.Outcome {
	o := session.Outcome{Tenant: r.Item, Status: session.Done, Err: r.Err, Elapsed: r.Elapsed}
	switch {
	case !r.Started:
		o.Status = session.Skipped
	case r.Err != nil:
		o.Status = session.Failed
	}
	return o
}

// one repairs one tenant. It continues after a failed repair.
func one(ctx context.Context, h *session.Host, run *session.Run, t *tenants.Tenant, list []Repair) (err error) {
	locks := h.Locks(t.Server)
	if err := run.Step(t.Name, "lock", func() error { return locks.Acquire(ctx, t.Database) }); err != nil {
		return err
	}
	defer func() { // even if ctx has ended
		after, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		err = errors.Join(err, locks.Release(after, t.Database))
	}()
	l, err := h.Ledger(ctx)
	if err != nil {
		return err
	}
	row, _, err := l.Tenant(ctx, t.Name)
	if err != nil {
		return err
	}
	_, open, err := l.OpenUpgrade(ctx, t.Name)
	if err != nil {
		return err
	}
	if open || row != list[0].row {
		return ledger.ErrStale
	}
	var errs error
	for _, m := range list {
		errs = errors.Join(errs, run.Step(t.Name, m.Rule, func() error { return m.run(ctx, h) }))
	}
	return errs
}

func (m Repair) run(ctx context.Context, h *session.Host) error {
	if err := m.do(ctx, h); err != nil {
		return fmt.Errorf("%s: %w", m.What, err)
	}
	return nil
}
