package recovery

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/backup/archive"
	"wikictl/tenants/ledger"
	"wikictl/tenants/mariadb"
	"wikictl/tenants/session"
)

// Only is the part of a backup to restore; empty: all.
type Only string

// Parts that can be restored alone.
const (
	OnlyDatabase Only = "database"
	OnlyUploads  Only = "uploads"
)

// patience bounds the wait for running requests to a wiki before its restore.
const patience = 10 * time.Second

// RestoreOptions are the options of Restore.
type RestoreOptions struct {
	Options
	Archive     *archive.Archive // nil: the archive of the interrupted restore
	Default     bool             // no archive was named: an interrupted restore continues with its own
	Only        Only
	New         bool // the tenant must not exist, and gets new passwords and keys
	SkipDamaged bool // restore without uploads whose content is damaged or missing

	of      string // the tenant to clone
	masked  bool   // mask private data of users
	replace bool   // the tenant may exist, as a staging copy of that one
}

// Restore replaces a tenant's content by a backup, or makes the tenant from one. It backs
// up the present content first. The next Restore of the tenant finishes an interrupted
// one.
func Restore(ctx context.Context, h *session.Host, t *tenants.Tenant, o RestoreOptions) ([]session.Outcome, error) {
	list := []*tenants.Tenant{t}
	r, ctx, err := begin(ctx, h, "restore", list, o.Options)
	if err != nil {
		return nil, err
	}
	return r.each(ctx, list, func(ctx context.Context, k *task) error {
		rs, err := k.restoration(ctx, o)
		if err != nil {
			return err
		}
		err = rs.restore(ctx)
		if err == nil && rs.Of != "" && rs.manifest.Before == archive.BeforeClone { // it is not needed any more
			err = r.store.Discard([]*archive.Archive{{File: rs.Archive}})
		}
		return err
	})
}

// restoration is the restore of one tenant.
type restoration struct {
	*task
	journal
	manifest archive.Manifest
	code     *tenants.Codebase
	accounts mariadb.Accounts
	store    archive.Store    // store with the uploads of the archive
	snapshot *archive.Archive // to fetch first; nil: the archive exists
	want     archive.Uploads
	have     archive.Uploads
	was      ledger.Tenant // the row at the beginning
	served   bool          // the tenant's release was changed
}

// restoration prepares the restore of a tenant.
func (k *task) restoration(ctx context.Context, o RestoreOptions) (*restoration, error) {
	if k.tenant.Blocked() {
		return nil, &blockedError{session.InTheWay(k.tenant.Faults)}
	}
	j, err := k.begun(ctx, o)
	if err != nil {
		return nil, err
	}
	rs := &restoration{task: k, journal: j, was: k.row, store: archive.StoreOf(j.Archive)}
	if o.Archive != nil && o.Archive.Snapshot != "" && j.Archive == k.fileOf(o.Archive) && !deploy.Exists(j.Archive) {
		rs.snapshot, rs.manifest = o.Archive, o.Archive.Manifest
	} else if rs.manifest, err = archive.Open(j.Archive); err != nil {
		return nil, &blockedError{tenants.WithHint(err, fmt.Sprintf("wikictl restore %s --from FILE takes another backup", k.tenant.Name))}
	}
	if err := rs.ownBackup(); err != nil {
		return nil, err
	}
	if j.Only != OnlyUploads {
		if _, err := namesFor(k.tenant, rs.manifest.Further); err != nil {
			return nil, &blockedError{err}
		}
	}
	if err := sameUsers(k.tenant, rs.manifest.Users); err != nil && j.Only != OnlyUploads {
		return nil, err
	}
	if rs.have, err = rs.present(ctx); err != nil {
		return nil, err
	}
	if err := rs.fits(ctx); err != nil {
		return nil, err
	}
	if rs.code, err = codeFor(k.Farm, k.tenant, rs.manifest, j.Only); err != nil {
		return nil, &blockedError{err}
	}
	if err := rs.ownerTakes(ctx); err != nil {
		return nil, err
	}
	if j.Fresh && k.row.Name == "" {
		if problems := k.Obstacles(ctx, []*tenants.Tenant{k.tenant}, nil)[k.tenant.Name]; problems != nil {
			return nil, &blockedError{session.InTheWay(problems)}
		}
		if err := k.mayMake(ctx); err != nil {
			return nil, err
		}
	}
	return rs, nil
}

