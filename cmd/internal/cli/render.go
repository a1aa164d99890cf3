package cli

import (
	"github.com/urfave/cli/v2"

	"wikictl/tenants"
	"wikictl/tenants/plan"
	"wikictl/tenants/provision"
	"wikictl/tenants/session"
)

func (a *app) renderCommand() *cli.Command {
	return &cli.Command{
		Name: "render", Usage: "show how rendered files differ from those on disk, or write them", ArgsUsage: "[NAME…]",
		Description: about(`
			Renders LocalSettings.php and the virtual host of tenants that exist, and compares them with the files on
			disk; --write replaces the files that differ. A tenant whose code changes is left alone, because its database
			must be upgraded first. Without --write the exit code is 1 when something differs.
		`, "wikictl render --diff --all"),
		Flags: append(selectionFlags(),
			&cli.BoolFlag{Name: "check", Usage: "name the files that differ (the default)"},
			&cli.BoolFlag{Name: "diff", Usage: "show the differences, with passwords masked"},
			&cli.BoolFlag{Name: "write", Usage: "write the files that differ, with one check and one reload of the web server"},
			&cli.BoolFlag{Name: "dry-run", Usage: "change nothing, even with --write"},
			eventsFlag()),
		Action: onFarm(a.loadToRender, a.runRender),
	}
}

func (a *app) runRender(c *cli.Context, f *tenants.Farm) error {
	if !c.Bool("write") || c.Bool("dry-run") {
		return a.previewRender(c, f, c.Bool("diff"))
	}
	list, err := chosen(c, f)
	if err != nil {
		return err
	}
	return a.changes(c, f, func(h *session.Host, board func(int) session.Observer) ([]session.Outcome, error) {
		return provision.Render(c.Context, h, list, board(len(list)))
	})
}

// previewRender shows which rendered files differ from those on disk, and with diff how.
func (a *app) previewRender(c *cli.Context, f *tenants.Farm, diff bool) error {
	list, _, err := chosenOrAll(c, f)
	if err != nil {
		return err
	}
	return a.previews(c, f, func(h *session.Host) (*plan.Plan, error) {
		return provision.PreviewRender(c.Context, h, list, diff)
	})
}
