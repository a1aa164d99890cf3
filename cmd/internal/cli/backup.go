package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"wikictl/cmd/internal/ui"
	"wikictl/tenants"
	"wikictl/tenants/backup/archive"
	"wikictl/tenants/plan"
	"wikictl/tenants/recovery"
	"wikictl/tenants/session"
)

func (a *app) backupCommand() *cli.Command {
	return &cli.Command{
		Name: "backup", Usage: "back up wikis, or list backups", ArgsUsage: "[NAME…]",
		Description: about(`
			Writes for each wiki one archive to state/archives: its database from one snapshot, its uploads, its definition,
			passwords and keys. The wiki stays open for readers and editors. Unchanged uploads are not read again, and
			are stored once for all wikis and backups. An archive can be read without wikictl: see wikictl help backups.
			Without names, --where and --all it lists the backups.
		`, "wikictl backup btrfs"),
		Flags: append(selectionFlags(),
			&cli.BoolFlag{Name: "verify", Usage: "load each backup into a scratch database, compare rows and checksums, and read all uploads"},
			jobsFlag(runtime.NumCPU()),
			dryRunFlag("what would be backed up"),
			eventsFlag(),
			unitFlag(),
		),
		Action: a.runBackup,
	}
}

func (a *app) runBackup(c *cli.Context) error {
	if c.String("unit") != "" {
		t := timed{"Backups", "*-*-* 02:30", []string{"backup"}}
		if c.Bool("verify") {
			t.call = append(t.call, "--verify")
		}
		return a.printUnit(c, t, "--all")
	}
	if !c.Bool("all") && !selects(c) {
		return a.listBackups(c)
	}
	f, list, err := farmAndChosen(c)
	if err != nil {
		return err
	}
	if err := atLeastOne(c, "jobs"); err != nil {
		return err
	}
	if c.Bool("dry-run") {
		return a.previews(c, f, func(h *session.Host) (*plan.Plan, error) { return recovery.PreviewBackup(c.Context, h, list) })
	}
	tell := func() {}
	defer func() { tell() }()
	return a.changes(c, f, func(h *session.Host, board func(int) session.Observer) ([]session.Outcome, error) {
		o := recovery.BackupOptions{Verify: c.Bool("verify"), Options: recovery.Options{Jobs: c.Int("jobs"), Drain: a.drained, Observer: board(len(list))}}
		outcomes, err := recovery.Backup(c.Context, h, list, o)
		if err == nil {
			tell = a.keepSnapshots(c.Context, h)
		}
		return outcomes, err
	})
}

// keepSnapshots removes snapshots that [keep] does not keep, and returns a function that prints
// the result. Failures do not fail the run: the next one tries again.
func (a *app) keepSnapshots(ctx context.Context, h *session.Host) (tell func()) {
	line, err := recovery.KeepSnapshots(ctx, h.Farm, h.FarmID(), time.Now())
	interrupted := ctx.Err() != nil
	return func() {
		if line != "" {
			fmt.Fprintln(a.stderr, line)
		}
		if err != nil && !interrupted {
			fmt.Fprintln(a.stderr, ui.Clean("not removed, although [keep] does not keep it: "+err.Error()))
		}
	}
}

// backupRow is one backup in JSON.
type backupRow struct {
	Name        string     `json:"name"`
	Run         string     `json:"run"`
	Taken       *time.Time `json:"taken"`
	Version     string     `json:"version"`
	Bytes       int64      `json:"bytes"`
	Uploads     int        `json:"uploads"`
	UploadBytes int64      `json:"upload_bytes"`
	Verified    *time.Time `json:"verified"`
	File        string     `json:"file,omitempty"`
	Snapshot    string     `json:"snapshot,omitempty"`
	Farm        string     `json:"farm"`
}

