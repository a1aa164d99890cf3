package recovery

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
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
	Archive *archive.Archive // nil: the archive of the interrupted restore
	Default bool             // no archive was named: an interrupted restore continues with its own
	Only    Only
	New     bool // the tenant must not exist, and gets new passwords and keys

	of     string // the tenant to clone
	masked bool   // mask private data of users
	again  bool   // the tenant may exist, as a staging copy of that one
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
		if err == nil && rs.Of != "" && rs.manifest.Before == archive.BeforeClone { // it is of no use any more
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
	snapshot *archive.Archive // to fetch first; nil: the archive is there
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
	if rs.code, err = CodeFor(k.Farm, k.tenant, rs.manifest, j.Only); err != nil {
		return nil, &blockedError{err}
	}
	if j.Fresh && k.row.Name == "" {
		if problems := k.Obstacles(ctx, []*tenants.Tenant{k.tenant})[k.tenant.Name]; problems != nil {
			return nil, &blockedError{session.InTheWay(problems)}
		}
		if err := k.mayMake(ctx); err != nil {
			return nil, err
		}
	}
	return rs, nil
}

// present lists the uploads, without checksums, that a restore that begins is going to replace,
// and blocks it if their backup would be blocked.
func (r *restoration) present(ctx context.Context) (archive.Uploads, error) {
	if r.Fresh || r.Phase != beginning {
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
	j := journal{Run: k.RunID, Only: o.Only, Keys: o.New, Of: o.of, Masked: o.masked}
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
	if o.New && !o.again {
		return j, blocked("it exists (state %s in the ledger): --as makes a new wiki", k.row.State)
	}
	return j, k.mayBackUp(ctx)
}

// nothingToRestore says where no backup was found.
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
		return j, blocked("run %s began to restore it, and %s is gone, which says how: restore the state folder from a backup", k.row.Run, k.Layout.Restoring(k.tenant.Name))
	}
	if err != nil {
		return j, err
	}
	switch {
	case o.of == "": // a restore goes on with a clone, too: the other wiki may be gone
	case j.Of == "":
		return j, blocked("run %s began to restore it: wikictl restore %s goes on", k.row.Run, k.tenant.Name)
	case j.Of != o.of:
		return j, blocked("run %s began to make it as a clone: wikictl clone %s %s goes on", k.row.Run, j.Of, k.tenant.Name)
	case j.Masked != o.masked:
		return j, blocked("run %s began it with another --anonymize: give the same", k.row.Run)
	}
	if o.Archive == nil || o.Default || k.fileOf(o.Archive) == j.Archive && o.Only == j.Only {
		return j, nil
	}
	if j.Fresh && o.Only != "" {
		return j, blocked("run %s began to make it from a backup, which has to be whole: leave --only out", k.row.Run)
	}
	j.Archive, j.Only = k.fileOf(o.Archive), o.Only
	if j.Phase == changed {
		j.Phase = changing
	}
	return j, nil
}

// mayMake returns the reason why a tenant can't be made.
func (k *task) mayMake(ctx context.Context) error {
	for _, path := range []string{k.Layout.Wiki(k.tenant.Name), k.Layout.Secrets(k.tenant.Name)} {
		if deploy.Exists(path) {
			return blocked("%s is there already, and the ledger does not know the wiki; move it away first", path)
		}
	}
	switch there, err := k.server.Holds(ctx, k.AccountsOf(k.tenant)); {
	case err != nil:
		return err
	case there.Database:
		return blocked("the database %s is on server %s already, and the ledger does not know it; remove or rename it first", k.tenant.Database, k.tenant.Server.Name)
	case len(there.Foreign) > 0:
		return blocked("the account %s is on server %s already and wikictl did not make it; remove it first", there.Foreign[0].Name(), k.tenant.Server.Name)
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
			step{"check", func() error { return r.store.CheckAll(ctx, archive.Missing(r.want, r.have)) }},
			step{"secrets", func() error { return r.makeSecrets() }},
			step{"changing", func() error { return r.at(changing) }})
	} else {
		steps = append(steps,
			step{"read-only", func() error { return r.freeze(ctx) }},
			step{"safety", func() error { return r.keepWhatIs(ctx) }},
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

// failed opens an unchanged tenant again. A changed one is left to the next run.
func (r *restoration) failed(ctx context.Context, why error) error {
	if r.Fresh || r.Phase != beginning || r.row.State != ledger.Recovering || ctx.Err() != nil || errors.As(why, new(*mariadb.LostError)) {
		return r.unfinished(why)
	}
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	err := r.steps(after, []step{
		{"open", func() error { return r.thaw(after) }},
		{"back", func() error {
			row := r.row
			row.State, row.Run = ledger.Ready, r.RunID
			return r.ledger.Advance(after, r.row, row)
		}},
		{"forget", func() error { return os.RemoveAll(r.Layout.Restoring(r.tenant.Name)) }},
	})
	if err != nil {
		return r.unfinished(errors.Join(why, err))
	}
	return &untouchedError{fmt.Errorf("%w; nothing of it was changed", why)}
}

// unfinished adds the command that finishes the restore to an error.
func (r *restoration) unfinished(why error) error {
	if r.row.State != ledger.Recovering { // it was not started
		return why
	}
	next := fmt.Sprintf("wikictl restore %s goes on", r.tenant.Name)
	switch {
	case r.Of != "" && r.tenant.StageOf == r.Of:
		next = fmt.Sprintf("wikictl stage %s --as %s goes on", r.Of, r.tenant.Name)
	case r.Of != "":
		next = fmt.Sprintf("wikictl clone %s %s goes on", r.Of, r.tenant.Name)
	}
	if r.Safety != "" {
		next += fmt.Sprintf(", and --from %s brings back what it held before", r.Safety)
	}
	return tenants.WithHint(why, next)
}

// tell sets the note of the outcome.
func (r *restoration) tell() {
	what := "it is"
	if r.Only != "" {
		what = fmt.Sprintf("its %s is", r.Only)
	}
	r.note = r.told(fmt.Sprintf("%s as on %s UTC", what, r.manifest.Taken.UTC().Format(time.DateTime)))
}

// told adds consequences of the restore to the note.
func (r *restoration) told(what string) string {
	if r.Safety != "" {
		what += fmt.Sprintf("; what it held until then is in %s", r.Safety)
	}
	if links := r.want.Outward(); len(links) > 0 && r.Only != OnlyDatabase {
		what += fmt.Sprintf("; links of the backup that lead out of the upload folder were not made: %s", linkNames(links))
	}
	if names := r.unrestored(); len(names) > 0 && !r.Fresh && r.Only != OnlyUploads {
		what += fmt.Sprintf("; the backup does not have %s, which stay as they were", strings.Join(names, ", "))
	}
	if r.Only != OnlyUploads && r.manifest.ComponentSet != r.tenant.ComponentSet(r.tenant.Codebase) {
		what += fmt.Sprintf("; it runs on MediaWiki %s now: wikictl upgrade %s takes it to the code that is wanted", r.code.Version, r.tenant.Name)
	}
	return what
}
