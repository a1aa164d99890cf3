package cli

import (
	"os"
	"runtime"
	"strings"

	"github.com/urfave/cli/v2"

	"wikictl/tenants"
	"wikictl/tenants/plan"
	"wikictl/tenants/provision"
	"wikictl/tenants/secrets"
	"wikictl/tenants/session"
)

func (a *app) createCommand() *cli.Command {
	return &cli.Command{
		Name: "create", Usage: "create wikis that are defined and do not exist yet", ArgsUsage: "NAME…",
		Description: about(`
			Creates database, accounts, schema, administrator, release and virtual host of each tenant, then verifies
			through the web server that the wiki answers as itself. What exists is left alone. The administrator's password
			is in state/secrets/NAME.toml.
		`, "wikictl create --all --jobs 8"),
		Flags: append(selectionFlags(),
			jobsFlag(4*runtime.NumCPU()),
			dryRunFlag("what would be created"),
			passwordFlag(),
			eventsFlag(),
		),
		Action: onChosen(a.chosenToRender, a.runCreate),
	}
}

func (a *app) runCreate(c *cli.Context, f *tenants.Farm, list []*tenants.Tenant) (err error) {
	if err := atLeastOne(c, "jobs"); err != nil {
		return err
	}
	o := provision.Options{Jobs: c.Int("jobs")}
	if o.AdminPassword, err = passwordFrom(c); err != nil {
		return err
	}
	if c.Bool("dry-run") {
		return a.previews(c, f, func(h *session.Host) (*plan.Plan, error) { return provision.Preview(c.Context, h, list) })
	}
	return a.create(c, f, list, o)
}

// create creates tenants and prints the result; demo also calls it.
func (a *app) create(c *cli.Context, f *tenants.Farm, list []*tenants.Tenant, o provision.Options) error {
	return a.changes(c, f, func(h *session.Host, board func(int) session.Observer) ([]session.Outcome, error) {
		o.Drain, o.Observer = a.drained, board(len(list))
		return provision.Create(c.Context, h, list, o)
	})
}

// passwordFlag names the file of a password.
func passwordFlag() cli.Flag {
	return &cli.StringFlag{Name: "admin-password-file", Usage: "file whose first line is the password of every new administrator"}
}

// passwordFrom returns the password of passwordFlag, or "".
func passwordFrom(c *cli.Context) (secrets.Secret, error) {
	path := c.String("admin-password-file")
	if path == "" {
		return "", nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", usagef("--admin-password-file: %s", err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	if len(line) < 10 {
		return "", usagef("--admin-password-file: MediaWiki requires a password of 10 characters or more")
	}
	return secrets.Secret(line), nil
}
