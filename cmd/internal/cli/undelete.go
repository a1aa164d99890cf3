package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"runtime"
	"slices"
	"strings"
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
		Description: "Brings wikis back that apply --prune removed: uploads, database, accounts, secrets, dumps and logs, from\n" +
			"state/removed. Then verifies through the web server that each wiki answers as itself. Define the wiki again first:\n" +
			"its former definition is beside its files. An interrupted removal is undone, or completed first. Without names,\n" +
			"--where and --all it lists what can be brought back.\n\n" +
			exitHelp + "\n\nExample: wikictl undelete btrfs",
		Flags: append(selectionFlags(),
			&cli.StringFlag{Name: "run", Usage: "undo the removal by this run instead of the latest one"},
			&cli.IntFlag{Name: "jobs", Usage: "how many wikis to work on at once", Value: runtime.NumCPU()},
			&cli.BoolFlag{Name: "dry-run", Usage: "show what would come back and change nothing"},
			eventsFlag(),
		),
		Action:       a.runUndelete,
		BashComplete: a.completeNames,
	}
}

func (a *app) runUndelete(c *cli.Context) error {
	f, err := loadFarm(c)
	if err != nil {
		return err
	}
	if !c.Args().Present() && !c.Bool("all") && c.String("where") == "" {
		return a.listRemoved(f, asJSON(c))
	}
	if err := atLeastOne(c, "jobs"); err != nil {
		return err
	}
	list, err := returning(c, f)
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
	return a.changes(c, f, func(h *session.Host, board func(int) session.Observer) ([]session.Outcome, error) {
		o := provision.Options{Jobs: c.Int("jobs"), Gone: !c.Args().Present(), Drain: a.drained, Observer: board(len(list))}
		return provision.Undelete(c.Context, h, list, run, o)
	})
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
// selection.
func returning(c *cli.Context, f *tenants.Farm) ([]*tenants.Tenant, error) {
	names := c.Args().Slice()
	if len(names) > 0 && !c.Bool("all") && c.String("where") == "" {
		return definedAgain(f, names, c.String("run"))
	}
	removed, err := provision.AllRemoved(f.Layout())
	if err != nil {
		return nil, err
	}
	gone := map[string]bool{}
	for _, r := range removed {
		gone[r.Name] = true
	}
	if c.Bool("all") && len(names) == 0 {
		if len(gone) == 0 {
			return nil, usagef("nothing was removed")
		}
		return definedAgain(f, slices.Sorted(maps.Keys(gone)), c.String("run"))
	}
	list, err := chosen(c, f)
	return slices.DeleteFunc(slices.Clone(list), func(t *tenants.Tenant) bool { return !gone[t.Name] }), err
}

// definedAgain returns the tenants with these names. A tenant without a definition can't be
// brought back yet: the error names the file to copy.
func definedAgain(f *tenants.Farm, names []string, run string) ([]*tenants.Tenant, error) {
	var list []*tenants.Tenant
	var missing []string
	for _, name := range names {
		t := f.Tenant(name)
		if t != nil {
			list = append(list, t)
			continue
		}
		r, err := provision.FindRemoved(f.Layout(), name, run)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, usagef("no file defines %s, and %s", name, err)
		}
		if err != nil {
			return nil, err
		}
		missing = append(missing, fmt.Sprintf("%s has no definition: copy %s to %s.toml among the farm's tenants, and run this again", name, r.Definition(), name))
	}
	if missing != nil {
		return nil, usagef("%s", strings.Join(missing, "\n"))
	}
	return list, nil
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
		rows = append(rows, removedRow{r.Name, r.Run, moment(r.Removed), r.Version, r.Dir()})
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
