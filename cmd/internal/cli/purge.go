package cli

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"wikictl/cmd/internal/ui"
	"wikictl/tenants"
	"wikictl/tenants/plan"
	"wikictl/tenants/provision"
	"wikictl/tenants/session"
)

func (a *app) purgeCommand() *cli.Command {
	return &cli.Command{
		Name: "purge", Usage: "remove deleted wikis for good", ArgsUsage: "NAME…",
		Description: "Deletes from state/removed what delete and apply --prune moved there, of wikis that were removed longer ago than\n" +
			"[keep] removed says: undelete can't bring them back then. It asks. --early takes those that were removed since, too.\n" +
			"Backups of the wikis stay, for wikictl restore. When it was interrupted, run it again.\n\n" +
			exitHelp + "\n\nExample: wikictl purge --all --dry-run",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "all", Usage: "take every wiki that was removed"},
			&cli.BoolFlag{Name: "early", Usage: "delete for good also what was removed within the time of [keep] removed"},
			&cli.BoolFlag{Name: "dry-run", Usage: "show what would be deleted for good and change nothing"},
			&cli.BoolFlag{Name: "yes", Usage: "don't ask before deleting for good"},
			eventsFlag(),
		},
		Action: a.runPurge,
	}
}

func (a *app) runPurge(c *cli.Context) error {
	f, err := loadFarm(c)
	if err != nil {
		return err
	}
	all, unread := provision.AllRemoved(f.Layout())
	list, err := purgeable(c, f, all, time.Now())
	if err != nil {
		return errors.Join(err, unread)
	}
	p := &plan.Plan{}
	for _, r := range list {
		t := &plan.Tenant{Name: r.Name}
		t.Add(plan.Purge, "%s, removed %s UTC by run %s", r.Dir(), r.Removed.UTC().Format(time.DateTime), r.Run)
		p.Tenants = append(p.Tenants, t)
	}
	if c.Bool("dry-run") {
		return errors.Join(a.previews(c, f, func(*session.Host) (*plan.Plan, error) { return p, nil }), unread)
	}
	if len(list) > 0 && !c.Bool("yes") {
		if err := ui.Plan(a.stderr, "purge", p, 0); err != nil {
			return err
		}
		if err := a.agreed(c.Context, fmt.Sprintf("delete %d removed wikis for good?", len(list))); err != nil {
			return err
		}
	}
	err = a.changes(c, f, func(h *session.Host, board func(int) session.Observer) ([]session.Outcome, error) {
		if len(list) == 0 {
			return []session.Outcome{}, nil
		}
		return provision.Purge(c.Context, h, list, provision.Options{Drain: a.drained, Observer: board(len(list))})
	})
	return errors.Join(err, unread)
}

// purgeable are the removals that are meant and may go.
func purgeable(c *cli.Context, f *tenants.Farm, all []*provision.Removed, now time.Time) ([]*provision.Removed, error) {
	names := c.Args().Slice()
	if c.Bool("all") == (len(names) > 0) {
		return nil, usagef("name the removed wikis, or pass --all")
	}
	for _, name := range names {
		if !slices.ContainsFunc(all, func(r *provision.Removed) bool { return r.Name == name }) {
			return nil, tenants.WithHint(usagef("nothing of %s was removed", name), "wikictl undelete lists what was")
		}
	}
	var list []*provision.Removed
	for _, r := range all {
		meant := c.Bool("all") || slices.Contains(names, r.Name)
		over := c.Bool("early") || f.Keep.Removed > 0 && now.Sub(r.Removed) > f.Keep.Removed
		switch {
		case meant && over:
			list = append(list, r)
		case meant && len(names) > 0:
			return nil, tenants.WithHint(usagef("%s was removed %s UTC and can be brought back until [keep] removed is over", r.Name, r.Removed.UTC().Format(time.DateTime)), "--early deletes it for good now")
		}
	}
	return list, nil
}
