package cli

import (
	"context"
	"fmt"

	"github.com/urfave/cli/v2"

	"wikictl/cmd/internal/ui"
	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/host"
	"wikictl/tenants/mariadb"
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
	return a.withLedger(c.Context, f, !c.Bool("write"), func(h *host.Host, ledger *mariadb.Ledger, rows map[string]mariadb.TenantRow) error {
		open, err := ledger.OpenUpgrades(c.Context)
		if err != nil {
			return err
		}
		source, err := h.Source(a.renderable(list, rows, open), func(t *tenants.Tenant) *tenants.Codebase { return t.Codebase })
		if err != nil {
			return err
		}
		if c.Bool("write") {
			applied, err := h.Deploy.Apply(c.Context, source)
			fmt.Fprintf(a.stdout, "render: %d changed, %d unchanged\n", len(applied.Outcomes), applied.Unchanged)
			return err
		}
		return a.compare(c.Context, h, source, c.Bool("diff"))
	})
}

// compare prints what differs on disk.
func (a *app) compare(ctx context.Context, h *host.Host, source deploy.Source, diffs bool) error {
	changes, err := h.Deploy.Compare(ctx, source, diffs)
	if err != nil {
		return err
	}
	for _, change := range changes {
		fmt.Fprintf(a.stdout, "%s %s\n%s", change.Kind, change.Path, ui.Clean(change.Diff))
	}
	if len(changes) > 0 {
		return errFound
	}
	fmt.Fprintln(a.stdout, "render: no changes")
	return nil
}

// renderable leaves out tenants that were never created, and those whose code
// changed: they must not be served on code that their database does not fit.
func (a *app) renderable(list []*tenants.Tenant, rows map[string]mariadb.TenantRow, open map[string]mariadb.UpgradeRow) []*tenants.Tenant {
	var fit []*tenants.Tenant
	for _, t := range list {
		row, known := rows[t.Name]
		_, upgrading := open[t.Name]
		switch {
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
