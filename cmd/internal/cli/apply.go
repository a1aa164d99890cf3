package cli

import (
	"fmt"
	"runtime"

	"github.com/urfave/cli/v2"

	"wikictl/cmd/internal/ui"
	"wikictl/tenants"
	"wikictl/tenants/provision"
	"wikictl/tenants/session"
)

func (a *app) applyCommand() *cli.Command {
	return &cli.Command{
		Name: "apply", Usage: "bring the farm in line with its definitions, except upgrades", ArgsUsage: "NAME…",
		Description: about(`
			Shows the plan, then makes, changes and renames wikis, with one check and one reload of the web server, and
			verifies through it that each wiki answers as itself. It never upgrades. With --prune it also removes what
			wikictl made for wikis that no file defines any more, after asking: files and a dump of each database move to
			state/removed, from where wikictl undelete brings them back. To remove more than a tenth of the farm, say how
			many with --max-removals.
		`, "wikictl apply --all --dry-run"),
		Flags: append(selectionFlags(),
			jobsFlag(4*runtime.NumCPU()),
			&cli.BoolFlag{Name: "dry-run", Usage: "show the plan and change nothing, as wikictl plan does"},
			&cli.BoolFlag{Name: "prune", Usage: "remove wikis without a definition; their files and a dump of each database move to state/removed"},
			&cli.IntFlag{Name: "max-removals", Usage: "with --prune: allow this many removals, even more than a tenth of the farm", DefaultText: "a tenth"},
			&cli.BoolFlag{Name: "yes", Usage: "with --prune: don't ask before removing"},
			passwordFlag(),
			eventsFlag(),
			diffsFlag(),
		),
		Action: onChosen(a.chosenToRender, a.runApply),
	}
}

func (a *app) runApply(c *cli.Context, f *tenants.Farm, list []*tenants.Tenant) (err error) {
	if err := pruneFlags(c, f); err != nil {
		return err
	}
	o := provision.Options{Jobs: c.Int("jobs"), Prune: c.Bool("prune"), Drain: a.drained}
	if o.AdminPassword, err = passwordFrom(c); err != nil {
		return err
	}
	if c.Bool("dry-run") {
		return a.showDifferences(c, f, list, c.Bool("all"))
	}
	return a.changes(c, f, func(h *session.Host, board func(int) session.Observer) ([]session.Outcome, error) {
		p, err := differences(c.Context, h, list, c.Bool("all"))
		if err != nil {
			return nil, err
		}
		if err := a.agreedTo(c, h, p); err != nil {
			return nil, err
		}
		o.Observer = board(len(p.Tenants) + len(p.Leftovers))
		return provision.Apply(c.Context, h, p, o)
	})
}

// pruneFlags checks the flags of apply.
func pruneFlags(c *cli.Context, f *tenants.Farm) error {
	prune := c.Bool("prune")
	switch {
	case prune && !c.Bool("all"):
		return usagef("--prune needs --all: leftovers belong to no tenant that could be named")
	case prune && len(f.Tenants) == 0:
		return usagef("--prune: the farm's files define no tenant at all, which is more likely a mistake; remove the last one by hand")
	case c.IsSet("max-removals") && !prune:
		return usagef("--max-removals needs --prune")
	}
	return atLeastOne(c, "jobs")
}

// agreedTo prints a plan on standard error, and asks before a removal.
func (a *app) agreedTo(c *cli.Context, h *session.Host, p *provision.Plan) error {
	if outline := p.Outline(); !outline.Empty() {
		if err := ui.Plan(a.stderr, "plan", outline, c.Int("diffs")); err != nil {
			return err
		}
	}
	if err := removals(c, p); err != nil {
		return err
	}
	if !c.Bool("prune") || len(p.Leftovers) == 0 || c.Bool("yes") {
		return nil
	}
	return a.agreed(c.Context, fmt.Sprintf("remove the %d leftover wikis? Their files and a dump of each database go to %s", len(p.Leftovers), h.Layout.Removed()))
}

// removals refuses to remove more than a tenth of the farm without --max-removals.
func removals(c *cli.Context, p *provision.Plan) error {
	n, allowed := p.Removals()
	if c.IsSet("max-removals") {
		allowed = c.Int("max-removals")
	}
	if !c.Bool("prune") || n <= allowed {
		return nil
	}
	return tenants.WithHint(usagef("nothing was changed: --prune would remove %d wikis, which is more than %d", n, allowed), fmt.Sprintf("check that no files of the farm are missing; then pass --max-removals %d", n))
}
