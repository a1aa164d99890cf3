package provision

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/ledger"
	"wikictl/tenants/plan"
	"wikictl/tenants/session"
)

// PreviewRender returns the changes of Render, with diffs on request, without carrying
// them out.
func PreviewRender(ctx context.Context, h *session.Host, list []*tenants.Tenant, diffs bool) (*plan.Plan, error) {
	fit, left, err := renderable(ctx, h, list, nil)
	if err != nil {
		return nil, err
	}
	by := map[string]*plan.Tenant{}
	for _, t := range list {
		by[t.Name] = &plan.Tenant{Name: t.Name}
	}
	for _, o := range left {
		if o.Err != nil {
			by[o.Tenant.Name].Add(plan.Blocked, "%s", o.Err)
		} else {
			by[o.Tenant.Name].Add(plan.Remark, "%s", o.Note)
		}
	}
	p := &plan.Plan{}
	if p.Farm, p.Unseen, err = inspectFiles(ctx, h, fit, by, diffs); err != nil {
		return nil, err
	}
	for _, t := range list {
		if len(by[t.Name].Entries) > 0 {
			p.Tenants = append(p.Tenants, by[t.Name])
		}
	}
	p.Unchanged = len(list) - len(p.Tenants)
	return p, nil
}

// Render writes the differing files of tenants under their locks, with one check and one
// reload of the web server. Tenants whose files are recorded as rendered need no lock. It
// neither creates nor upgrades tenants.
func Render(ctx context.Context, h *session.Host, list []*tenants.Tenant, observer session.Observer) ([]session.Outcome, error) {
	same := h.AsRendered(ctx, list)
	differ := slices.DeleteFunc(slices.Clone(list), func(t *tenants.Tenant) bool { return same[t.Name] })
	h.ExpectLoads(ctx, differ)
	ctx, locked, err := h.LockAll(ctx, differ)
	if err != nil {
		return nil, err
	}
	var held []*tenants.Tenant
	var left []session.Outcome
	for _, t := range list {
		if why := locked[t.Name]; why != nil {
			left = append(left, session.Outcome{Tenant: t, Status: session.Failed, Err: why})
			continue
		}
		held = append(held, t)
	}
	fit, others, err := renderable(ctx, h, held, same)
	if err != nil {
		return nil, err
	}
	return write(ctx, h, fit, append(left, others...), observer)
}

// write is a run that writes the files of some tenants, and only reports the others.
func write(ctx context.Context, h *session.Host, list []*tenants.Tenant, left []session.Outcome, observer session.Observer) ([]session.Outcome, error) {
	list = slices.DeleteFunc(list, func(t *tenants.Tenant) bool {
		lost := h.Lost(t)
		if lost != nil {
			left = append(left, session.Outcome{Tenant: t, Status: session.Failed, Err: lost})
		}
		return lost != nil
	})
	source, err := h.Source(ctx, list, wantedCode, session.Leaving{})
	if err != nil {
		return nil, err
	}
	h.Remember(&source, list, wantedCode)
	run, err := h.Begin(ctx, "render", observer)
	if err != nil {
		return nil, err
	}
	var applied deploy.Applied
	err = run.Shared("", "release", func() (err error) {
		applied, err = h.Deploy.Apply(ctx, source)
		return err
	})
	if err != nil && !errors.As(err, new(*deploy.PartialError)) {
		return nil, errors.Join(err, run.End(ctx, nil))
	}
	outcomes := append(written(list, applied), left...)
	for i, o := range outcomes {
		if o.Status != session.Unchanged {
			outcomes[i] = run.Finish(o)
		}
	}
	return outcomes, errors.Join(run.End(ctx, outcomes), deploy.FaultsError(applied.Faults))
}

// wantedCode returns the codebase in a tenant's definition.
func wantedCode(t *tenants.Tenant) *tenants.Codebase { return t.Codebase }

// written returns each tenant's outcome of a deployment.
func written(list []*tenants.Tenant, applied deploy.Applied) []session.Outcome {
	differed := map[string]deploy.Outcome{}
	for _, o := range applied.Outcomes {
		differed[o.Tenant] = o
	}
	outcomes := make([]session.Outcome, len(list))
	for i, t := range list {
		o, found := differed[t.Name]
		outcomes[i] = session.Outcome{Tenant: t, Status: session.Unchanged, Err: o.Err}
		switch {
		case o.Err != nil:
			outcomes[i].Status = session.Failed
		case found:
			outcomes[i].Status = session.Done
		}
	}
	return outcomes
}

// renderable returns the tenants whose files may be written, and the outcomes of the
// others: those whose files are the same, blocked ones, unfinished ones, and those whose code
// changed, which must not run on a database of other code.
func renderable(ctx context.Context, h *session.Host, list []*tenants.Tenant, same map[string]bool) (fit []*tenants.Tenant, left []session.Outcome, err error) {
	ledger, rows, err := h.ReadLedger(ctx)
	if err != nil {
		return nil, nil, err
	}
	open, err := ledger.OpenUpgrades(ctx)
	if err != nil {
		return nil, nil, err
	}
	obstacles := h.Obstacles(ctx, list, same)
	for _, t := range list {
		problems := obstacles[t.Name]
		why := ""
		if !t.Blocked() { // it may have no codebase
			why = unfit(h.Layout, t, rows, open[t.Name])
		}
		switch {
		case why != "":
			left = append(left, session.Outcome{Tenant: t, Status: session.Unchanged, Note: why})
		case problems != nil:
			left = append(left, session.Outcome{Tenant: t, Status: session.Blocked, Err: session.InTheWay(problems)})
		case same[t.Name]:
			left = append(left, session.Outcome{Tenant: t, Status: session.Unchanged})
		default:
			fit = append(fit, t)
		}
	}
	return fit, left, nil
}

// unfit returns why a tenant's files must not be written, or "".
func unfit(l tenants.Layout, t *tenants.Tenant, rows map[string]ledger.Tenant, open ledger.Upgrade) string {
	row := rows[t.Name]
	switch {
	case open.Run != "":
		return "it is being upgraded, or that did not finish; see wikictl status"
	case row.Name == "":
		return ledger.NotCreated(t, rows)
	case row.State == ledger.Leaving:
		return fmt.Sprintf("it is being removed by run %s, or that was interrupted; wikictl plan %s", row.Run, t.Name)
	case row.State == ledger.Returning:
		return fmt.Sprintf("it is being brought back by run %s, or that was interrupted; wikictl undelete %s", row.Run, t.Name)
	case row.State == ledger.Recovering:
		return fmt.Sprintf("it is being restored or copied by run %s, or that was interrupted; %s", row.Run, session.Completion(l, t, row))
	case row.State != ledger.Ready:
		return fmt.Sprintf("it is not finished (state %s); wikictl create %s", row.State, t.Name)
	case row.ComponentSet != t.ComponentSet(t.Codebase):
		return fmt.Sprintf("it runs on MediaWiki %s with other code than the wanted one; wikictl upgrade %s", row.Version, t.Name)
	}
	return ""
}
