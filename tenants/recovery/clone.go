package recovery

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"wikictl/tenants"
	"wikictl/tenants/backup/archive"
	"wikictl/tenants/ledger"
	"wikictl/tenants/plan"
	"wikictl/tenants/session"
)

// CloneOptions are the options of Clone.
type CloneOptions struct {
	Options
	Anonymize bool // mask private data of users
	Replace   bool // replace what an earlier clone made, if it is a staging copy of the same tenant
}

// restore returns the options of the restore that makes the clone.
func (o CloneOptions) restore(from string) RestoreOptions {
	return RestoreOptions{Options: o.Options, New: true, Default: true, of: from, masked: o.Anonymize, replace: o.Replace}
}

// Clone makes a tenant as a copy of another, which stays online and editable. The copy gets its
// own passwords and keys, without the sessions, jobs and tokens of the original. The next Clone
// of the same two tenants finishes an interrupted one.
func Clone(ctx context.Context, h *session.Host, from, to *tenants.Tenant, o CloneOptions) ([]session.Outcome, error) {
	r, ctx, err := begin(ctx, h, "clone", []*tenants.Tenant{from, to}, o.Options)
	if err != nil {
		return nil, err
	}
	return r.each(ctx, []*tenants.Tenant{to}, func(ctx context.Context, k *task) error {
		return k.clone(ctx, from, o.restore(from.Name))
	})
}

// clone makes the task's tenant.
func (k *task) clone(ctx context.Context, from *tenants.Tenant, o RestoreOptions) (err error) {
	if k.row.State != ledger.Recovering {
		if err := k.mayCloneOver(ctx, from, o.replace); err != nil {
			return err
		}
		if err := k.mayCloneUsers(from, o.masked); err != nil {
			return err
		}
		if err := k.mayCloneFurther(ctx, from, o.masked); err != nil {
			return err
		}
		if err := k.mayHoldCopy(ctx, from); err != nil {
			return err
		}
		if o.Archive, err = k.copyOf(ctx, from); err != nil {
			return err
		}
	}
	rs, err := k.restoration(ctx, o)
	if err == nil {
		o.Archive = &archive.Archive{File: rs.Archive}
		err = rs.restore(ctx)
	}
	if o.Archive != nil && k.row.State != ledger.Recovering { // the archive is not needed any more
		err = errors.Join(err, k.recovery.store.Discard([]*archive.Archive{o.Archive}))
	}
	if err == nil {
		k.note = rs.addConsequences("it is a copy of " + from.Name)
	}
	return err
}

// mayClone returns the reason why a tenant can't be made, or nil, before the original is copied.
func (k *task) mayClone(ctx context.Context) error {
	if k.row.Name != "" {
		return blocked("it exists (state %s in the ledger): clone makes a new wiki", k.row.State)
	}
	if problems := k.Obstacles(ctx, []*tenants.Tenant{k.tenant}, nil)[k.tenant.Name]; problems != nil {
		return &blockedError{session.InTheWay(problems)}
	}
	return k.mayMake(ctx)
}

// copyOf backs up the original tenant, under its lock.
func (k *task) copyOf(ctx context.Context, t *tenants.Tenant) (a *archive.Archive, err error) {
	other := &task{recovery: k.recovery, tenant: t}
	err = other.locked(ctx, func(ctx context.Context, other *task) error {
		if err := other.mayBackUp(ctx); err != nil {
			return fmt.Errorf("%s: %w", t.Name, err)
		}
		a, err = other.backUp(ctx, archive.BeforeClone, false)
		return err
	})
	return a, err
}

// PreviewClone returns the changes that Clone would make.
func PreviewClone(ctx context.Context, h *session.Host, from, to *tenants.Tenant, o CloneOptions) (*plan.Plan, error) {
	rows, open, err := ledgerOf(ctx, h)
	if err != nil {
		return nil, err
	}
	planned := &plan.Tenant{Name: to.Name}
	p := &plan.Plan{Tenants: []*plan.Tenant{planned}}
	for _, t := range []*tenants.Tenant{from, to} {
		if t.Blocked() {
			planned.Add(plan.Blocked, "%s: %s", t.Name, session.InTheWay(t.Faults))
			return p, nil
		}
	}
	k := &task{recovery: &recovery{Host: h}, tenant: to, row: rows[to.Name]}
	if k.server, err = h.Server(ctx, to.Server); err != nil {
		return nil, err
	}
	if k.ledger, err = h.Ledger(ctx); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	begun := ""
	switch k.row.State {
	case ledger.Recovering:
		_, err = k.resumed(o.restore(from.Name))
		begun = fmt.Sprintf("; run %s began that", k.row.Run)
	default:
		err = k.mayCloneOver(ctx, from, o.Replace)
		if err == nil {
			err = backable(rows, open[from.Name], from)
		}
		if err == nil {
			err = k.mayHoldCopy(ctx, from)
		}
		if err == nil {
			err = k.mayCloneUsers(from, o.Anonymize)
		}
		if err == nil {
			err = k.mayCloneFurther(ctx, from, o.Anonymize)
		}
		if err == nil {
			_, err = codeFor(h.Farm, to, archive.Manifest{Version: rows[from.Name].Version, ComponentSet: rows[from.Name].ComponentSet}, "")
		}
	}
	if err != nil {
		planned.Add(plan.Blocked, "%s", err)
		return p, nil
	}
	without := "without its sessions, jobs and tokens"
	if o.Anonymize {
		without = "without private data of its users"
	}
	planned.Add(plan.Clone, "as a copy of %s, %s: database %s on server %s, accounts, secrets, uploads, release%s", from.Name, without, to.Database, to.Server.Name, begun)
	return p, nil
}
