package provision

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"wikictl/tenants"
	"wikictl/tenants/ledger"
	"wikictl/tenants/plan"
	"wikictl/tenants/session"
)

// Preview returns the plan of Create without carrying it out.
func Preview(ctx context.Context, h *session.Host, list []*tenants.Tenant) (*plan.Plan, error) {
	c := &creation{Host: h}
	if err := c.inspect(ctx, list); err != nil {
		return nil, err
	}
	begun, err := c.begun(ctx, list)
	if err != nil {
		return nil, err
	}
	open, err := c.openUpgrades(ctx)
	if err != nil {
		return nil, err
	}
	p := &plan.Plan{}
	for _, t := range list {
		planned := &plan.Tenant{Name: t.Name}
		switch o := c.check(ctx, t); {
		case o.Err != nil:
			planned.Add(plan.Blocked, "%s", o.Err)
		case o.Status == "":
			planned.Add(plan.Make, "%s", c.making(t, begun[t.Name]))
		case c.mustAsk(ctx, t):
			planned.Add(plan.Change, "probe it: its current release has not answered yet")
		case open[t.Name].Run != "":
			p.Notes = append(p.Notes, t.Name+": "+otherCode(t, c.rows[t.Name], open[t.Name]))
		}
		if len(planned.Entries) == 0 {
			p.Unchanged++
			continue
		}
		p.Tenants = append(p.Tenants, planned)
	}
	return p, nil
}

// PreviewUndelete returns the plan of Undelete without carrying it out. With gone,
// existing tenants are unchanged; otherwise they are blocked.
func PreviewUndelete(ctx context.Context, h *session.Host, list []*tenants.Tenant, run string, gone bool) (*plan.Plan, error) {
	c := &creation{Host: h}
	if err := c.inspect(ctx, list); err != nil {
		return nil, err
	}
	jobs := make([]*job, len(list))
	for i, t := range list {
		jobs[i] = &job{tenant: t}
	}
	c.coming = map[string]bool{}
	p := &plan.Plan{}
	for _, j := range slices.Concat(ownersFirst(jobs)...) {
		t := j.tenant
		planned := &plan.Tenant{Name: t.Name}
		what, err := c.returning(ctx, t, run)
		c.coming[t.Name] = err == nil
		switch {
		case gone && errors.As(err, new(existsError)):
			p.Unchanged++
			continue
		case err != nil:
			planned.Add(plan.Blocked, "%s", err)
		default:
			planned.Add(plan.Undelete, "%s", what)
		}
		p.Tenants = append(p.Tenants, planned)
	}
	return p, nil
}

// returning describes what Undelete does for a tenant, or returns why it can't.
func (c *creation) returning(ctx context.Context, t *tenants.Tenant, run string) (string, error) {
	if problems := c.obstacles[t.Name]; problems != nil {
		return "", session.InTheWay(problems)
	}
	row := c.rows[t.Name]
	switch row.State {
	case ledger.Leaving:
		return fmt.Sprintf("its removal by run %s was interrupted: it is reverted, or completed first", row.Run), nil
	case ledger.Returning:
		return fmt.Sprintf("run %s began to bring it back and was interrupted: finish that", row.Run), nil
	}
	r, err := removalOf(c.Layout, t, run)
	switch {
	case row.Name != "" && (err != nil || row.State != ledger.Ready || !r.emptied()):
		return "", existsError(row.State)
	case err != nil:
		return "", err
	case row.Name != "":
		return "it is back but for its last dump, which follows", nil
	}
	if err := c.mayReturn(ctx, t, r); err != nil {
		return "", err
	}
	return fmt.Sprintf("database %s on server %s, accounts, secrets, files and dumps from %s, removed %s UTC by run %s",
		r.Database, t.Server.Name, r.dir, r.Removed.UTC().Format(time.DateTime), r.Run), nil
}
