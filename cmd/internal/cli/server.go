package cli

import (
	"context"
	"fmt"

	"github.com/urfave/cli/v2"

	"wikictl/cmd/internal/ui"
	"wikictl/tenants/mariadb"
)

func (a *app) serverCommand() *cli.Command {
	action := func(name, does string, do func(context.Context, string, mariadb.Private) error) *cli.Command {
		return &cli.Command{
			Name: name, Usage: does,
			Description: exitHelp + "\n\nExample: wikictl server " + name,
			Action: func(c *cli.Context) error {
				f, err := loadFarm(c)
				if err != nil {
					return err
				}
				for _, def := range f.Servers {
					if def.Managed {
						if err := do(c.Context, def.Name, mariadb.PrivateOf(def, f.Layout())); err != nil {
							return fmt.Errorf("server %s: %w", def.Name, err)
						}
					}
				}
				return nil
			},
		}
	}
	return &cli.Command{
		Name: "server", Usage: "start and stop the MariaDB servers that wikictl manages",
		Description: exitHelp + "\n\nExample: wikictl server status",
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return usagef("there is no command server %s; wikictl help server lists them", c.Args().First())
			}
			return cli.ShowSubcommandHelp(c)
		},
		Subcommands: []*cli.Command{
			action("start", "start the managed servers", func(ctx context.Context, name string, p mariadb.Private) error {
				a.reach(starting)
				defer a.tell(ctx, name, p)
				return p.Start(ctx)
			}),
			action("stop", "stop the managed servers", func(ctx context.Context, name string, p mariadb.Private) error {
				a.reach(starting)
				defer a.tell(ctx, name, p)
				return p.Stop(ctx)
			}),
			action("status", "say whether the managed servers run", func(ctx context.Context, name string, p mariadb.Private) error {
				return a.tell(ctx, name, p)
			}),
		},
	}
}

// tell prints whether a server runs. Its error is why that can't be told.
func (a *app) tell(ctx context.Context, name string, p mariadb.Private) error {
	state := "stopped"
	running, err := p.Answers(ctx)
	switch {
	case err != nil:
		state = "can't be told: " + ui.Clean(err.Error())
	case running:
		state = "running"
	}
	fmt.Fprintf(a.stdout, "%s  %s  %s\n", name, state, p.Socket)
	return err
}
