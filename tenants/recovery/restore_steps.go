package recovery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/backup"
	"wikictl/tenants/backup/archive"
	"wikictl/tenants/disk"
	"wikictl/tenants/ledger"
	"wikictl/tenants/mariadb"
	"wikictl/tenants/mediawiki"
	"wikictl/tenants/secrets"
	"wikictl/tenants/session"
	"wikictl/tenants/wiki"
)

// fetch makes an archive from a snapshot. Until the restore is marked in the ledger, the next
// run of any command for the tenant removes it.
func (r *restoration) fetch(ctx context.Context) error {
	release, err := r.recovery.store.Use(ctx) // keeps Tidy from removing the folder
	if err != nil {
		return err
	}
	defer release()
	dir := r.fetched(r.snapshot)
	if _, err = fetch(ctx, r.repository, r.snapshot, dir); err == nil {
		err = r.fits(ctx)
	}
	if err == nil {
		err = r.ownerTakes(ctx)
	}
	if err != nil {
		return errors.Join(err, os.RemoveAll(dir)) // it may have filled the disk
	}
	return nil
}

// extract reads the whole archive, and keeps the members that other steps need.
func (r *restoration) extract() error {
	dir := r.Layout.Restoring(r.tenant.Name)
	if _, err := archive.Extract(r.Archive, dir, func(string) bool { return true }); err != nil {
		return err
	}
	data, err := os.ReadFile(filepath.Join(dir, archive.FilesMember))
	if err != nil {
		return err
	}
	r.want, err = archive.DecodeUploads(data)
	return err
}

// makeSecrets gives a new tenant the passwords and keys of the backup, or new ones except
// for the administrator's password, which the database has.
func (r *restoration) makeSecrets() error {
	data, err := disk.Read(filepath.Join(r.Layout.Restoring(r.tenant.Name), archive.SecretsMember))
	if err != nil {
		return err
	}
	s, err := secrets.DecodeSecrets(data)
	if err != nil {
		return err
	}
	if r.Keys {
		if now, err := r.Deploy.ReadSecrets(r.tenant.Name); err == nil { // made by an interrupted run
			s = now
		} else {
			password := s.AdminPassword
			if r.Masked {
				password = ""
			}
			s = secrets.New(s.Admin, password)
		}
	}
	if err := r.Deploy.WriteSecrets(r.tenant.Name, s); err != nil {
		return err
	}
	return r.Deploy.MakeOwn(r.tenant.Name, r.Layout.Cache(r.tenant.Name), r.Layout.Images(r.tenant.Name))
}

// freeze makes the wiki read-only.
func (r *restoration) freeze(ctx context.Context) error {
	if err := r.readAccounts(ctx); err != nil {
		return err
	}
	if err := r.Deploy.SetReadOnly(r.tenant.Name, "This wiki is being restored from a backup and can't be edited for a few minutes."); err != nil {
		return err
	}
	return r.Freeze(ctx, r.tenant, r.accounts, patience)
}

func (r *restoration) readAccounts(ctx context.Context) error {
	all, err := r.Deploy.ReadSecrets(r.tenant.Name)
	if err != nil {
		return err
	}
	r.accounts, err = r.FamilyAccounts(ctx, r.tenant, all, r.further...)
	return err
}

// keepContent backs up the present content, unless an earlier run began the restore: that has
// made the backup, and the present content may be incomplete.
func (r *restoration) keepContent(ctx context.Context) error {
	if r.Safety != "" || r.renews() {
		return nil
	}
	if r.Phase != beginning {
		return errors.New("its earlier content was not backed up, although it has been changed")
	}
	a, err := r.backUp(ctx, archive.BeforeRestore, r.Only == OnlyDatabase)
	if err != nil {
		return err
	}
	r.Safety = a.File
	return r.noteJournal(r.journal)
}

