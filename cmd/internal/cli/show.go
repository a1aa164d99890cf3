package cli

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"wikictl/cmd/internal/ui"
	"wikictl/tenants"
	"wikictl/tenants/definitions"
)

func (a *app) showCommand() *cli.Command {
	return &cli.Command{
		Name: "show", Usage: "show tenants with everything that they inherit", ArgsUsage: "[NAME…]",
		Description: about("Prints resolved tenants as TOML. It connects to nothing.", "wikictl show btrfs --origin"),
		Flags:       append(selectionFlags(), &cli.BoolFlag{Name: "origin", Usage: "add the file and line that each value comes from"}),
		Action:      onChosenOrAll(a.runShow),
	}
}

// resolved is a resolved tenant in JSON.
type resolved struct {
	listed
	Settings map[string]any    `json:"settings"`          // by the names of MediaWiki
	Origins  map[string]string `json:"origins,omitempty"` // file:line:column, by key
}

func (a *app) runShow(c *cli.Context, _ *tenants.Farm, list []*tenants.Tenant, _ bool) error {
	if asJSON(c) {
		rows := make([]resolved, len(list))
		for i, t := range list {
			rows[i] = resolved{listed: rowOf(t), Settings: definitions.Plain(t)}
			if c.Bool("origin") {
				rows[i].Origins = originsOf(t)
			}
		}
		return ui.WriteJSON(a.stdout, map[string]any{"command": "show", "tenants": rows})
	}
	for i, t := range list {
		if i > 0 {
			fmt.Fprintln(a.stdout)
		}
		fmt.Fprint(a.stdout, definitions.Show(t, c.Bool("origin")))
	}
	return nil
}

// originsOf returns the position of each value of a tenant.
func originsOf(t *tenants.Tenant) map[string]string {
	origins := map[string]string{}
	for key, at := range t.Origins {
		origins[key] = at.String()
	}
	return origins
}
