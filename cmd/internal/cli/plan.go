package cli

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"wikictl/migrations/upgrade"
	"wikictl/tenants"
	"wikictl/tenants/audit/rules"
	"wikictl/tenants/plan"
	"wikictl/tenants/provision"
	"wikictl/tenants/session"
)

func (a *app) planCommand() *cli.Command {
	return &cli.Command{
		Name: "plan", Usage: "show how the farm differs from its definitions", ArgsUsage: "[NAME…]",
		Description: about(`
			Compares the definitions with the ledger, the servers and the files. Lists what wikictl apply would make,
			change (with diffs, passwords masked) and rename, what only wikictl upgrade may do, and, for the whole farm,
			what wikictl made that nothing defines any more. Without names and --where it takes the whole farm. It writes
			nothing, and exits with 1 when something differs, with 2 when a tenant is blocked.
		`, "wikictl plan --where class=handbook"),
		Flags:  append(selectionFlags(), diffsFlag()),
		Action: onFarm(a.loadToRender, a.runPlan),
	}
}

// diffsFlag limits the tenants whose diffs, and the leftovers whose contents, are printed.
func diffsFlag() cli.Flag {
	return &cli.IntFlag{Name: "diffs", Usage: "show the diffs of at most this many tenants, and the databases, accounts and files of as many leftovers", Value: 20}
}

func (a *app) runPlan(c *cli.Context, f *tenants.Farm) error {
	list, whole, err := chosenOrAll(c, f)
	if err != nil {
		return err
	}
	return a.showDifferences(c, f, list, whole)
}

// showDifferences prints the differences of tenants, or the whole farm, from their definitions.
// With --prune the plan is blocked by a leftover that can't be removed, or by too many
// leftovers.
func (a *app) showDifferences(c *cli.Context, f *tenants.Farm, list []*tenants.Tenant, whole bool) error {
	return a.withHost(f, true, func(h *session.Host) error {
		start := time.Now()
		p, err := differences(c.Context, h, list, whole)
		if err != nil {
			return err
		}
		outline := p.Outline()
		if err := remarkUnintended(c.Context, f, outline); err != nil {
			return err
		}
		blocked := outline.Blocked() || c.Bool("prune") && outline.Stuck() || removals(c, p) != nil
		return cmp.Or(a.printPlan(c, outline, time.Since(start)), dryRunError(outline.Differs(), blocked))
	})
}

// remarkUnintended adds a note for each value that tenants to make or to change have, and whose
// effect is probably not the intended one.
func remarkUnintended(ctx context.Context, f *tenants.Farm, p *plan.Plan) error {
	var list []*tenants.Tenant
	for _, t := range p.Tenants {
		if t.Is(plan.Make) || t.Is(plan.Change) {
			list = append(list, f.Tenant(t.Name))
		}
	}
	found, err := rules.Unintended(ctx, f, list)
	for _, finding := range found {
		p.Notes = append(p.Notes, fmt.Sprintf("%s: %s", finding.Position, finding.Sentence()))
	}
	return err
}

// differences compares some tenants, or the whole farm, with their actual state.
func differences(ctx context.Context, h *session.Host, list []*tenants.Tenant, whole bool) (*provision.Plan, error) {
	return provision.NewPlan(ctx, h, list, provision.PlanOptions{
		Whole: whole,
		SQL: func(ctx context.Context, list []*tenants.Tenant) (map[string][]string, error) {
			return upgrade.PendingSQL(ctx, h, list)
		},
	})
}