// check reads the uploads to be written, and the kept copies of those to be removed,
// before anything is changed.
func (r *restoration) check(ctx context.Context) (err error) {
	if r.Only != OnlyUploads {
		dump, err := backup.Find(filepath.Join(r.Layout.Restoring(r.tenant.Name), "database"))
		if err != nil {
			return err
		}
		if err := r.checkFamily(ctx, dump); err != nil {
			return err
		}
	}
	if r.renews() {
		return r.checkWanted(ctx, r.want.Files)
	}
	if r.have, err = archive.UploadsOf(r.Safety); err != nil {
		return err
	}
	if err := r.fits(ctx); err != nil || r.Only == OnlyDatabase { // the backup of the present content took space
		return err
	}
	if err := r.checkWanted(ctx, archive.Missing(r.want, r.have)); err != nil {
		return err
	}
	return r.checkKept(ctx)
}

// checkFamily returns an error if the tenant, or a wiki that shares its accounts, would run on
// newer code than the tables of accounts, or name accounts that are gone.
func (r *restoration) checkFamily(ctx context.Context, dump *backup.Dump) error {
	members, err := r.MembersOf(ctx, r.tenant)
	if err != nil || len(members) == 0 && r.tenant.Owner == nil {
		return err
	}
	rows, err := r.ledger.Tenants(ctx)
	if err != nil {
		return err
	}
	versions, version := session.VersionsOf(rows), cmp.Or(r.manifest.Version, r.code.Version)
	if err := r.OwnerServes(ctx, r.tenant, versions, version, dump); err != nil {
		return err
	}
	if newer := session.MembersNewer(members, versions, version); len(newer) > 0 {
		return fmt.Errorf("its backup is of MediaWiki %s, and %s share its accounts on newer code: put them back first", version, strings.Join(newer, ", "))
	}
	return r.MembersLose(ctx, r.tenant, members, dump)
}

// estimate is the duration of a restore announced to readers.
const estimate = 5 * time.Minute

// shut makes the web server answer with a maintenance page, and waits for running
// requests.
func (r *restoration) shut(ctx context.Context) error {
	if err := r.Deploy.SetMaintenance(r.tenant.Name, deploy.MaintenancePage(r.tenant.Sitename, "restored from a backup", time.Now().UTC().Add(estimate))); err != nil {
		return err
	}
	return r.Quiet(ctx, r.tenant, r.accounts, patience)
}

// replace replaces the database by the archive's dump.
func (r *restoration) replace(ctx context.Context) error {
	dump, err := backup.Find(filepath.Join(r.Layout.Restoring(r.tenant.Name), "database"))
	if err != nil {
		return err
	}
	names, err := r.claimFurther(ctx, dump)
	if err != nil {
		return err
	}
	if err := r.server.Restore(ctx, dump.As(r.tenant.Database, names...), func() error { return r.Verify(ctx, r.tenant) }); err != nil {
		return err
	}
	if err := r.furtherMade(ctx, names); err != nil {
		return err
	}
	if err := r.Deploy.ForgetCaches(r.tenant.Name, r.RunID); err != nil || !r.Fresh {
		return err
	}
	if err := r.readAccounts(ctx); err != nil {
		return err
	}
	if err := r.server.EnsureAccounts(ctx, r.accounts); err != nil {
		return err
	}
	all, err := r.Deploy.ReadSecrets(r.tenant.Name)
	if err != nil {
		return err
	}
	return r.AddFurther(ctx, r.ledger, r.tenant, all)
}

// detach removes sessions, jobs and tokens of the original wiki's visitors from the database of
// a new wiki.
func (r *restoration) detach(ctx context.Context) error {
	d := mariadb.Detachment{Database: r.tenant.Database, Secret: secrets.RandomHex(64).Reveal(), Anonymize: r.Masked}
	if r.Masked {
		all, err := r.Deploy.ReadSecrets(r.tenant.Name)
		if err != nil {
			return err
		}
		d.Admin = all.Admin
		if d.Hash, err = mediawiki.HashPassword(all.AdminPassword); err != nil {
			return err
		}
	}
	return r.server.Detach(ctx, d)
}

