package cli

import (
	"cmp"
	"context"
	"time"

	"github.com/urfave/cli/v2"

	"wikictl/cmd/internal/ui"
	"wikictl/tenants"
	"wikictl/tenants/machine"
	"wikictl/tenants/mariadb"
)

func (a *app) doctorCommand() *cli.Command {
	return &cli.Command{
		Name: "doctor", Usage: "say what this machine has and lacks for the farm",
		Description: about(`
			Checks programs, PHP and its extensions, php-fpm, the web server's configuration, the privileges and limits
			of the database servers, and this machine's disk, memory, clock, services and limits. Each check that fails
			names the command that repairs it, or the step to take. It writes nothing and starts no server. It exits
			with 1 after warnings, and with 2 when wikis can't be made or served.
		`, "wikictl doctor"),
		Action: a.runDoctor,
	}
}

func (a *app) runDoctor(c *cli.Context) error {
	start := time.Now()
	if c.Args().Present() {
		return usagef("doctor takes no names: it checks the machine for the whole farm")
	}
	f, err := loadFarm(c)
	if err != nil {
		return err
	}
	facts := machine.Inspect(c.Context, f, func(ctx context.Context, def *tenants.Server) (*mariadb.Server, error) {
		return mariadb.Connect(ctx, def, f.Layout(), environmentPassword(def.PasswordName()))
	})
	if err := c.Context.Err(); err != nil {
		return err
	}
	d := ui.NewDoctorDocument(machine.Check(f, facts), time.Since(start))
	err = d.Write(a.stdout, asJSON(c), a.coloured())
	return cmp.Or(err, dryRunError(d.Counts.Warning > 0, d.Counts.Error > 0))
}
