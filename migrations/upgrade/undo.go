package upgrade

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"wikictl/tenants"
	"wikictl/tenants/backup"
	"wikictl/tenants/fleet"
	"wikictl/tenants/ledger"
	"wikictl/tenants/session"
)

// RollbackOptions are the options of a Rollback.
type RollbackOptions struct {
	Jobs     int
	Patience time.Duration // how long running requests may take after a wiki becomes read-only
	NoDump   bool          // do not dump the current content before it is dropped
	Drain    <-chan struct{}

	// Confirm is called once all tenants are locked, with the losses and the number of
	// unchanged tenants; an error ends the rollback before anything is changed. It
	// returns the observer of the run.
	Confirm func(ctx context.Context, undos []*Undo, unchanged int) (session.Observer, error)
	// ConfirmMore is called for a tenant that would lose more content than was confirmed, once
	// the tenant is read-only. Nil accepts every loss.
	ConfirmMore func(ctx context.Context, u *Undo) error
}

// Rollback returns tenants to their state before an upgrade. Content made since is kept only
// in the dump that is made first. Tenants are locked before they are inspected, so that no
// other loss than the confirmed one happens. The next Rollback or Run finishes a rollback that
// was interrupted.
func Rollback(ctx context.Context, h *session.Host, list []*tenants.Tenant, w Which, o RollbackOptions) ([]session.Outcome, error) {
	r := &rollback{upgrade: &upgrade{Host: h, o: Options{Jobs: o.Jobs, Patience: o.Patience, Drain: o.Drain}}, o: o, locked: map[string]error{}}
	var err error
	if r.ledger, err = h.Ledger(ctx); err != nil {
		return nil, err
	}
	upgrades, err := upgradesOf(ctx, r.ledger)
	if err != nil {
		return nil, err
	}
	list, unchanged := w.sort(list, upgrades) // unchanged tenants are not locked
	if len(list) == 0 && len(unchanged) > 0 {
		return unchangedOutcomes(unchanged), nil
	}
	if ctx, err = h.Lock(ctx, tenants.ServersOf(list)); err != nil {
		return nil, err
	}
	for _, t := range list {
		r.locked[t.Name] = h.Locks(t.Server).Acquire(ctx, t.Database)
	}
	defer r.release(ctx, list)
	undos, since, err := Undos(ctx, h, list, w)
	if err != nil {
		return nil, err
	}
	for _, u := range undos {
		if err := r.locked[u.Name]; err != nil {
			u.Problem, u.err = err.Error(), err
		}
	}
	observer, err := o.Confirm(ctx, undos, len(unchanged)+len(since))
	if err != nil {
		return nil, err
	}
	r.upgrade.o.Observer = observer
	if r.run, err = h.Begin(ctx, "rollback", observer); err != nil {
		return nil, err
	}
	outcomes := append(r.all(ctx, undos), unchangedOutcomes(append(unchanged, since...))...)
	return outcomes, r.run.End(ctx, outcomes)
}

func unchangedOutcomes(list []*tenants.Tenant) []session.Outcome {
	outcomes := make([]session.Outcome, len(list))
	for i, t := range list {
		outcomes[i] = session.Outcome{Tenant: t, Status: session.Unchanged}
	}
	return outcomes
}

// rollback is the state of one Rollback.
type rollback struct {
	*upgrade
	o      RollbackOptions
	locked map[string]error // by tenant: nil if its lock is held
	asking sync.Mutex       // held while the user is asked
}

func (r *rollback) release(ctx context.Context, list []*tenants.Tenant) {
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	for _, t := range list {
		if r.locked[t.Name] == nil {
			_ = r.Locks(t.Server).Release(after, t.Database) // the lock ends with the session anyway
		}
	}
}

func (r *rollback) all(ctx context.Context, undos []*Undo) (outcomes []session.Outcome) {
	options := fleet.Options[*Undo]{Jobs: r.o.Jobs, MaxFailures: fleet.NoLimit, Drain: r.o.Drain}
	second := slices.IndexFunc(undos, func(u *Undo) bool { return u.turn() > 0 })
	if second < 0 {
		second = len(undos)
	}
	results := fleet.Run(ctx, undos[:second], options, r.undo)
	for _, result := range append(results, fleet.Run(ctx, undos[second:], options, r.undo)...) {
		outcome := session.Outcome{Tenant: result.Item.tenant, Status: session.Done, Err: result.Err, Elapsed: result.Elapsed, Note: result.Value}
		switch {
		case !result.Started:
			outcome.Status = session.Skipped
		case result.Err != nil:
			outcome.Status = session.Failed
		}
		outcomes = append(outcomes, r.run.Finish(outcome))
	}
	return outcomes
}