// fill makes the upload folder equal to the archive's.
func (r *restoration) fill(ctx context.Context) error {
	return r.store.Fill(ctx, r.Layout.Images(r.tenant.Name), r.want, r.have, func(f *os.File) error { return r.GiveFileTo(r.tenant.Name, f) })
}

// serve publishes a release with the code of the restored database, and admits readers.
func (r *restoration) serve(ctx context.Context) error {
	if err := r.Replicated(ctx, r.tenant.Server); err != nil {
		return err
	}
	if r.Fresh || r.renews() || r.Only != OnlyUploads && r.was.ComponentSet != r.manifest.ComponentSet {
		source, err := r.Source(ctx, []*tenants.Tenant{r.tenant}, func(*tenants.Tenant) *tenants.Codebase { return r.code }, session.Leaving{})
		if err != nil {
			return err
		}
		if _, err := r.Deploy.Apply(ctx, source); err != nil {
			return err
		}
		r.served = true
	} else if err := r.ServeAgain(ctx, r.tenant.Name); err != nil { // an interrupted removal withdrew it
		return err
	}
	return r.Deploy.ClearMaintenance(r.tenant.Name)
}

// ask checks through the web server that the tenant answers as itself.
func (r *restoration) ask(ctx context.Context) error {
	if r.served && r.code == r.tenant.Codebase {
		return r.Confirm(ctx, r.tenant)
	}
	want := wiki.SiteInfo{DBName: r.tenant.Database, Version: r.code.Version}
	if r.Only == OnlyUploads { // its code may differ from the wanted one
		want.Version = ""
	}
	_, err := r.Identify(ctx, r.ServedHost(r.tenant), want)
	return r.Explain(ctx, r.tenant, err)
}

// thaw makes the wiki editable again.
func (r *restoration) thaw(ctx context.Context) error {
	if err := r.readAccounts(ctx); err != nil {
		return err
	}
	if err := r.server.Thaw(ctx, r.accounts); err != nil {
		return err
	}
	return errors.Join(r.Deploy.ClearReadOnly(r.tenant.Name), r.Deploy.ClearMaintenance(r.tenant.Name))
}

// recordRestored writes the tenant's new state into the ledger.
func (r *restoration) recordRestored(ctx context.Context) error {
	row, seen := r.row, map[string]string(nil)
	row.State, row.Run = ledger.Ready, r.RunID
	if r.Only != OnlyUploads {
		row.Codebase, row.Version, row.ComponentSet = r.code.Name, cmp.Or(r.manifest.Version, r.code.Version), r.manifest.ComponentSet
		if seen = r.manifest.SQL; seen == nil {
			seen = map[string]string{}
		}
	}
	if err := r.ledger.Restored(ctx, row, seen); err != nil {
		return err
	}
	r.row = row
	return nil
}

// codeFor returns the codebase to serve a backup with: the same code, or the same
// version. A backup of a newer version than the tenant's codebase is an error.
func codeFor(f *tenants.Farm, t *tenants.Tenant, m archive.Manifest, only Only) (*tenants.Codebase, error) {
	if only == OnlyUploads {
		return t.Codebase, nil
	}
	if mediawiki.NewerSchema(m.Version, t.Codebase.Version) {
		return nil, fmt.Errorf("the backup is of MediaWiki %s, and its definition says codebase %q, which is %s: its schema is newer than that code; set a codebase of %s or newer", m.Version, t.Codebase.Name, t.Codebase.Version, m.Version)
	}
	for _, c := range codebases(f, t) {
		if t.ComponentSet(c) == m.ComponentSet {
			return c, nil
		}
	}
	for _, c := range codebases(f, t) {
		if mediawiki.SameSchema(c.Version, m.Version) {
			return c, nil
		}
	}
	return nil, fmt.Errorf("the backup is of MediaWiki %s, which no codebase in wikictl.toml has: add one, restore, and wikictl upgrade %s takes it to %s", m.Version, t.Name, t.Codebase.Version)
}
