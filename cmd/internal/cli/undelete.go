package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"time"

	"github.com/urfave/cli/v2"

	"wikictl/cmd/internal/ui"
	"wikictl/tenants"
	"wikictl/tenants/provision"
)

func (a *app) undeleteCommand() *cli.Command {
	return &cli.Command{
		Name: "undelete", Usage: "bring removed wikis back, or list them", ArgsUsage: "[NAME…]",
		Description: "Brings wikis back that apply --prune removed: uploads, database, accounts, secrets, dumps and logs, from\n" +
			"state/removed; then asks each of them through the web server who it is. A definition has to be there again: the\n" +
			"one that it had is beside its files. A removal that was interrupted is taken back, or ended first. Without names it\n" +
			"lists what can be brought back.\n\n" +
			exitHelp + "\n\nExample: wikictl undelete btrfs",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "run", Usage: "take back the removal by this run, not the latest"},
			&cli.IntFlag{Name: "jobs", Usage: "wikis at once", Value: runtime.NumCPU()},
			&cli.StringFlag{Name: "events", Usage: "write each step as a line of JSON to this file"},
		},
		Action:       a.runUndelete,
		BashComplete: a.completeNames,
	}
}

func (a *app) runUndelete(c *cli.Context) (err error) {
	f, err := loadFarm(c)
	if err != nil {
		return err
	}
	if !c.Args().Present() {
		return a.listRemoved(f, asJSON(c))
	}
	list, err := returning(f, c.Args().Slice(), c.String("run"))
	if err != nil {
		return err
	}
	events, err := eventsTo(c.String("events"))
	if err != nil {
		return err
	}
	if events != nil {
		defer events.Close()
	}
	h, err := a.openHost(f, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	start := time.Now()
	board := a.board(events, len(list))
	outcomes, err := provision.Undelete(c.Context, h, list, c.String("run"), provision.Options{Jobs: c.Int("jobs"), Drain: a.drained, Observer: board})
	board.Close()
	if outcomes == nil {
		return err
	}
	return errors.Join(err, a.report("undelete", h, outcomes, time.Since(start), asJSON(c)))
}

// returning are the tenants of some names. One that no file defines can't come back
// yet: the error says which file to copy.
func returning(f *tenants.Farm, names []string, run string) ([]*tenants.Tenant, error) {
	var list []*tenants.Tenant
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
		return nil, usagef("no file defines %s any more: copy %s to %s.toml among the farm's tenants, and run this again", name, r.Definition(), name)
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

// listRemoved prints what can be brought back.
func (a *app) listRemoved(f *tenants.Farm, asJSON bool) error {
	all, err := provision.AllRemoved(f.Layout())
	if err != nil {
		return err
	}
	rows, table := []removedRow{}, [][]any{}
	for _, r := range all {
		rows = append(rows, removedRow{r.Name, r.Run, moment(r.Removed), r.Version, r.Dir()})
		table = append(table, []any{r.Name, r.Version, r.Removed.UTC().Format(time.DateTime), r.Run, r.Dir()})
	}
	if asJSON {
		return ui.WriteJSON(a.stdout, map[string]any{"command": "undelete", "removed": rows})
	}
	if len(all) == 0 {
		_, err := fmt.Fprintln(a.stdout, "undelete: nothing was removed")
		return err
	}
	ui.Table(a.stdout, []any{"name", "version", "removed (UTC)", "by run", "folder"}, table)
	return nil
}
