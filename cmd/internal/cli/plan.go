package cli

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/urfave/cli/v2"

	"wikictl/cmd/internal/ui"
	"wikictl/migrations/upgrade"
	"wikictl/tenants"
	"wikictl/tenants/provision"
	"wikictl/tenants/session"
)

func (a *app) planCommand() *cli.Command {
	return &cli.Command{
		Name: "plan", Usage: "show how the farm differs from its definitions", ArgsUsage: "[NAME…]",
		Description: "Compares the definitions with the ledger, the servers and the files: what wikictl apply would make,\n" +
			"change (with diffs, passwords masked) and rename, what only wikictl upgrade may do, and, for the whole\n" +
			"farm, what wikictl made that nothing defines any more. Without names and --where it is the whole farm.\n" +
			"It writes nothing, and exits with 1 when something differs, with 2 when something stands in the way.\n\n" + exitHelp + "\n\nExample: wikictl plan --where class=handbook",
		Flags:        append(selectionFlags(), diffsFlag()),
		Action:       a.runPlan,
		BashComplete: a.completeNames,
	}
}

// diffsFlag bounds how many tenants' diffs are printed.
func diffsFlag() cli.Flag {
	return &cli.IntFlag{Name: "diffs", Usage: "show the diffs of this many tenants that change", Value: 20}
}

func (a *app) runPlan(c *cli.Context) (err error) {
	start := time.Now()
	f, err := loadFarm(c)
	if err != nil {
		return err
	}
	list, whole, err := chosenOrAll(c, f)
	if err != nil {
		return err
	}
	h, err := a.openHost(f, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	p, err := look(c.Context, h, list, whole)
	if err != nil {
		return err
	}
	return a.tellPlan(c, p, time.Since(start))
}

// look makes the plan of some tenants, or of the whole farm.
func look(ctx context.Context, h *session.Host, list []*tenants.Tenant, whole bool) (*provision.Plan, error) {
	return provision.Look(ctx, h, list, provision.LookOptions{
		Whole: whole,
		SQL: func(ctx context.Context, list []*tenants.Tenant) (map[string][]string, error) {
			return upgrade.PendingSQL(ctx, h, list)
		},
	})
}

// tellPlan prints a plan as a result.
func (a *app) tellPlan(c *cli.Context, p *provision.Plan, elapsed time.Duration) error {
	var err error
	if asJSON(c) {
		err = ui.WriteJSON(a.stdout, ui.NewPlanDocument("plan", p, elapsed))
	} else {
		err = ui.Plan(a.stdout, "plan", p, c.Int("diffs"))
	}
	prune := c.Bool("prune")
	return cmp.Or(err, dryRunError(!p.Empty() || len(p.Unseen) > 0, p.InTheWay(prune) || removals(c, p, prune) != nil))
}
