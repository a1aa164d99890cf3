package cli

import (
	"fmt"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"wikictl/cmd/internal/ui"
	"wikictl/tenants"
	"wikictl/tenants/disk"
	"wikictl/tenants/plan"
	"wikictl/tenants/provision"
	"wikictl/tenants/recovery"
	"wikictl/tenants/session"
)

func (a *app) deleteCommand() *cli.Command {
	return &cli.Command{
		Name: "delete", Usage: "delete a wiki, with the file that defines it", ArgsUsage: "NAME",
		Description: about(`
			Backs the wiki up, takes it out of the web server, moves uploads, logs, secrets, dumps, a last dump of the
			database and the file that defines the wiki to state/removed, and drops the database and its accounts. It asks
			for the name. wikictl undelete brings the wiki back until wikictl purge, or [keep], removes it for good; even
			then the backup stays. After an interruption, run it again, or undelete.
		`, "wikictl delete btrfs --dry-run"),
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "no-backup", Usage: "don't back the wiki up first"},
			dryRunFlag("what would be deleted"),
			yesFlag("don't ask for the name"),
			eventsFlag(),
		},
		Action: onFarm(loadFarm, a.runDelete),
	}
}

func (a *app) runDelete(c *cli.Context, f *tenants.Farm) error {
	name := c.Args().First()
	t := f.Tenant(name)
	switch {
	case c.NArg() != 1:
		return tenants.WithHint(usagef("name one wiki"), "wikictl list lists them")
	case t == nil:
		return tenants.WithHint(usagef("no file defines %s", name), "wikictl plan lists what nothing defines, and wikictl undelete what was removed")
	}
	if c.Bool("dry-run") {
		return a.previews(c, f, func(h *session.Host) (*plan.Plan, error) {
			p, _, err := plannedDelete(c, h, t)
			return p, err
		})
	}
	source, err := disk.Read(filepath.Join(f.Dir, t.Position.File)) // the question and the backup take their time
	if err != nil {
		return err
	}
	if err := a.beforeDelete(c, f, t); err != nil {
		return err
	}
	return a.changes(c, f, func(h *session.Host, board func(int) session.Observer) ([]session.Outcome, error) {
		d, err := provision.PlanDeletion(c.Context, h, t)
		if err != nil {
			return nil, err
		}
		d.Source = source
		outcomes, err := provision.Delete(c.Context, h, d, provision.Options{Jobs: 1, Drain: a.drained, Observer: board(1)})
		if len(outcomes) == 1 && outcomes[0].Err != nil && outcomes[0].Returns { // found after the board showed it as removed
			fmt.Fprintln(a.stderr, ui.Clean(t.Name+": "+outcomes[0].Err.Error()))
		}
		return outcomes, err
	})
}

// beforeDelete shows what would be deleted, asks for the wiki's name, and backs the wiki up.
func (a *app) beforeDelete(c *cli.Context, f *tenants.Farm, t *tenants.Tenant) error {
	exists := false
	err := a.withHost(f, false, func(h *session.Host) error {
		p, whole, err := plannedDelete(c, h, t)
		if err != nil {
			return err
		}
		exists = whole
		if err := ui.Plan(a.stderr, "delete", p, 0); err != nil {
			return err
		}
		if p.Blocked() {
			return fmt.Errorf("%s: %w", t.Name, p.Tenants[0].Err())
		}
		if c.Bool("yes") {
			return nil
		}
		return a.agreedByName(c.Context, fmt.Sprintf("to delete the wiki %s, type its name:", t.Name), t.Name)
	})
	if err != nil || !exists || c.Bool("no-backup") {
		return err
	}
	return a.withHost(f, false, func(h *session.Host) error { return a.backUpFirst(c, h, t) })
}

// plannedDelete returns what would be deleted, which is blocked if the backup before it is, and
// reports whether the wiki is whole, so that it is backed up.
func plannedDelete(c *cli.Context, h *session.Host, t *tenants.Tenant) (p *plan.Plan, whole bool, err error) {
	d, err := provision.PlanDeletion(c.Context, h, t)
	if err != nil {
		return nil, false, err
	}
	p = d.Outline(h.Layout)
	if !d.Exists() || p.Blocked() || c.Bool("no-backup") {
		return p, d.Exists(), nil
	}
	b, err := recovery.PreviewBackup(c.Context, h, []*tenants.Tenant{t})
	if err == nil && b.Blocked() {
		p.Tenants[0].Add(plan.Blocked, "it can't be backed up, and --no-backup deletes it without: %s", b.Tenants[0].Err())
	}
	return p, true, err
}

// backUpFirst makes the backup before a deletion.
func (a *app) backUpFirst(c *cli.Context, h *session.Host, t *tenants.Tenant) error {
	b := a.board(nil, 1)
	outcomes, err := recovery.Backup(c.Context, h, []*tenants.Tenant{t}, recovery.BackupOptions{Options: recovery.Options{Jobs: 1, Drain: a.drained, Observer: b}})
	b.Close()
	if err != nil {
		return fmt.Errorf("nothing was deleted: %w", err)
	}
	switch o := outcomes[0]; {
	case o.Status.Failure():
		_, lost := provision.PlanDeletion(c.Context, h, t)
		return notBackedUp(t.Name, o.Err, lost)
	case o.Status != session.Done:
		return errInterrupted
	}
	_, err = fmt.Fprintf(a.stderr, "its backup is %s\n", outcomes[0].Archive)
	return err
}

// notBackedUp returns the error of a deletion whose backup failed. lost is the error of
// inspecting the wiki: if it is not nil, --no-backup would not help, because a deletion needs
// the server, too. The error does not wrap errReported, or Main would not print it.
func notBackedUp(name string, failure, lost error) error {
	err := fmt.Errorf("nothing was deleted, because %s could not be backed up: %w", name, failure)
	if lost != nil {
		return tenants.WithHint(err, "wikictl server status says which server does not answer")
	}
	return tenants.WithHint(err, "correct that, or pass --no-backup to delete without a backup")
}
