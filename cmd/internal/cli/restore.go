package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"wikictl/cmd/internal/ui"
	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/backup/archive"
	"wikictl/tenants/backup/restic"
	"wikictl/tenants/plan"
	"wikictl/tenants/recovery"
	"wikictl/tenants/session"
)

func (a *app) restoreCommand() *cli.Command {
	return &cli.Command{
		Name: "restore", Usage: "restore a wiki from a backup", ArgsUsage: "NAME",
		Description: about(`
			Replaces the database and the uploads of a wiki by those of a backup. If the wiki is gone, it makes the wiki
			again from the backup, with its passwords and keys. Content made since is lost: it asks, and first backs up the
			wiki as it is. Other wikis are not touched. Readers get a maintenance page meanwhile. A backup of a newer
			MediaWiki than the definition's codebase is refused; a backup of an older one is served by that older code, and
			wikictl upgrade upgrades it. After an interruption, run it again.
		`, "wikictl restore btrfs --dry-run"),
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "from", Usage: "restore this backup instead of the latest: the run that made it, or its file"},
			&cli.StringFlag{Name: "as", Usage: "make a new wiki of this name from the backup, with passwords and keys of its own"},
			&cli.StringFlag{Name: "only", Usage: "restore only the database, or only the uploads"},
			&cli.BoolFlag{Name: "skip-damaged", Usage: "restore without uploads whose content is damaged or missing in the backup, and name them"},
			dryRunFlag("what would be restored"),
			yesFlag("don't ask before discarding content made since"),
			eventsFlag(),
		},
		Action: onFarm(loadFarm, a.runRestore),
	}
}

func (a *app) runRestore(c *cli.Context, f *tenants.Farm) error {
	t, o, err := restoreArguments(c, f)
	if err != nil {
		return err
	}
	if c.Bool("dry-run") {
		return a.previews(c, f, func(h *session.Host) (*plan.Plan, error) {
			p, _, err := recovery.PreviewRestore(c.Context, h, t, o)
			return p, err
		})
	}
	return a.changes(c, f, func(h *session.Host, board func(int) session.Observer) ([]session.Outcome, error) {
		if err := a.agreedToRestore(c, h, t, o); err != nil {
			return nil, err
		}
		o.Observer, o.Drain = board(1), a.drained
		return recovery.Restore(c.Context, h, t, o)
	})
}

// restoreArguments returns the tenant to restore, and the backup and options.
func restoreArguments(c *cli.Context, f *tenants.Farm) (*tenants.Tenant, recovery.RestoreOptions, error) {
	o := recovery.RestoreOptions{Only: recovery.Only(c.String("only")), New: c.String("as") != "", SkipDamaged: c.Bool("skip-damaged")}
	switch {
	case c.NArg() != 1:
		return nil, o, tenants.WithHint(usagef("name one wiki"), "wikictl backup lists the wikis with backups")
	case o.Only != "" && o.Only != recovery.OnlyDatabase && o.Only != recovery.OnlyUploads:
		return nil, o, usagef("--only %q is not database or uploads", o.Only)
	case o.Only != "" && o.New:
		return nil, o, usagef("--only and --as exclude each other: a new wiki needs all of a backup")
	}
	name := c.Args().First()
	if !tenants.ValidName(name) {
		return nil, o, usagef("%q is not a name of a wiki", name)
	}
	var err error
	o.Archive, err = backupOf(c.Context, f, name, c.String("from"))
	if err != nil && c.String("from") == "" && deploy.Exists(f.Layout().Restoring(name)) {
		o.Archive, err = nil, nil // an interrupted restore has recorded its backup
	}
	if err != nil {
		return nil, o, err
	}
	if as := c.String("as"); as != "" {
		if as == name || !tenants.ValidName(as) {
			return nil, o, usagef("--as %q is not a name of a new wiki", as)
		}
		name = as
	}
	t, err := definedToRestore(c.Context, f, name, o.Archive)
	if t != nil && c.String("from") == "" && o.Archive != nil {
		o.Default = true
	}
	return t, o, err
}

// newestBackup returns the latest backup of a wiki that this farm made, or nil. It is unknown
// which is the latest if one has a time in the future, because a clock was set back since.
func newestBackup(ctx context.Context, f *tenants.Farm, name string) (*archive.Archive, error) {
	own, err := recovery.OwnBackups(ctx, f, name)
	b := archive.Newest(own)
	if err != nil || b == nil {
		return b, err
	}
	if err := tenants.LatestUnknown(b.Taken, fmt.Sprintf("run %s backed up %s", b.Run, name), "backup", "wikictl backup lists the backups; --from RUN chooses one"); err != nil {
		return nil, err
	}
	return b, nil
}

// backupOf finds a backup by from, its run, snapshot or file. If from is empty, it returns the
// latest backup of the wiki that this farm made, or nil.
func backupOf(ctx context.Context, f *tenants.Farm, name, from string) (*archive.Archive, error) {
	if from == "" {
		return newestBackup(ctx, f, name)
	}
	isName := !strings.Contains(from, "/") && (archive.IsRun(from) || restic.IsID(from))
	if isName && f.Backup.Restic != "" {
		return snapshotOf(ctx, f, name, from)
	}
	file := archive.FileOf(f.Layout().ArchivesOf(name), from)
	if !isName { // absolute, because the run that finishes the restore may have another folder
		var err error
		if file, err = filepath.Abs(from); err != nil {
			return nil, err
		}
	}
	b, err := archive.Find(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, tenants.WithHint(usagef("--from %s: there is no file %s", from, file), "wikictl backup lists the backups")
	}
	if err != nil {
		return nil, err
	}
	return b, nil
}

// snapshotOf finds a backup in the repository of a farm by its run or snapshot. Of a run that
// backed up several wikis, it prefers the backup of the wiki with that name.
func snapshotOf(ctx context.Context, f *tenants.Farm, name, from string) (*archive.Archive, error) {
	all, err := recovery.Backups(ctx, f, "")
	if err != nil {
		return nil, err
	}
	fits := func(b *archive.Archive) bool {
		return b.Run == from || b.Snapshot != "" && strings.HasPrefix(b.Snapshot, from)
	}
	at := slices.IndexFunc(all, func(b *archive.Archive) bool { return fits(b) && b.Name == name })
	if at < 0 {
		at = slices.IndexFunc(all, fits)
	}
	if at < 0 {
		return nil, tenants.WithHint(usagef("--from %s: %s has no such backup", from, f.Backup.Restic), "wikictl backup lists the backups")
	}
	return all[at], recovery.Complete(ctx, f, all[at])
}

// agreedToRestore shows what would be restored, and asks if content may be lost.
func (a *app) agreedToRestore(c *cli.Context, h *session.Host, t *tenants.Tenant, o recovery.RestoreOptions) error {
	p, loses, err := recovery.PreviewRestore(c.Context, h, t, o)
	if err != nil || c.Bool("yes") || !loses {
		return err
	}
	if err := ui.Plan(a.stderr, "restore", p, 0); err != nil {
		return err
	}
	what := "all content made since"
	if o.Only != "" {
		what = "the changes of its " + string(o.Only) + " since"
	}
	return a.agreed(c.Context, fmt.Sprintf("restore %s as of %s UTC, and lose %s? Its current content is backed up first.", t.Name, o.Archive.Taken.UTC().Format(time.DateTime), what))
}
