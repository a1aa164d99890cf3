package upgrade

import (
	"context"
	"errors"
	"fmt"

	"wikictl/tenants/backup"
	"wikictl/tenants/ledger"
	"wikictl/tenants/mariadb"
	"wikictl/tenants/session"
)

// resume completes or reverts an interrupted upgrade. An empty status means that the
// tenant is open now, and that its upgrade may begin.
func (k *task) resume(ctx context.Context) (session.Status, error) {
	row, is, err := k.up.ledger.OpenUpgrade(ctx, k.tenant.Name)
	if err != nil {
		return session.Failed, err
	}
	if !is {
		return "", nil
	}
	k.now, k.plan.Interrupted = row, row.Phase
	if err := k.server.StopWork(ctx, k.tenant.Database, k.accounts.Schema.Name); err != nil {
		return session.Failed, err
	}
	w, err := decide(row, k.wanted(), k.plan.New, func() error { return k.wayBack(row) })
	if err != nil {
		return session.Failed, err
	}
	if w == goOn || w == rerun || w == load {
		return k.ahead(ctx, w)
	}
	if err := k.backTo(ctx, w); err != nil {
		return session.Failed, fmt.Errorf("the upgrade that run %s began can't be completed or reverted: %w; %s", row.Run, err, k.state())
	}
	if err := k.reread(ctx); err != nil {
		return session.Failed, err
	}
	if w == open && row.Phase == ledger.Opening && row.NewSet == k.wanted() {
		k.note("opened after the upgrade by run %s", row.Run)
		return session.Done, nil // --force does not upgrade it a second time
	}
	return "", nil
}

// ahead completes an interrupted upgrade forwards. An empty status means that the tenant
// is open now and still wants other code.
func (k *task) ahead(ctx context.Context, w way) (session.Status, error) {
	err := k.held(ctx, "read-only", func() error { return k.freeze(ctx) })
	switch {
	case err != nil:
	case w == goOn:
		k.note("the upgrade that run %s began was finished", k.now.Run)
		if fresh := k.up.releases[k.tenant.Name]; fresh.Err == nil && fresh.Release != 0 { // host names and other values may have changed
			k.now.NewRelease = fresh.Release
		}
		err = k.finish(ctx)
	case w == load:
		k.note("the dump %s was loaded again, because there is no way back", k.now.UndoBackup)
		err = k.reload(ctx)
	default:
		k.note("the updater was run again, because no dump from before run %s exists", k.now.Run)
		err = k.repeat(ctx)
	}
	if err != nil {
		k.unasked = w == goOn && k.mayAskLater() // a killed run may have left the pages of the old code for later
		err = k.retry(ctx, err)
	}
	if err != nil {
		return k.fail(ctx, err)
	}
	if k.now.NewSet != k.wanted() {
		if err := k.reread(ctx); err != nil {
			return session.Failed, err
		}
		return "", nil
	}
	return session.Done, nil
}

// repeat changes the database again, with the currently wanted code.
func (k *task) repeat(ctx context.Context) error {
	if err := k.ready(ctx); err != nil {
		return err
	}
	k.plan.code = true
	k.now.NewCodebase, k.now.NewVersion, k.now.NewSet = k.tenant.Codebase.Name, k.tenant.Codebase.Version, k.wanted()
	k.now.NewRelease = k.up.releases[k.tenant.Name].Release
	return k.change(ctx)
}

// backTo reverts an interrupted upgrade in the way that decide chose, and opens the tenant.
func (k *task) backTo(ctx context.Context, w way) error {
	switch w {
	case leave:
		if err := backup.Remove(k.dumpFile(k.now.Run)); err != nil {
			return err
		}
		k.note("the upgrade that run %s began had changed nothing", k.now.Run)
		return k.open(ctx, ledger.PutBack)
	case reopen:
		k.note("the upgrade that run %s began was put back", k.now.Run)
		return k.open(ctx, ledger.PutBack)
	case open:
		if k.now.Phase == ledger.Undoing {
			k.note("the rollback by run %s had changed nothing", k.now.UndoneBy)
			k.now.UndoneBy, k.now.UndoBackup = "", ""
		}
		return k.open(ctx, ledger.Upgraded)
	}
	k.note("the upgrade that run %s began was put back to MediaWiki %s", k.now.Run, k.now.OldVersion)
	return k.putBack(ctx)
}

// whole verifies that the dump of an upgrade can be restored. It reads the complete dump,
// once per run; Restore does so again before it drops anything.
func (k *task) whole(row ledger.Upgrade) error {
	if row.Backup == "" {
		return errNoDump
	}
	if k.verified == row.Backup {
		return nil
	}
	b, err := backup.Open(row.Backup)
	if err == nil {
		err = b.Verify()
	}
	if err == nil {
		k.verified = row.Backup
	}
	return err
}

// wayBack verifies that an upgrade can be undone: that its dump can be restored and the
// earlier code exists. It does not check a restore that has begun, which can only continue.
func (k *task) wayBack(row ledger.Upgrade) error {
	err := k.whole(row)
	if err == nil && row.Phase != ledger.Restoring {
		err = servable(k.up.Host, k.tenant, row.OldRelease, row.OldCodebase, row.OldSet, row.OldVersion)
	}
	return err
}

// codeOf returns the current version of the code of a release: the given version, or another
// one with the same schema if the code was updated in place.
func (k *task) codeOf(release int, version string) (string, error) {
	return codeOf(k.up.Host, k.tenant.Name, release, version)
}

var errNoDump = errors.New("it was not dumped (--backup none)")