// undo returns one tenant to its earlier state, and a note for the result.
func (r *rollback) undo(ctx context.Context, undo *Undo) (note string, err error) {
	if undo.err != nil {
		return "", undo.err
	}
	ctx, done := r.While(ctx, undo.tenant)
	defer done()
	r.upgrade.o.Observer.Started(undo.Name)
	k := &task{
		up: r.upgrade, verified: undo.row.Backup, tenant: undo.tenant,
		plan: &Planned{Name: undo.Name, Seconds: 1, tenant: undo.tenant, New: undo.tenant.Codebase.Version},
	}
	if err := k.held(ctx, "lock", func() error { return k.read(ctx) }); err != nil {
		return "", err
	}
	codebase, set := undo.row.OldCodebase, undo.row.OldSet
	switch k.now = undo.row; {
	case undo.Redo:
		codebase, set = undo.row.NewCodebase, undo.row.NewSet
		err = r.redo(ctx, k, undo)
	case writable(undo.row):
		err = r.revoke(ctx, k, undo)
	default:
		err = r.finish(ctx, k)
	}
	if err == nil && set != k.wanted() {
		k.note("set codebase %q in its definition, or the next upgrade moves it to the new code again", codebase)
	}
	return k.notesText(), err
}

// writable reports whether a wiki was writable at any time after an upgrade changed it.
func writable(r ledger.Upgrade) bool {
	return r.Phase == ledger.Upgraded || r.Phase == ledger.Opening || r.Phase == ledger.Undoing
}

// finish completes or reverts the work of an interrupted run, whose tenant was not opened
// since.
func (r *rollback) finish(ctx context.Context, k *task) error {
	if err := k.server.StopWork(ctx, k.tenant.Database, k.accounts.Schema.Name); err != nil {
		return err
	}
	if k.now.UndoneBy == "" && k.now.Phase != ledger.Begun {
		k.now.UndoneBy = r.RunID
	}
	w := back
	switch k.now.Phase {
	case ledger.Begun:
		w = leave
	case ledger.Reopening:
		w = reopen
	}
	if err := k.backTo(ctx, w); err != nil {
		return fmt.Errorf("%w; %s", err, k.state())
	}
	return nil
}

// revoke undoes a completed upgrade: it counts the losses again when no client can add
// more, and dumps the content.
func (r *rollback) revoke(ctx context.Context, k *task, undo *Undo) error {
	k.now.UndoneBy, k.now.Error = r.RunID, ""
	if err := k.held(ctx, "undoing", func() error { return k.phase(ctx, ledger.Undoing) }); err != nil {
		return err
	}
	err := k.each(ctx, []step{
		{"read-only", func() error { return k.freeze(ctx) }},
		{"count", func() error { return r.recount(ctx, k, undo) }},
		{"keep", func() error { return r.keep(ctx, k) }},
	})
	if err == nil {
		err = k.putBack(ctx)
	}
	if err == nil {
		return nil
	}
	if k.now.Phase != ledger.Undoing || lostLock(ctx, err) != nil {
		return fmt.Errorf("%w; %s", err, k.state())
	}
	k.now.UndoneBy, k.now.UndoBackup, k.notes = "", "", nil
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	if opening := k.open(after, ledger.Upgraded); opening != nil {
		return fmt.Errorf("%w; %s", errors.Join(err, opening), k.state())
	}
	return fmt.Errorf("%w; it is open as before", errors.Join(err, backup.Remove(k.dumpFile(r.RunID))))
}

// recount asks again if more would be lost than was confirmed.
func (r *rollback) recount(ctx context.Context, k *task, undo *Undo) error {
	b, err := backup.Open(undo.dump())
	if err != nil {
		return err
	}
	now, err := r.ledger.Tenants(ctx)
	if err != nil {
		return err
	}
	if undo.members, err = r.MembersOf(ctx, k.tenant); err != nil {
		return err
	}
	if err := undo.checkFamily(ctx, r.Host, session.VersionsOf(now), b); err != nil {
		return err
	}
	if r.o.ConfirmMore == nil || undo.Remark != "" {
		return nil
	}
	lost, err := k.server.Since(ctx, k.tenant.Database, undo.Since)
	if err != nil || !lost.Beyond(undo.Lost) {
		return err
	}
	undo.Lost = lost
	r.asking.Lock()
	defer r.asking.Unlock()
	return r.o.ConfirmMore(ctx, undo)
}

// keep dumps the current content of the database before it is dropped.
func (r *rollback) keep(ctx context.Context, k *task) error {
	if r.o.NoDump {
		return nil
	}
	b, err := k.server.Dump(ctx, k.tenant.Database, k.dumpFile(r.RunID), tenants.Backup{}, k.further...)
	if err != nil {
		return fmt.Errorf("dump the content before it is dropped (--backup none skips this dump): %w", err)
	}
	k.now.UndoBackup = b.File
	k.note("its content until then is in %s, and rollback --to %s brings it back", b.File, r.RunID)
	return nil
}
