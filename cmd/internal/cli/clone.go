package cli

import (
	"github.com/urfave/cli/v2"

	"wikictl/tenants"
	"wikictl/tenants/plan"
	"wikictl/tenants/recovery"
	"wikictl/tenants/session"
)

func (a *app) cloneCommand() *cli.Command {
	return &cli.Command{
		Name: "clone", Usage: "make a wiki as a copy of another", ArgsUsage: "FROM TO",
		Description: about(`
			Makes the wiki TO, which a file defines and which does not exist yet, as a copy of FROM: database and uploads.
			FROM stays open for readers and editors. TO has passwords and keys of its own, and none of FROM's sessions, jobs,
			tokens and applications. With --anonymize it also has no mail addresses, passwords, real names, preferences,
			watchlists and addresses of users, for a copy to try things on: its administrator's log-in is in its secrets
			file. After an interruption, run it again.
		`, "wikictl clone btrfs staging --dry-run"),
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "anonymize", Usage: "leave out private data of users: mail addresses, passwords, preferences, watchlists"},
			dryRunFlag("what would be made"),
			eventsFlag(),
		},
		Action:       onFarm(loadFarm, a.runClone),
		BashComplete: a.completeNames,
	}
}

func (a *app) runClone(c *cli.Context, f *tenants.Farm) error {
	if c.NArg() != 2 || c.Args().Get(0) == c.Args().Get(1) {
		return usagef("name two wikis: the one that is copied, and the one that is made")
	}
	var two [2]*tenants.Tenant
	for i, name := range c.Args().Slice() {
		if two[i] = f.Tenant(name); two[i] == nil {
			return tenants.WithHint(usagef("no file defines %s", name), "define the copy first, as any other wiki: name, hosts, sitename")
		}
	}
	o := recovery.CloneOptions{Anonymize: c.Bool("anonymize")}
	if c.Bool("dry-run") {
		return a.previews(c, f, func(h *session.Host) (*plan.Plan, error) {
			return recovery.PreviewClone(c.Context, h, two[0], two[1], o)
		})
	}
	return a.changes(c, f, func(h *session.Host, board func(int) session.Observer) ([]session.Outcome, error) {
		o.Observer, o.Drain = board(1), a.drained
		return recovery.Clone(c.Context, h, two[0], two[1], o)
	})
}
