package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"wikictl/cmd/internal/ui"
	"wikictl/tenants/mariadb"
)

func (a *app) serverCommand() *cli.Command {
	action := func(name, does, more string, do func(context.Context, mariadb.Private) error) *cli.Command {
		return &cli.Command{
			Name: name, Usage: does,
			Description: about(more, "wikictl server "+name),
			Action: func(c *cli.Context) error {
				f, err := loadFarm(c)
				if err != nil {
					return err
				}
				rows := []serverRow{}
				for _, def := range f.Servers {
					if !def.Managed || err != nil {
						continue
					}
					p := mariadb.PrivateOf(def, f.Layout())
					if err = do(c.Context, p); err != nil {
						err = fmt.Errorf("server %s: %w", def.Name, err)
					}
					row, unknown := serverState(c.Context, def.Name, p)
					if unknown != nil && err == nil {
						err = fmt.Errorf("server %s: %w", def.Name, unknown)
					}
					rows = append(rows, row)
				}
				return errors.Join(a.tell(c, name, rows), err)
			},
		}
	}
	return &cli.Command{
		Name: "server", Usage: "start, stop or check the MariaDB servers that wikictl manages",
		Description: about(`
			For servers with managed = true in [servers] of wikictl.toml. A command that writes starts them if necessary;
			commands that only read do not.
		`, "wikictl server status"),
		Action: subcommandHelp("wikictl help server lists them"),
		Subcommands: []*cli.Command{
			action("start", "start the managed servers", "Leaves servers that run already unchanged.", func(ctx context.Context, p mariadb.Private) error {
				a.reach(starting)
				return p.Start(ctx)
			}),
			action("stop", "stop the managed servers", "Wikis on them answer with errors until wikictl server start.", func(ctx context.Context, p mariadb.Private) error {
				a.reach(starting)
				return p.Stop(ctx)
			}),
			action("status", "show whether the managed servers run", "Starts none.", func(context.Context, mariadb.Private) error { return nil }),
		},
	}
}

// serverRow is the state of a managed server.
type serverRow struct {
	Name   string `json:"name"`
	State  string `json:"state"` // "running", "stopped", or why that is unknown
	Socket string `json:"socket"`
}

// serverState returns the state of a server. The error is the reason if that is unknown.
func serverState(ctx context.Context, name string, p mariadb.Private) (serverRow, error) {
	row := serverRow{Name: name, State: "stopped", Socket: p.Socket}
	running, err := p.Answers(ctx)
	switch {
	case err != nil:
		row.State = "unknown: " + err.Error()
	case running:
		row.State = "running"
	}
	return row, err
}

// tell prints the states of servers.
func (a *app) tell(c *cli.Context, name string, rows []serverRow) error {
	if asJSON(c) {
		return ui.WriteJSON(a.stdout, struct {
			Command string      `json:"command"`
			Servers []serverRow `json:"servers"`
		}{"server " + name, rows})
	}
	for _, row := range rows {
		fmt.Fprintf(a.stdout, "%s  %s  %s\n", row.Name, ui.Clean(row.State), row.Socket)
	}
	return nil
}
