package cli

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"wikictl/cmd/internal/ui"
	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/plan"
	"wikictl/tenants/provision"
	"wikictl/tenants/recovery"
	"wikictl/tenants/session"
)

func (a *app) purgeCommand() *cli.Command {
	return &cli.Command{
		Name: "purge", Usage: "remove deleted wikis for good", ArgsUsage: "NAME…",
		Description: about(`
			Deletes what delete and apply --prune moved to state/removed, of wikis that were removed longer ago than [keep]
			removed says: undelete can't bring them back then. It asks. --early also takes wikis that were removed since.
			Backups of the wikis stay, for wikictl restore, unless --backups deletes them as well. After an interruption, run it
			again.
		`, "wikictl purge --all --dry-run"),
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "all", Usage: "take every wiki that was removed"},
			&cli.BoolFlag{Name: "early", Usage: "also delete wikis that were removed within the time of [keep] removed"},
			&cli.BoolFlag{Name: "backups", Usage: "also delete all backups of these wikis, even if nothing else of them is left"},
			dryRunFlag("what would be deleted for good"),
			yesFlag("don't ask before deleting for good"),
			eventsFlag(),
		},
		Action: onFarm(loadFarm, a.runPurge),
	}
}

func (a *app) runPurge(c *cli.Context, f *tenants.Farm) error {
	all, unread := provision.AllRemoved(f.Layout())
	list, err := purgeable(c, f, all, time.Now())
	if err != nil {
		return errors.Join(err, unread)
	}
	backups, err := purgeableBackups(c, f, list)
	if err != nil {
		return err
	}
	p := purgePlan(f, list, backups)
	if c.Bool("dry-run") {
		return errors.Join(a.previews(c, f, func(*session.Host) (*plan.Plan, error) { return p, nil }), unread)
	}
	if len(p.Tenants) > 0 && !c.Bool("yes") {
		if err := ui.Plan(a.stderr, "purge", p, 0); err != nil {
			return err
		}
		if err := a.agreed(c.Context, fmt.Sprintf("delete this of %d wikis for good?", len(p.Tenants))); err != nil {
			return err
		}
	}
	err = a.changes(c, f, func(h *session.Host, board func(int) session.Observer) ([]session.Outcome, error) {
		if len(p.Tenants) == 0 {
			return []session.Outcome{}, nil
		}
		if !c.Bool("early") {
			if err := h.ClockDoubt(c.Context, time.Now()); err != nil {
				return nil, tenants.WithHint(err, "--early deletes them anyway")
			}
		}
		for _, name := range slices.Sorted(maps.Keys(backups)) {
			if err := recovery.PurgeBackups(c.Context, h, name); err != nil {
				return nil, err
			}
		}
		return provision.Purge(c.Context, h, list, provision.Options{Drain: a.drained, Observer: board(len(list))})
	})
	return errors.Join(err, unread)
}

// purgePlan returns the plan of a purge; backups counts those to delete, by wiki.
func purgePlan(f *tenants.Farm, list []*provision.Removed, backups map[string]int) *plan.Plan {
	p := &plan.Plan{}
	for _, r := range list {
		t := &plan.Tenant{Name: r.Name}
		t.Add(plan.Purge, "%s, removed %s UTC by run %s", r.Dir(), r.Removed.UTC().Format(time.DateTime), r.Run)
		p.Tenants = append(p.Tenants, t)
	}
	for _, name := range slices.Sorted(maps.Keys(backups)) {
		t := &plan.Tenant{Name: name}
		t.Add(plan.Purge, "%d backups in %s", backups[name], cmp.Or(f.Backup.Restic, f.Layout().ArchivesOf(name)))
		p.Tenants = append(p.Tenants, t)
	}
	return p
}

// purgeableBackups counts, with --backups, the backups of the named wikis or, with --all, those
// of all removed wikis that no file defines again.
func purgeableBackups(c *cli.Context, f *tenants.Farm, list []*provision.Removed) (map[string]int, error) {
	count := map[string]int{}
	if !c.Bool("backups") {
		return count, nil
	}
	names := c.Args().Slice()
	for _, r := range list {
		if f.Tenant(r.Name) == nil {
			names = append(names, r.Name)
		}
	}
	for _, name := range names {
		all, err := recovery.OwnBackups(c.Context, f, name)
		if err != nil {
			return nil, err
		}
		if len(all) > 0 {
			count[name] = len(all)
		}
	}
	return count, nil
}

// purgeable returns the selected removals that may be deleted for good.
func purgeable(c *cli.Context, f *tenants.Farm, all []*provision.Removed, now time.Time) ([]*provision.Removed, error) {
	names := c.Args().Slice()
	if c.Bool("all") == (len(names) > 0) {
		return nil, usagef("name the removed wikis, or pass --all")
	}
	for _, name := range names {
		if !tenants.ValidName(name) {
			return nil, usagef("%q is not a name of a wiki", name)
		}
		if !slices.ContainsFunc(all, func(r *provision.Removed) bool { return r.Name == name }) && !(c.Bool("backups") && deploy.Exists(f.Layout().ArchivesOf(name))) {
			return nil, tenants.WithHint(usagef("%s was not removed", name), "wikictl undelete lists removed wikis")
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
