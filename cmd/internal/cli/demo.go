package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/urfave/cli/v2"

	"wikictl/cmd/internal/demo"
	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/definitions"
	"wikictl/tenants/machine"
	"wikictl/tenants/mariadb"
	"wikictl/tenants/provision"
)

func (a *app) demoCommand() *cli.Command {
	return &cli.Command{
		Name: "demo", Usage: "start a farm of three real wikis",
		Description: about(`
			Asks before it installs missing packages of Debian, unpacks MediaWiki 1.39 and 1.43 into the demo's folder, starts
			a private MariaDB, php-fpm and nginx on loopback, and creates three wikis. Ctrl-C stops everything.

			The folder is demo in the current one or, for root below a folder that the web server's user may not enter,
			`+demoElsewhere+`.
		`, "wikictl demo --dir /tmp/demo --yes"),
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "dir", Usage: "folder of the demo", Value: "demo"},
			yesFlag("don't ask before installing packages"),
			&cli.BoolFlag{Name: "detach", Usage: "exit and leave it running in the background"},
			&cli.BoolFlag{Name: "stop", Usage: "stop a demo that runs in the background"},
			&cli.StringFlag{Name: "codebase", Usage: "folder with MediaWiki trees named 1.39 and 1.43, instead of Debian's"},
		},
		Action: a.runDemo,
	}
}

func (a *app) runDemo(c *cli.Context) error {
	usualModes()
	dir, err := a.demoDir(c)
	if err != nil {
		return err
	}
	d, err := demo.OpenDemo(dir)
	if err != nil {
		return err
	}
	if c.Bool("stop") && !deploy.Exists(filepath.Join(d.Dir, tenants.FarmFile)) {
		return tenants.WithHint(usagef("%s has no demo", d.Dir), "name its folder with --dir")
	}
	if c.Bool("stop") {
		return a.stopDemo(c.Context, d)
	}
	if err := a.installForDemo(c.Context, c.Bool("yes")); err != nil {
		return err
	}
	part := a.startDemo(c, d) // after a failure of a wiki the servers run on: another command may finish it
	if part != nil && !errors.Is(part, errPart) {
		return errors.Join(part, a.endDemo(c.Context, d))
	}
	if c.Bool("detach") {
		fmt.Fprintf(a.stdout, "\nit runs in the background; stop it by: wikictl demo --dir %s --stop\n", d.Dir)
		return part
	}
	fmt.Fprintln(a.stdout, "\nCtrl-C stops everything")
	a.reach(changing) // so that the first Ctrl-C is no interruption
	ctx, done := a.pause(c.Context)
	defer done()
	<-ctx.Done()
	return errors.Join(part, a.endDemo(c.Context, d))
}

// endDemo stops a demo even if the command was interrupted.
func (a *app) endDemo(ctx context.Context, d *demo.Demo) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	return a.stopDemo(ctx, d)
}

// demoElsewhere is the demo's folder if the web server's user can't enter the usual one. Only
// root's demo has another user for its web server, and only root may write to this folder.
const demoElsewhere = "/var/lib/wikictl-demo"

// demoDir returns the demo's folder: --dir or, where the web server's user can't enter the
// usual one, another.
func (a *app) demoDir(c *cli.Context) (string, error) {
	dir, err := filepath.Abs(c.String("dir"))
	if err != nil {
		return "", err
	}
	at, mode := machine.Stopped(demo.Worker(), dir)
	if at == "" || c.Bool("stop") && c.IsSet("dir") {
		return dir, nil
	}
	if c.IsSet("dir") {
		return "", tenants.WithHint(fmt.Errorf("--dir %s: the web server's user %s may not enter %s (mode %04o)", dir, demo.Worker(), at, mode), "name a folder that every user may enter, such as --dir "+demoElsewhere)
	}
	fmt.Fprintf(a.stderr, "the web server's user %s may not enter %s (mode %04o); the demo is in %s\n", demo.Worker(), at, mode, demoElsewhere)
	return demoElsewhere, nil
}

// installForDemo lists the missing packages and installs them after a confirmation.
func (a *app) installForDemo(ctx context.Context, yes bool) error {
	missing := demo.Missing(ctx, demo.Serving())
	if len(missing) == 0 {
		return demo.Install(ctx, nil, a.stderr)
	}
	fmt.Fprintln(a.stdout, "the demo needs these packages of Debian, without their services:")
	for _, p := range missing {
		fmt.Fprintln(a.stdout, "  "+p.Name)
	}
	if !yes {
		if err := a.agreed(ctx, "install them?"); err != nil {
			return err
		}
	}
	a.reach(starting)
	return demo.Install(ctx, missing, a.stderr)
}

// startDemo starts the servers and creates the missing wikis. The error wraps errPart if a
// wiki failed and the servers run.
func (a *app) startDemo(c *cli.Context, d *demo.Demo) error {
	ctx, codebases := c.Context, c.String("codebase")
	if codebases == "" {
		codebases = filepath.Join(d.Dir, "mediawiki")
		say := func(text string) { fmt.Fprintln(a.stderr, text) }
		if err := demo.Codebases(ctx, codebases, say); err != nil {
			return err
		}
	}
	codebases, err := filepath.Abs(codebases)
	if err != nil {
		return err
	}
	if err := d.WriteFarm(codebases); err != nil {
		return err
	}
	f, err := definitions.Load(d.Dir)
	if err != nil {
		return err
	}
	if err := d.Web.Start(ctx); err != nil {
		return err
	}
	part := a.create(c, f, f.Tenants, provision.Options{Jobs: 4})
	if part != nil && !errors.Is(part, errPart) {
		return part
	}
	fmt.Fprintln(a.stdout)
	for _, t := range f.Tenants {
		fmt.Fprintf(a.stdout, "%-15s %-32s MediaWiki %s, log-in in %s\n", t.Sitename, d.URL(t.Hosts[0])+t.Path, t.Codebase.Version, f.Layout().Secrets(t.Name))
	}
	return part
}

// stopDemo stops the web servers, then the database.
func (a *app) stopDemo(ctx context.Context, d *demo.Demo) error {
	err := d.Web.Stop(ctx)
	f, loadErr := definitions.Load(d.Dir)
	if loadErr != nil {
		return errors.Join(err, loadErr)
	}
	for _, def := range f.Servers {
		if def.Managed {
			err = errors.Join(err, mariadb.PrivateOf(def, f.Layout()).Stop(ctx))
		}
	}
	if err == nil {
		fmt.Fprintln(a.stdout, "the demo is stopped")
	}
	return err
}
