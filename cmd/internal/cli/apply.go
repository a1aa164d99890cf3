package cli

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/urfave/cli/v2"

	"wikictl/cmd/internal/ui"
	"wikictl/tenants"
	"wikictl/tenants/provision"
	"wikictl/tenants/session"
)

func (a *app) applyCommand() *cli.Command {
	return &cli.Command{
		Name: "apply", Usage: "bring the farm in line with its definitions, but for upgrades", ArgsUsage: "NAME…",
		Description: "Shows the plan, and makes, changes and renames wikis accordingly, with one check and one reload of the\n" +
			"web server; then asks each of them through it who it is. It never upgrades. With --prune it also removes\n" +
			"what wikictl made for wikis that nothing defines any more. You are asked first. Their files and a dump of each\n" +
			"database move to state/removed, from where wikictl undelete brings them back. More than a tenth of the farm is\n" +
			"only removed when you say how many.\n\n" +
			exitHelp + "\n\nExample: wikictl apply --all --dry-run",
		Flags: append(selectionFlags(),
			&cli.IntFlag{Name: "jobs", Usage: "wikis at once", Value: 4 * runtime.NumCPU()},
			&cli.BoolFlag{Name: "dry-run", Usage: "only show the plan, as wikictl plan does"},
			&cli.BoolFlag{Name: "prune", Usage: "remove wikis that nothing defines any more: their files and a dump of each database go to state/removed"},
			&cli.IntFlag{Name: "max-removals", Usage: "with --prune: remove so many wikis, also when that is more than a tenth of the farm"},
			&cli.BoolFlag{Name: "yes", Usage: "remove them without being asked"},
			&cli.StringFlag{Name: "admin-password-file", Usage: "file with the password of every new administrator"},
			&cli.StringFlag{Name: "events", Usage: "write each step as a line of JSON to this file"},
			diffsFlag(),
		),
		Action:       a.runApply,
		BashComplete: a.completeNames,
	}
}

func (a *app) runApply(c *cli.Context) (err error) {
	f, list, err := farmAndChosen(c)
	if err != nil {
		return err
	}
	if err := atLeastOne(c, "jobs"); err != nil {
		return err
	}
	if c.Bool("prune") && !c.Bool("all") {
		return usagef("--prune goes with --all: what is left over belongs to no tenant that could be chosen")
	}
	if c.Bool("prune") && len(f.Tenants) == 0 {
		return usagef("--prune: the farm's files define no tenant at all, which is more likely a mistake; remove the last one by hand")
	}
	if c.IsSet("max-removals") && !c.Bool("prune") {
		return usagef("--max-removals goes with --prune")
	}
	o := provision.Options{Jobs: c.Int("jobs"), Prune: c.Bool("prune"), Drain: a.drained}
	if o.AdminPassword, err = passwordFrom(c.String("admin-password-file")); err != nil {
		return err
	}
	events, err := eventsTo(c.String("events"))
	if err != nil {
		return err
	}
	if events != nil {
		defer events.Close()
	}
	h, err := a.openHost(f, c.Bool("dry-run"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	return a.apply(c, h, list, o, events)
}

// apply shows the plan, asks, and does it.
func (a *app) apply(c *cli.Context, h *session.Host, list []*tenants.Tenant, o provision.Options, events *os.File) error {
	start := time.Now()
	p, err := look(c.Context, h, list, c.Bool("all"))
	if err != nil {
		return err
	}
	if c.Bool("dry-run") {
		return a.tellPlan(c, p, time.Since(start))
	}
	if !p.Empty() {
		if err := ui.Plan(a.stderr, "plan", p, c.Int("diffs")); err != nil {
			return err
		}
	}
	if err := removals(c, p, o.Prune); err != nil {
		return err
	}
	question := fmt.Sprintf("remove the %d that are left over? Their files and a dump of each database go to %s", len(p.Left), h.Layout.Removed())
	if o.Prune && len(p.Left) > 0 && !c.Bool("yes") {
		if err := a.agreed(c.Context, question); err != nil {
			return err
		}
	}
	board := a.board(events, len(p.Tenants)+len(p.Left))
	o.Observer = board
	outcomes, err := provision.Apply(c.Context, h, p, o)
	board.Close()
	if outcomes == nil {
		return err
	}
	return errors.Join(err, a.report("apply", h, outcomes, time.Since(start), asJSON(c)))
}

// removals refuses to remove more than a tenth of the farm, or than was said.
func removals(c *cli.Context, p *provision.Plan, prune bool) error {
	n, allowed := p.Removals()
	if c.IsSet("max-removals") {
		allowed = c.Int("max-removals")
	}
	if !prune || n <= allowed {
		return nil
	}
	return usagef("--prune would remove %d wikis, which is more than %d; nothing was changed. Are all of the farm's files there? If so: --max-removals %d", n, allowed, n)
}