// listBackups prints the backups of all wikis, including removed ones, and those of other
// farms in the same repository.
func (a *app) listBackups(c *cli.Context) error {
	f, err := loadFarm(c)
	if err != nil {
		return err
	}
	all, unread := recovery.Backups(c.Context, f, "")
	rows, table := []backupRow{}, [][]any{}
	for _, b := range all {
		row := backupRow{b.Name, b.Run, plan.Moment(b.Taken), b.Version, b.Bytes, b.Uploads, b.UploadBytes, plan.Moment(b.Verified), b.File, b.Snapshot, b.Farm}
		if b.Snapshot != "" {
			row.File = ""
		}
		rows = append(rows, row)
		verified := "no"
		if !b.Verified.IsZero() {
			verified = b.Verified.UTC().Format(time.DateTime)
		}
		table = append(table, []any{b.Name, b.Run, b.Taken.UTC().Format(time.DateTime), b.Version, megabytes(b.Bytes), b.Uploads, megabytes(b.UploadBytes), verified})
	}
	if asJSON(c) {
		return errors.Join(unread, ui.WriteJSON(a.stdout, map[string]any{"command": "backup", "backups": rows}))
	}
	if len(all) == 0 && unread == nil {
		_, err := fmt.Fprintln(a.stdout, "backup: no backups")
		return err
	}
	heads := []any{"name", "run", "taken (UTC)", "version", "MB", "uploads", "MB of uploads", "verified (UTC)"}
	if f.Backup.Restic != "" {
		own, err := session.FarmID(f)
		unread = errors.Join(unread, err)
		heads = append(heads, "where")
		for i, b := range all {
			table[i] = append(table[i], whereabouts(b, own))
		}
	}
	ui.Table(a.stdout, heads, table)
	return unread
}

// whereabouts says in a few words where a backup is stored, and names its farm if that is not
// the farm own.
func whereabouts(b *archive.Archive, own string) string {
	switch {
	case b.Snapshot == "":
		return "archive"
	case b.Farm != own:
		return fmt.Sprintf("restic %.8s, of farm %s", b.Snapshot, b.Farm)
	}
	return fmt.Sprintf("restic %.8s", b.Snapshot)
}

// megabytes formats a size with one decimal digit.
func megabytes(n int64) string { return fmt.Sprintf("%.1f", float64(n)/(1<<20)) }

// definedToRestore returns the tenant of a name. A tenant that no file defines can't be restored
// yet: the error says how to take its definition from the backup.
func definedToRestore(ctx context.Context, f *tenants.Farm, name string, b *archive.Archive) (*tenants.Tenant, error) {
	if t := f.Tenant(name); t != nil {
		return t, nil
	}
	if b == nil {
		return nil, tenants.WithHint(usagef("no file defines %s, and %[2]s has no backup of it", name, cmp.Or(f.Backup.Restic, f.Layout().ArchivesOf(name))), "wikictl backup lists the backups, and --from names one")
	}
	folder := tenantsFolder(f)
	how := fmt.Sprintf("tar -xOf %s %s > %s", b.File, archive.DefinitionMember, filepath.Join(folder, name+".toml"))
	if b.Snapshot != "" {
		how = fmt.Sprintf("restic -r %s dump %.8s /%s > %s", b.Repository, b.Snapshot, archive.DefinitionMember, filepath.Join(folder, name+".toml"))
	}
	if name != b.Name {
		how += ", and set name, hosts and database there"
		return nil, tenants.WithHint(usagef("no file defines %s", name), "bring its definition back among the farm's files and run this again: "+how)
	}
	lacks, err := recovery.Lacks(ctx, f, b)
	if err != nil {
		return nil, err
	}
	why := "no file defines " + name
	if len(lacks) > 0 {
		why += ", and the farm lacks for it:\n  " + strings.Join(lacks, "\n  ") + "\n"
	}
	return nil, tenants.WithHint(usagef("%s", why), "bring its definition back among the farm's files and run this again: "+how)
}
