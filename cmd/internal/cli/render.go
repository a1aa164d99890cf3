package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"wikictl/cmd/internal/ui"
	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/host"
	"wikictl/tenants/mariadb"
	"wikictl/tenants/provision"
)

func (a *app) renderCommand() *cli.Command {
	return &cli.Command{
		Name: "render", Usage: "compare rendered files with what is on disk, or write them", ArgsUsage: "NAME…",
		Description: "Renders LocalSettings.php and the virtual host of tenants that were created. A tenant whose code\nchanged is left as it is, as its database has to be upgraded first. --check and --diff write nothing\nand exit 1 when something differs.\n\n" + exitHelp + "\n\nExample: wikictl render --diff --all",
		Flags: append(selectionFlags(),
			&cli.BoolFlag{Name: "check", Usage: "name the files that differ (the default)"},
			&cli.BoolFlag{Name: "diff", Usage: "show the differences, passwords masked"},
			&cli.BoolFlag{Name: "write", Usage: "write them, with one check and one reload of the web server"}),
		Action:       a.runRender,
		BashComplete: a.completeNames,
	}
}

func (a *app) runRender(c *cli.Context) error {
	f, list, err := farmAndChosen(c)
	if err != nil {
		return err
	}
	start := time.Now()
	return a.withLedger(c.Context, f, !c.Bool("write"), func(h *host.Host, ledger *mariadb.Ledger, rows map[string]mariadb.TenantRow) error {
		open, err := ledger.OpenUpgrades(c.Context)
		if err != nil {
			return err
		}
		fit, blocked := a.unblocked(c.Context, h, a.renderable(list, rows, open))
		wanted := func(t *tenants.Tenant) *tenants.Codebase { return t.Codebase }
		var unseen []string
		if unread := h.Unreadable(c.Context, fit, wanted); len(unread) > 0 && !c.Bool("write") {
			unseen = append(unseen, provision.UnseenFiles(unread))
			fit = slices.DeleteFunc(fit, func(t *tenants.Tenant) bool { return unread[t.Name] != nil })
		}
		source, err := h.Source(fit, wanted)
		if err != nil {
			return err
		}
		if c.Bool("write") {
			return a.write(c, h, fit, blocked, source, start)
		}
		return a.compare(c, h, source, unseen, len(blocked) > 0, start)
	})
}

// write brings the disk in line and prints the result; there is none when nothing was
// done.
func (a *app) write(c *cli.Context, h *host.Host, list []*tenants.Tenant, blocked []host.Outcome, source deploy.Source, start time.Time) error {
	board := a.board(nil, len(list))
	outcomes, err := written(c.Context, h, list, blocked, source, board)
	board.Close()
	if outcomes == nil {
		return err
	}
	return errors.Join(err, a.report("render", h, outcomes, time.Since(start), asJSON(c)))
}

// written is a run that brings the disk in line; it only tells of what is blocked.
func written(ctx context.Context, h *host.Host, list []*tenants.Tenant, blocked []host.Outcome, source deploy.Source, o host.Observer) ([]host.Outcome, error) {
	run, err := h.Begin(ctx, "render", o)
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
	outcomes := append(rendered(list, applied), blocked...)
	for i, o := range outcomes {
		if o.Status != host.Unchanged {
			outcomes[i] = run.Finish(o)
		}
	}
	return outcomes, run.End(ctx, outcomes)
}

// rendered says of each tenant what became of it.
func rendered(list []*tenants.Tenant, applied deploy.Applied) []host.Outcome {
	differed := map[string]deploy.Outcome{}
	for _, o := range applied.Outcomes {
		differed[o.Tenant] = o
	}
	outcomes := make([]host.Outcome, len(list))
	for i, t := range list {
		o, found := differed[t.Name]
		outcomes[i] = host.Outcome{Tenant: t, Status: host.Unchanged, Err: o.Err}
		switch {
		case o.Err != nil:
			outcomes[i].Status = host.Failed
		case found:
			outcomes[i].Status = host.Done
		}
	}
	return outcomes
}

