package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"wikictl/cmd/internal/ui"
	"wikictl/tenants"
	"wikictl/tenants/plan"
	"wikictl/tenants/provision"
	"wikictl/tenants/session"
)

func (a *app) undeleteCommand() *cli.Command {
	return &cli.Command{
		Name: "undelete", Usage: "bring removed wikis back, or list them", ArgsUsage: "[NAME…]",
		Description: about(`
			Brings wikis back that delete or apply --prune removed: uploads, database, accounts, secrets, dumps and logs, from
			state/removed. Then verifies through the web server that each wiki answers as itself. If no file defines the wiki,
			it puts its former definition back, unless another file has its host or database. An interrupted removal is undone, or completed first. Without names,
			--where and --all it lists what can be brought back.
		`, "wikictl undelete btrfs"),
		Flags: append(selectionFlags(),
			&cli.StringFlag{Name: "run", Usage: "undo the removal by this run instead of the latest one"},
			jobsFlag(runtime.NumCPU()),
			dryRunFlag("what would come back"),
			eventsFlag(),
		),
		Action: onFarm(loadFarm, a.runUndelete),
	}
}

func (a *app) runUndelete(c *cli.Context, f *tenants.Farm) error {
	if !c.Bool("all") && !selects(c) {
		return a.listRemoved(f, asJSON(c))
	}
	if err := atLeastOne(c, "jobs"); err != nil {
		return err
	}
	list, files, err := returning(c, f)
	if err != nil {
		return err
	}
	run := c.String("run")
	if c.Bool("dry-run") {
		return a.previews(c, f, func(h *session.Host) (*plan.Plan, error) {
			return provision.PreviewUndelete(c.Context, h, list, run, !c.Args().Present())
		})
	}
	if err := a.somethingRemoved(c.Context, f, list, run); err != nil {
		return err
	}
	if len(files) > 0 {
		if f, list, err = a.putBack(c, files, list); err != nil {
			return err
		}
	}
	err = a.changes(c, f, func(h *session.Host, board func(int) session.Observer) ([]session.Outcome, error) {
		o := provision.Options{Jobs: c.Int("jobs"), Gone: !c.Args().Present(), Drain: a.drained, Observer: board(len(list))}
		outcomes, err := provision.Undelete(c.Context, h, list, run, o)
		keepBegun(c.Context, h, files, outcomes)
		return outcomes, err
	})
	return errors.Join(err, takeBack(files))
}

// somethingRemoved returns an error if nothing of some tenants was removed, so that no managed
// server is started in vain. An interrupted removal may be in the ledger alone; if that can't
// be read without starting its server, the folder of removed wikis decides.
func (a *app) somethingRemoved(ctx context.Context, f *tenants.Farm, list []*tenants.Tenant, run string) error {
	nothing := provision.NoneRemoved(f.Layout(), list, run)
	if nothing == nil {
		return nil
	}
	return a.withHost(f, true, func(h *session.Host) error {
		if _, err := h.Ledger(ctx); err != nil {
			return nothing
		}
		return nil
	})
}

// returning returns the tenants to bring back: the named ones, or the removed ones of the
// selection; and the definitions to put back for them.
func returning(c *cli.Context, f *tenants.Farm) ([]*tenants.Tenant, []*putBack, error) {
	names := c.Args().Slice()
	if len(names) > 0 && !c.Bool("all") && c.String("where") == "" {
		return definedAgain(f, names, c.String("run"))
	}
	removed, err := provision.AllRemoved(f.Layout())
	if err != nil {
		return nil, nil, err
	}
	gone := map[string]bool{}
	for _, r := range removed {
		gone[r.Name] = true
	}
	if c.Bool("all") && len(names) == 0 {
		if len(gone) == 0 {
			return nil, nil, usagef("nothing was removed")
		}
		return definedAgain(f, slices.Sorted(maps.Keys(gone)), c.String("run"))
	}
	list, err := chosen(c, f)
	return slices.DeleteFunc(slices.Clone(list), func(t *tenants.Tenant) bool { return !gone[t.Name] }), nil, err
}

// removedRow is one removed tenant in JSON.
type removedRow struct {
	Name    string     `json:"name"`
	Run     string     `json:"run"`
	Removed *time.Time `json:"removed"`
	Version string     `json:"version,omitempty"`
	Folder  string     `json:"folder"`
}

// listRemoved prints the tenants that can be brought back.
func (a *app) listRemoved(f *tenants.Farm, asJSON bool) error {
	all, unread := provision.AllRemoved(f.Layout())
	rows, table := []removedRow{}, [][]any{}
	for _, r := range all {
		rows = append(rows, removedRow{r.Name, r.Run, plan.Moment(r.Removed), r.Version, r.Dir()})
		table = append(table, []any{r.Name, r.Version, r.Removed.UTC().Format(time.DateTime), r.Run, r.Dir()})
	}
	if asJSON {
		return errors.Join(ui.WriteJSON(a.stdout, map[string]any{"command": "undelete", "removed": rows}), unread)
	}
	if len(all) == 0 && unread == nil {
		_, err := fmt.Fprintln(a.stdout, "undelete: nothing was removed")
		return err
	}
	ui.Table(a.stdout, []any{"name", "version", "removed (UTC)", "by run", "folder"}, table)
	return unread
}
