package provision

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/ledger"
	"wikictl/tenants/plan"
	"wikictl/tenants/session"
)

// Deletion is a tenant that is to be removed although a file defines it.
type Deletion struct {
	Leftover *Leftover // nil: only its definition exists, or it was removed already
	Source   []byte    // content of the file that defines it, when it was read

	removed bool   // an earlier run removed it
	other   string // the ledger's name for the tenant with its database
	tenant  *tenants.Tenant
	plan    *Plan
}

// PlanDeletion finds what Delete would remove, as if no file defined the tenant any more.
func PlanDeletion(ctx context.Context, h *session.Host, t *tenants.Tenant) (*Deletion, error) {
	farm := *h.Farm
	farm.Tenants = slices.DeleteFunc(slices.Clone(farm.Tenants), func(o *tenants.Tenant) bool { return o.Name == t.Name })
	h.Farm = &farm
	p, err := NewPlan(ctx, h, nil, PlanOptions{Whole: true, defined: t.Name})
	if err != nil {
		return nil, err
	}
	d := &Deletion{tenant: t, plan: p}
	p.Farm, p.Leftovers = nil, slices.DeleteFunc(p.Leftovers, func(l *Leftover) bool { return l.Name != t.Name })
	if len(p.Leftovers) == 1 {
		d.Leftover = p.Leftovers[0]
		if names := strings.Join(d.Leftover.readers, ", "); names != "" && d.Leftover.Problem == "" {
			d.Leftover.Problem = fmt.Sprintf("%s, which no file defines any more, has rights in its database: wikictl apply --prune removes that first", names)
		}
		return d, nil
	}
	_, rows, err := h.ReadLedger(ctx)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	d.other = ledger.HolderOf(t, rows)
	_, err = FindRemoved(h.Layout, t.Name, "")
	if d.removed = err == nil; errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return d, err
}

// Exists reports whether the tenant is a complete wiki, which can be backed up.
func (d *Deletion) Exists() bool { return d.Leftover != nil && d.Leftover.row.State == ledger.Ready }

// Outline returns the deletion in the form that all commands share.
func (d *Deletion) Outline(l tenants.Layout) *plan.Plan {
	t := &plan.Tenant{Name: d.tenant.Name}
	switch {
	case d.other != "":
		t.Add(plan.Blocked, "the ledger has its database as that of %s: wikictl apply %s renames it, or give it that name again", d.other, t.Name)
	case d.Leftover == nil && !d.removed:
		t.Add(plan.Blocked, "nothing of it is there but its definition: remove %s", d.tenant.Position.File)
	case d.Leftover == nil:
		t.Add(plan.Delete, "its definition, %s: nothing else of it is there", d.tenant.Position.File)
	case d.Leftover.Problem != "":
		t.Add(plan.Blocked, "%s", d.Leftover.Problem)
	default:
		t.Add(plan.Delete, "its definition, %s", d.tenant.Position.File)
		for _, item := range d.Leftover.Items {
			t.Add(plan.Delete, "%s", item)
		}
		for _, kept := range d.Leftover.Kept {
			t.Add(plan.Remark, "%s stays", kept)
		}
	}
	return &plan.Plan{Tenants: []*plan.Tenant{t}, Notes: []string{fmt.Sprintf("files, secrets and a dump of the database go to %s, from where wikictl undelete %s brings them back", l.Removed(), t.Name)}}
}

// Delete removes a tenant as Apply removes what nothing defines, and moves the file that
// defines it to the rest. An interrupted one is finished by the next Delete, or taken back
// by Undelete.
func Delete(ctx context.Context, h *session.Host, d *Deletion, o Options) ([]session.Outcome, error) {
	o.Prune, o.Defined = true, definedIn(d.tenant, d.Source)
	outcomes := []session.Outcome{{Tenant: d.tenant, Status: session.Done}}
	var files *deploy.FilesError // the farm's files don't hold up a deletion
	if d.Leftover != nil {
		var err error
		if outcomes, err = Apply(ctx, h, d.plan, o); err != nil && !errors.As(err, &files) || len(outcomes) != 1 || outcomes[0].Status != session.Done {
			return outcomes, err
		}
	}
	r, err := d.removal(h.Layout, outcomes[0].Removed)
	if err != nil {
		return nil, err
	}
	if files != nil {
		err = files
	}
	outcomes[0].Removed, outcomes[0].Returns = r.dir, r.returns()
	if err := h.Deploy.RetireDefinition(filepath.Join(h.Farm.Dir, d.tenant.Position.File), d.Source, r.dir); err != nil {
		outcomes[0].Status, outcomes[0].Err = session.Failed, fmt.Errorf("it is removed, but for the file that defines it: %w", err)
	}
	return outcomes, err
}

// removal returns the removal with that folder, or, if the tenant was removed by an earlier run,
// its latest one.
func (d *Deletion) removal(l tenants.Layout, dir string) (*Removed, error) {
	if dir != "" {
		return openRemoved(dir)
	}
	return FindRemoved(l, d.tenant.Name, "")
}

// Purge deletes for good what was removed, of some removals.
func Purge(ctx context.Context, h *session.Host, list []*Removed, o Options) ([]session.Outcome, error) {
	var servers []*tenants.Server
	for _, r := range list {
		if def := h.Farm.Servers[r.Server]; def != nil && !slices.Contains(servers, def) {
			servers = append(servers, def)
		}
	}
	ctx, err := h.Lock(ctx, servers)
	if err != nil {
		return nil, err
	}
	run, err := h.Begin(ctx, "purge", o.Observer)
	if err != nil {
		return nil, err
	}
	var outcomes []session.Outcome
	for _, r := range list {
		t := &tenants.Tenant{Name: r.Name, Server: h.Farm.Servers[r.Server], Database: r.Database}
		outcome := session.Outcome{Tenant: t, Status: session.Done, Note: "removal by run " + r.Run + " is gone for good"}
		o.Observer.Started(r.Name)
		if err := run.Step(r.Name, "purge", func() error { return purge(ctx, h, t, r) }); err != nil {
			outcome.Status, outcome.Err, outcome.Note = session.Failed, err, ""
		}
		outcomes = append(outcomes, run.Finish(outcome))
	}
	return outcomes, errors.Join(h.ServeDefault(ctx), run.End(ctx, outcomes))
}

// purge deletes one removal, unless it is being brought back.
func purge(ctx context.Context, h *session.Host, t *tenants.Tenant, r *Removed) error {
	if t.Server != nil && r.Database != "" {
		if err := h.Locks(t.Server).Acquire(ctx, r.Database); err != nil {
			return err
		}
		defer h.Locks(t.Server).Release(context.WithoutCancel(ctx), r.Database)
	}
	l, err := h.Ledger(ctx)
	if err != nil {
		return err
	}
	row, _, err := l.Tenant(ctx, r.Name)
	switch {
	case err != nil:
		return err
	case (row.State == ledger.Returning || row.State == ledger.Leaving) && row.Run == r.Run:
		return fmt.Errorf("it is being removed or brought back, or that did not finish: wikictl undelete %s finishes it", r.Name)
	case !deploy.Exists(r.dir):
		return nil
	}
	return h.Deploy.Purge(r.dir)
}
