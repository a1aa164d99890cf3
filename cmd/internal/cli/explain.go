package cli

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"wikictl/cmd/internal/ui"
	"wikictl/tenants"
	"wikictl/tenants/audit/rules"
)

func (a *app) explainCommand() *cli.Command {
	return &cli.Command{
		Name: "explain", Usage: "explain what a rule of audit finds, why that matters, and how to repair it", ArgsUsage: "RULE",
		Description: about("Prints what a rule finds, why that matters, how to repair it, and which page of MediaWiki's manual has more.", "wikictl explain raw-html"),
		Action:      a.runExplain,
		BashComplete: a.completing(func() (ids []string) {
			for _, r := range rules.All() {
				ids = append(ids, r.ID)
			}
			return ids
		}),
	}
}

func (a *app) runExplain(c *cli.Context) error {
	if c.NArg() != 1 {
		return tenants.WithHint(usagef("name one rule"), "wikictl audit --list-rules lists them")
	}
	r, found := rules.Find(c.Args().First())
	if !found {
		return tenants.WithHint(usagef("there is no rule %q", c.Args().First()), "wikictl audit --list-rules lists them")
	}
	if asJSON(c) {
		return ui.WriteJSON(a.stdout, r)
	}
	_, err := fmt.Fprintf(a.stdout, "%s (%s)\n\nWhat:   %s\nWhy:    %s\nRepair: %s\nSee:    %s\n", r.ID, r.Severity, r.What, r.Why, r.Repair, r.Reference)
	return err
}
