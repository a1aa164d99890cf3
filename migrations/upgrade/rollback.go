package upgrade

import (
	"context"
	"errors"
	"fmt"
	"time"

	"wikictl/tenants"
	"wikictl/tenants/fleet"
	"wikictl/tenants/host"
	"wikictl/tenants/mariadb"
)

// Undo is one tenant that can be put back to before an upgrade.
type Undo struct {
	Name    string    `json:"name"`
	Run     string    `json:"run"` // of the upgrade
	Old     string    `json:"old"` // version that it goes back to
	New     string    `json:"new"`
	Since   time.Time `json:"since"` // when it was opened after the upgrade
	Edits   int64     `json:"edits"` // since then, which are lost
	Problem string    `json:"problem,omitempty"`

	tenant *tenants.Tenant
	row    mariadb.UpgradeRow
}

// Undos looks which of the tenants can be put back to before their last upgrade,
// and what that would lose. run, when it is not empty, is the only run looked at;
// tenants that it did not upgrade are left out.
func Undos(ctx context.Context, h *host.Host, list []*tenants.Tenant, run string) ([]*Undo, error) {
	ledger, err := h.Ledger(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := ledger.Tenants(ctx)
	if err != nil {
		return nil, err
	}
	last, err := ledger.LastUpgrades(ctx)
	if err != nil {
		return nil, err
	}
	var undos []*Undo
	for _, t := range list {
		row, has := last[t.Name]
		if run != "" && row.Run != run {
			continue
		}
		u := &Undo{Name: t.Name, Run: row.Run, Old: row.OldVersion, New: row.NewVersion, Since: row.Opened.Time, tenant: t, row: row}
		if err := u.look(ctx, h, has, rows[t.Name]); err != nil {
			u.Problem = err.Error()
		}
		undos = append(undos, u)
	}
	return undos, nil
}

// look says what stands in the way, and counts the edits that would be lost.
func (u *Undo) look(ctx context.Context, h *host.Host, has bool, now mariadb.TenantRow) error {
	switch {
	case !has:
		return errors.New("no upgrade of it is there to undo")
	case u.row.Backup == "":
		return errors.New("it was upgraded without a dump")
	case now.ComponentSet != u.row.NewSet:
		return errors.New("it has been changed since by something else")
	case !host.Exists(h.Layout.Release(u.Name, u.row.OldRelease)):
		return fmt.Errorf("its release %d is gone", u.row.OldRelease)
	}
	b, err := mariadb.OpenBackup(u.row.Backup)
	if err != nil {
		return err
	}
	if err := b.Verify(); err != nil {
		return err
	}
	s, err := h.Server(ctx, u.tenant.Server)
	if err != nil {
		return err
	}
	u.Edits, err = s.EditsSince(ctx, u.tenant.Database, u.row.Opened.Time.UTC().Format("20060102150405"))
	return err
}

// Rollback puts tenants back to before an upgrade. Edits made since are lost. An
// interrupted one is finished by the next Rollback or Run.
func Rollback(ctx context.Context, h *host.Host, undos []*Undo, o Options) (outcomes []host.Outcome, err error) {
	u := &upgrade{Host: h, o: o}
	if u.ledger, err = h.Ledger(ctx); err != nil {
		return nil, err
	}
	p := &Plan{}
	for _, undo := range undos {
		p.Tenants = append(p.Tenants, &Planned{Name: undo.Name, Seconds: 1, tenant: undo.tenant})
	}
	if ctx, err = h.Lock(ctx, serversOf(p)); err != nil {
		return nil, err
	}
	if u.run, err = h.Begin(ctx, "rollback", o.Observer); err != nil {
		return nil, err
	}
	options := fleet.Options[*Undo]{Jobs: o.Jobs, MaxFailures: fleet.NoLimit, Drain: o.Drain}
	for _, r := range fleet.Run(ctx, undos, options, u.undo) {
		outcome := host.Outcome{Tenant: r.Item.tenant, Status: host.Done, Err: r.Err, Elapsed: r.Elapsed}
		switch {
		case !r.Started:
			outcome.Status = host.Skipped
		case r.Err != nil:
			outcome.Status = host.Failed
		}
		outcomes = append(outcomes, u.run.Finish(outcome))
	}
	return outcomes, u.run.End(ctx, outcomes)
}

// undo puts one tenant back.
func (u *upgrade) undo(ctx context.Context, undo *Undo) (struct{}, error) {
	none := struct{}{}
	if undo.Problem != "" {
		return none, errors.New(undo.Problem)
	}
	u.o.Observer.Started(undo.Name)
	k, err := u.take(ctx, &Planned{Name: undo.Name, Seconds: 1, tenant: undo.tenant})
	if err != nil {
		return none, err
	}
	defer u.Locks(undo.tenant.Server).Release(context.WithoutCancel(ctx), undo.tenant.Database)
	if k.row.ComponentSet != undo.row.NewSet {
		return none, errors.New("it has been changed since by something else")
	}
	k.now = undo.row
	if err := k.held(ctx, "read-only", func() error { return k.freeze(ctx) }); err != nil {
		return none, errors.Join(err, k.open(context.WithoutCancel(ctx), mariadb.Upgraded))
	}
	return none, k.putBack(ctx)
}