// present lists the uploads, without checksums, that a restore is about to replace. It returns an
// error that blocks the restore if their backup would be blocked. An interrupted restore of the
// database alone may be finished as one of the uploads, too.
func (r *restoration) present(ctx context.Context) (archive.Uploads, error) {
	if r.Fresh || r.Only == OnlyDatabase || r.Phase == changed {
		return archive.Uploads{}, nil
	}
	u, err := scan(ctx, r.Host, r.tenant)
	if r.renews() && errors.As(err, new(*blockedError)) { // it is not backed up
		err = nil
	}
	return u, err
}

// ownBackup refuses the backup of another wiki of the farm, unless it makes a new wiki:
// the tenant would be replaced by mistake, or get the passwords and keys of the other.
func (r *restoration) ownBackup() error {
	of := r.manifest.Name
	if r.Keys || r.resumes() || of == r.tenant.Name || r.Farm.Tenant(of) == nil {
		return nil
	}
	return blocked("%s is a backup of the wiki %s: wikictl restore %[2]s --from %[1]s --as NAME makes a new wiki of it", r.Archive, of)
}

// begun returns the journal of a new restore, or that of the interrupted one.
func (k *task) begun(ctx context.Context, o RestoreOptions) (journal, error) {
	j := journal{Run: k.RunID, Only: o.Only, Keys: o.New, Of: o.of, Masked: o.masked, SkipDamaged: o.SkipDamaged}
	if o.Archive != nil {
		j.Archive = k.fileOf(o.Archive)
	}
	if k.row.State == ledger.Recovering {
		return k.resumed(o)
	}
	if o.Archive == nil {
		return j, k.nothingToRestore()
	}
	if k.row.Name == "" {
		j.Fresh = true
		if o.Only != "" {
			return j, blocked("it does not exist: --only replaces a part of a wiki that does")
		}
		return j, nil
	}
	if o.New && !o.replace {
		return j, blocked("it exists (state %s in the ledger): --as makes a new wiki", k.row.State)
	}
	return j, k.mayBackUp(ctx)
}

// nothingToRestore returns an error that names the place without a backup.
func (k *task) nothingToRestore() error {
	if repository := k.Farm.Backup.Restic; repository != "" {
		return blocked("this farm made no backup of it in %s, and no restore of it was interrupted: wikictl backup lists those of other farms, too, and --from takes one", repository)
	}
	return blocked("there is no backup of it in %s, and no restore of it was interrupted", k.Layout.ArchivesOf(k.tenant.Name))
}

// resumed returns the journal of an interrupted restore. If another archive is named, it
// replaces the one to restore; the safety copy of the earlier content stays the same.
func (k *task) resumed(o RestoreOptions) (journal, error) {
	j, err := k.readJournal()
	if errors.Is(err, fs.ErrNotExist) {
		return j, blocked("run %s began to restore it, and its record %s is missing: restore the state folder from a backup", k.row.Run, k.Layout.Restoring(k.tenant.Name))
	}
	if err != nil {
		return j, err
	}
	j.SkipDamaged = j.SkipDamaged || o.SkipDamaged
	switch {
	case o.of == "": // a restore also finishes a clone: the original wiki may be gone
	case j.Of == "":
		return j, blocked("run %s began to restore it: %s", k.row.Run, j.goesOn(k.tenant))
	case j.Of != o.of:
		return j, blocked("run %s began to make it as a clone: %s", k.row.Run, j.goesOn(k.tenant))
	case j.Masked != o.masked:
		return j, blocked("run %s began it with another value of --anonymize: %s", k.row.Run, j.goesOn(k.tenant))
	}
	if o.Archive == nil || o.Default || k.fileOf(o.Archive) == j.Archive && o.Only == j.Only {
		return j, nil
	}
	if j.Fresh && o.Only != "" {
		return j, blocked("run %s began to make it from a whole backup: omit --only", k.row.Run)
	}
	j.Archive, j.Only = k.fileOf(o.Archive), o.Only
	if j.Phase == changed {
		j.Phase = changing
	}
	return j, nil
}