// fail handles a tenant whose upgrade failed.
func (k *task) fail(ctx context.Context, why error) (session.Status, error) {
	if lost := lostLock(ctx, why); lost != nil {
		return session.Failed, lost
	}
	if ctx.Err() != nil { // wikictl was told to end
		return session.Failed, fmt.Errorf("%w; %s", why, k.state())
	}
	k.now.Error = why.Error()
	switch {
	case k.now.Run == "": // nothing was recorded yet
		return session.Restored, why
	case k.now.Phase == ledger.Opening, k.now.Phase == ledger.Upgraded, errors.As(why, new(*session.BehindError)): // a restore would put replicas further behind
		return session.Failed, fmt.Errorf("%w; %s", why, k.state())
	case k.now.Phase == ledger.Begun:
		if err := k.open(ctx, ledger.PutBack); err != nil {
			return session.Failed, fmt.Errorf("%w; and it could not be opened again: %w; %s", why, err, k.state())
		}
		return session.Restored, why
	case k.up.o.Keep:
		err := k.phase(ctx, ledger.Kept)
		return session.Failed, errors.Join(fmt.Errorf("%w; readers get the maintenance page, so that you can inspect the database; wikictl upgrade or wikictl rollback continues from there", why), err)
	}
	if lost := k.wayBack(k.now); lost != nil {
		err := k.phase(ctx, k.now.Phase) // records the error
		return session.Failed, errors.Join(fmt.Errorf("%w; there is no way back: %w; correct what it says and run wikictl upgrade %s again, which %s again; until then readers get the maintenance page", why, lost, k.tenant.Name, k.forwards()), err)
	}
	if err := k.putBack(ctx); err != nil {
		return session.Failed, fmt.Errorf("%w; and it could not be put back: %w; %s", why, err, k.state())
	}
	return session.Restored, why
}

// forwards describes what the next upgrade does if the wiki can't be restored.
func (k *task) forwards() string {
	if k.now.Reloads() {
		return "loads " + k.now.UndoBackup
	}
	return "runs the updater"
}

// state describes a wiki whose upgrade did not end, and how to end it.
func (k *task) state() string {
	switch k.now.Phase {
	case ledger.Opening, ledger.Upgraded:
		return "it is upgraded; run wikictl upgrade again to open it"
	case ledger.Begun, ledger.Undoing, ledger.Reopening, ledger.PutBack:
		return fmt.Sprintf("it is read-only until %s is run again", k.now.Completion())
	}
	return fmt.Sprintf("readers get the maintenance page until %s is run again", k.now.Completion())
}

// lostLock returns why together with the reason if the tenant's lock was lost; otherwise
// nil. Another run may have taken the tenant over, so this one can't tell its state.
func lostLock(ctx context.Context, why error) error {
	if errors.As(why, new(*mariadb.LostError)) {
		return why
	}
	if cause := context.Cause(ctx); errors.As(cause, new(*mariadb.LostError)) {
		return fmt.Errorf("%w: %w", why, cause)
	}
	return nil
}

// putBack restores a tenant whose database was changed to its state before the upgrade in
// k.now.
func (k *task) putBack(ctx context.Context) error {
	if err := k.revert(ctx); err != nil {
		return err
	}
	var err error
	if k.now, err = k.up.ledger.RevertUpgrade(ctx, k.now); err != nil {
		return err
	}
	return k.open(ctx, ledger.PutBack)
}

// restoring records that the database will be restored, once it is known that it can be.
func (k *task) restoring(ctx context.Context) error {
	if err := k.whole(k.now); err != nil { // before anything records the restore
		return err
	}
	release, err := k.releaseFor(ctx, k.now.OldRelease, k.now.OldCodebase, k.now.OldSet, k.now.OldVersion, k.now.UndoneBy != "")
	if err != nil {
		return err
	}
	k.now.OldRelease = release
	if _, err := k.codeOf(k.now.OldRelease, k.now.OldVersion); err != nil {
		return err
	}
	if err := k.fits(ctx, k.now.Backup); err != nil {
		return err
	}
	return k.phase(ctx, ledger.Restoring)
}

// fits returns an error if a dump would find no room on the server's disk. restore asks again, when
// the wiki is shut.
func (k *task) fits(ctx context.Context, dump string) error {
	b, err := backup.Open(dump)
	if err != nil {
		return err
	}
	return k.server.Fits(ctx, b)
}

// serveOld serves the release from before the upgrade, and probes the wiki.
func (k *task) serveOld(ctx context.Context) error {
	if err := k.serve(ctx, k.now.OldRelease); err != nil {
		return err
	}
	return k.answers(ctx, k.now.OldVersion, k.now.OldSet)
}

// restore replaces the database by a dump, and puts back the uploads that it names.
func (k *task) restore(ctx context.Context, dump string) error {
	if err := k.server.Freeze(ctx, k.accounts, mariadb.Wait{}); err != nil {
		return err
	}
	b, err := backup.Open(dump)
	if err != nil {
		return err
	}
	if b.Database != k.tenant.Database {
		return fmt.Errorf("the dump %s is of database %s, not of %s", b.File, b.Database, k.tenant.Database)
	}
	if err := k.ownDumped(ctx, b); err != nil {
		return err
	}
	if err := k.server.Restore(ctx, b, func() error { return k.up.Verify(ctx, k.tenant) }); err != nil {
		return err
	}
	if err := k.returnUploads(ctx, b.Taken, dump == k.now.UndoBackup); err != nil {
		return err
	}
	epoch := k.up.RunID
	if k.now.Run != k.up.RunID { // this run may have to undo its own upgrade later
		epoch += "-" + k.now.Run
	}
	return k.up.Deploy.ForgetCaches(k.tenant.Name, epoch)
}