// comparison is what differs on disk, in JSON.
type comparison struct {
	Command string    `json:"command"`
	Changes []fileRow `json:"changes"`
	Unseen  []string  `json:"unseen"` // what whoever looked may not see
	Seconds float64   `json:"seconds"`
}

// fileRow is one file that differs.
type fileRow struct {
	Tenant string      `json:"tenant,omitempty"` // empty: it is the farm's
	Kind   deploy.Kind `json:"kind"`
	Path   string      `json:"path"`
	Diff   string      `json:"diff,omitempty"`
}

// compare prints what differs on disk, and what could not be compared.
func (a *app) compare(c *cli.Context, h *host.Host, source deploy.Source, unseen []string, blocked bool, start time.Time) error {
	changes, err := h.Deploy.Compare(c.Context, source, c.Bool("diff"))
	var unknown *deploy.PartialError
	if errors.As(err, &unknown) {
		fmt.Fprintln(a.stderr, ui.Clean(unknown.Error()))
		blocked = true
	} else if err != nil {
		return err
	}
	found := dryRunError(len(changes)+len(unseen) > 0, blocked)
	if asJSON(c) {
		d := comparison{Command: "render", Changes: []fileRow{}, Unseen: append([]string{}, unseen...), Seconds: time.Since(start).Seconds()}
		for _, change := range changes {
			d.Changes = append(d.Changes, fileRow{change.Tenant, change.Kind, change.Path, change.Diff})
		}
		return cmp.Or(ui.WriteJSON(a.stdout, d), found)
	}
	for _, change := range changes {
		fmt.Fprintf(a.stdout, "%s %s\n%s", change.Kind, change.Path, ui.Clean(change.Diff))
	}
	for _, what := range unseen {
		fmt.Fprintf(a.stdout, "not seen: %s\n", ui.Clean(what))
	}
	if found == nil {
		fmt.Fprintln(a.stdout, "render: no changes")
	}
	return found
}

// unblocked leaves out tenants that something stands in the way of, which it names.
func (a *app) unblocked(ctx context.Context, h *host.Host, list []*tenants.Tenant) (fit []*tenants.Tenant, blocked []host.Outcome) {
	obstacles := h.Obstacles(ctx, list)
	var said ui.Grouped
	for _, t := range list {
		problems := obstacles[t.Name]
		if problems == nil {
			fit = append(fit, t)
			continue
		}
		blocked = append(blocked, host.Outcome{Tenant: t, Status: host.Blocked, Err: host.InTheWay(problems)})
		for _, p := range problems {
			said.Add(p.String(), t.Name)
		}
	}
	said.Print(a.stderr, string(host.Blocked))
	return fit, blocked
}

// renderable leaves out tenants that were never created, and those whose code
// changed: they must not be served on code that their database does not fit.
func (a *app) renderable(list []*tenants.Tenant, rows map[string]mariadb.TenantRow, open map[string]mariadb.UpgradeRow) []*tenants.Tenant {
	var fit []*tenants.Tenant
	for _, t := range list {
		row, known := rows[t.Name]
		_, upgrading := open[t.Name]
		switch {
		case t.Blocked():
			fit = append(fit, t) // unblocked names it
		case upgrading:
			fmt.Fprintf(a.stderr, "%s is being upgraded, or was interrupted in it; wikictl status tells\n", t.Name)
		case !known:
			fmt.Fprintf(a.stderr, "%s is not created yet; wikictl create %s\n", t.Name, t.Name)
		case row.State == mariadb.Leaving:
			fmt.Fprintf(a.stderr, "%s is being removed by run %s, or that was interrupted; wikictl plan %s\n", t.Name, row.Run, t.Name)
		case row.ComponentSet != t.ComponentSet(t.Codebase):
			fmt.Fprintf(a.stderr, "%s runs on MediaWiki %s with other code than is wanted; wikictl upgrade %s\n", t.Name, row.Version, t.Name)
		default:
			fit = append(fit, t)
		}
	}
	return fit
}