// mayMake returns the reason why a tenant can't be made, or nil.
func (k *task) mayMake(ctx context.Context) error {
	for _, path := range []string{k.Layout.Wiki(k.tenant.Name), k.Layout.Secrets(k.tenant.Name)} {
		if deploy.Exists(path) {
			return blocked("%s exists already, and the ledger does not know the wiki; move it away first", path)
		}
	}
	switch found, err := k.server.Holds(ctx, k.AccountsOf(k.tenant)); {
	case err != nil:
		return err
	case found.Database:
		return blocked("the database %s exists on server %s already, and the ledger does not know it; remove or rename it first", k.tenant.Database, k.tenant.Server.Name)
	case len(found.Foreign) > 0:
		return blocked("the account %s exists on server %s already, and wikictl did not make it; remove it first", found.Foreign[0].Name(), k.tenant.Server.Name)
	}
	return k.mayMakeFurther(ctx)
}

// restore restores one tenant, or finishes its restore.
func (r *restoration) restore(ctx context.Context) error {
	release, err := r.store.Use(ctx)
	if err != nil {
		return err
	}
	defer release()
	if r.Phase != changed {
		if err := r.steps(ctx, r.change(ctx)); err != nil {
			return r.failed(ctx, err)
		}
	}
	if err := r.steps(ctx, r.open(ctx)); err != nil {
		return r.unfinished(err)
	}
	r.tell()
	return nil
}

// change returns the steps that replace the content.
func (r *restoration) change(ctx context.Context) []step {
	var steps []step
	if r.snapshot != nil {
		steps = append(steps, step{"fetch", func() error { return r.fetch(ctx) }})
	}
	steps = append(steps,
		step{"mark", func() error { return r.mark(ctx) }},
		step{"extract", func() error { return r.extract() }})
	if r.Fresh {
		steps = append(steps,
			step{"check", func() error { return r.checkWanted(ctx, r.want.Files) }},
			step{"secrets", func() error { return r.makeSecrets() }},
			step{"changing", func() error { return r.at(changing) }})
	} else {
		steps = append(steps,
			step{"read-only", func() error { return r.freeze(ctx) }},
			step{"safety", func() error { return r.keepContent(ctx) }},
			step{"check", func() error { return r.check(ctx) }},
			step{"maintenance", func() error { return r.shut(ctx) }},
			step{"changing", func() error { return r.at(changing) }})
	}
	if r.Only != OnlyUploads {
		steps = append(steps, step{"database", func() error { return r.replace(ctx) }})
	}
	if r.Keys {
		steps = append(steps, step{"detach", func() error { return r.detach(ctx) }})
	}
	if r.Only != OnlyDatabase {
		steps = append(steps, step{"uploads", func() error { return r.fill(ctx) }})
	}
	return append(steps, step{"changed", func() error { return r.at(changed) }})
}

// open returns the steps that serve the tenant again.
func (r *restoration) open(ctx context.Context) []step {
	return []step{
		{"release", func() error { return r.serve(ctx) }},
		{"probe", func() error { return r.ask(ctx) }},
		{"open", func() error { return r.thaw(ctx) }},
		{"ledger", func() error { return r.recordRestored(ctx) }},
		{"forget", func() error { return os.RemoveAll(r.Layout.Restoring(r.tenant.Name)) }},
	}
}

// at records the phase in the journal.
func (r *restoration) at(p phase) error {
	r.Phase = p
	return r.noteJournal(r.journal)
}

// mark records in the ledger that a tenant is being restored.
func (r *restoration) mark(ctx context.Context) error {
	if err := r.noteJournal(r.journal); err != nil {
		return err
	}
	if r.row.State == ledger.Recovering {
		return r.server.StopWork(ctx, r.tenant.Database, r.tenant.SchemaAccount())
	}
	row := r.row
	if r.Fresh {
		row = ledger.Tenant{
			Name: r.tenant.Name, Server: r.tenant.Server.Name, Database: r.tenant.Database,
			Codebase: r.code.Name, Version: r.manifest.Version, ComponentSet: r.manifest.ComponentSet,
		}
	}
	row.State, row.Run = ledger.Recovering, r.RunID
	var err error
	if r.Fresh {
		err = r.ledger.Claim(ctx, row)
	} else {
		err = r.ledger.Advance(ctx, r.row, row)
	}
	if err != nil {
		return errors.Join(err, os.RemoveAll(r.Layout.Restoring(r.tenant.Name)))
	}
	r.row = row
	return nil
}
