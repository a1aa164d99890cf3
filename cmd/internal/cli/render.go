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
	"wikictl/tenants/mariadb"
	"wikictl/tenants/provision"
	"wikictl/tenants/session"
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

func (a *app) runRender(c *cli.Context) (err error) {
	f, err := loadFarm(c)
	if err != nil {
		return err
	}
	var list []*tenants.Tenant
	if c.Bool("write") {
		list, err = chosen(c, f)
	} else {
		list, _, err = chosenOrAll(c, f)
	}
	if err != nil {
		return err
	}
	h, err := a.openHost(f, !c.Bool("write"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	start := time.Now()
	if c.Bool("write") {
		return a.write(c, h, list, start)
	}
	fit, blocked, err := a.renderable(c.Context, h, list)
	if err != nil {
		return err
	}
	return a.compare(c, h, fit, len(blocked) > 0, start)
}

// write brings the disk in line under the locks of the tenants and prints the result;
// there is none when nothing was done.
func (a *app) write(c *cli.Context, h *session.Host, list []*tenants.Tenant, start time.Time) error {
	ctx, locked, err := h.LockAll(c.Context, list)
	if err != nil {
		return err
	}
	var held []*tenants.Tenant
	var left []session.Outcome
	for _, t := range list {
		if why := locked[t.Name]; why != nil {
			left = append(left, session.Outcome{Tenant: t, Status: session.Failed, Err: why})
			continue
		}
		held = append(held, t)
	}
	fit, blocked, err := a.renderable(ctx, h, held)
	if err != nil {
		return err
	}
	board := a.board(nil, len(fit))
	outcomes, err := written(ctx, h, fit, append(left, blocked...), board)
	board.Close()
	if outcomes == nil {
		return err
	}
	return errors.Join(err, a.report("render", h, outcomes, time.Since(start), asJSON(c)))
}

// written is a run that brings the disk in line; it only tells of what is left as it is.
func written(ctx context.Context, h *session.Host, list []*tenants.Tenant, left []session.Outcome, o session.Observer) ([]session.Outcome, error) {
	source, err := h.Source(list, wantedCode)
	if err != nil {
		return nil, err
	}
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
	outcomes := append(rendered(list, applied), left...)
	for i, o := range outcomes {
		if o.Status != session.Unchanged {
			outcomes[i] = run.Finish(o)
		}
	}
	return outcomes, run.End(ctx, outcomes)
}

// wantedCode is the codebase that a tenant's definition names.
func wantedCode(t *tenants.Tenant) *tenants.Codebase { return t.Codebase }

// rendered says of each tenant what became of it.
func rendered(list []*tenants.Tenant, applied deploy.Applied) []session.Outcome {
	differed := map[string]deploy.Outcome{}
	for _, o := range applied.Outcomes {
		differed[o.Tenant] = o
	}
	outcomes := make([]session.Outcome, len(list))
	for i, t := range list {
		o, found := differed[t.Name]
		outcomes[i] = session.Outcome{Tenant: t, Status: session.Unchanged, Err: o.Err}
		switch {
		case o.Err != nil:
			outcomes[i].Status = session.Failed
		case found:
			outcomes[i].Status = session.Done
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
func (a *app) compare(c *cli.Context, h *session.Host, list []*tenants.Tenant, blocked bool, start time.Time) error {
	var unseen []string
	if unread := h.Unreadable(c.Context, list, wantedCode); len(unread) > 0 {
		unseen = append(unseen, provision.UnseenFiles(unread))
		list = slices.DeleteFunc(list, func(t *tenants.Tenant) bool { return unread[t.Name] != nil })
	}
	source, err := h.Source(list, wantedCode)
	if err != nil {
		return err
	}
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
	if len(changes)+len(unseen) == 0 {
		fmt.Fprintln(a.stdout, "render: no changes")
	}
	return found
}

// unblocked leaves out tenants that something stands in the way of, which it names.
func (a *app) unblocked(ctx context.Context, h *session.Host, list []*tenants.Tenant) (fit []*tenants.Tenant, blocked []session.Outcome) {
	obstacles := h.Obstacles(ctx, list)
	var said ui.Grouped
	for _, t := range list {
		problems := obstacles[t.Name]
		if problems == nil {
			fit = append(fit, t)
			continue
		}
		blocked = append(blocked, session.Outcome{Tenant: t, Status: session.Blocked, Err: session.InTheWay(problems)})
		for _, p := range problems {
			said.Add(p.String(), t.Name)
		}
	}
	said.Print(a.stderr, string(session.Blocked))
	return fit, blocked
}

// renderable leaves out tenants that are not finished, and those whose code changed:
// they must not be served on code that their database does not fit. Those that
// something of their own stands in the way of are blocked. A run that writes calls it
// with the locks of the tenants.
func (a *app) renderable(ctx context.Context, h *session.Host, list []*tenants.Tenant) (fit []*tenants.Tenant, blocked []session.Outcome, err error) {
	ledger, err := h.Ledger(ctx)
	if err != nil {
		return nil, nil, err
	}
	rows, err := ledger.Tenants(ctx)
	if err != nil {
		return nil, nil, err
	}
	open, err := ledger.OpenUpgrades(ctx)
	if err != nil {
		return nil, nil, err
	}
	for _, t := range list {
		_, upgrading := open[t.Name]
		why := unfit(t, rows[t.Name], upgrading)
		if why == "" || t.Blocked() { // unblocked names it
			fit = append(fit, t)
			continue
		}
		fmt.Fprintf(a.stderr, "%s %s\n", t.Name, why)
	}
	fit, blocked = a.unblocked(ctx, h, fit)
	return fit, blocked, nil
}

// unfit says why a tenant's files are not to be written; empty when they are.
func unfit(t *tenants.Tenant, row mariadb.TenantRow, upgrading bool) string {
	switch {
	case upgrading:
		return "is being upgraded, or that did not finish; wikictl status tells"
	case row.Name == "":
		return "is not created yet; wikictl create " + t.Name
	case row.State == mariadb.Leaving:
		return fmt.Sprintf("is being removed by run %s, or that did not finish; wikictl plan %s", row.Run, t.Name)
	case row.State == mariadb.Returning:
		return fmt.Sprintf("is being brought back by run %s, or that did not finish; wikictl undelete %s", row.Run, t.Name)
	case row.State != mariadb.Ready:
		return fmt.Sprintf("is not finished (state %s); wikictl create %s", row.State, t.Name)
	case row.ComponentSet != t.ComponentSet(t.Codebase):
		return fmt.Sprintf("runs on MediaWiki %s with other code than is wanted; wikictl upgrade %s", row.Version, t.Name)
	}
	return ""
}
