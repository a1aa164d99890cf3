package upgrade

import (
	"context"

	"wikictl/tenants"
	"wikictl/tenants/ledger"
	"wikictl/tenants/session"
	"wikictl/tenants/wiki"
)

// redo undoes a rollback by restoring the dump made before that rollback. The ledger records
// the redo as an upgrade whose database comes from a dump instead of the updater: its
// failures and interruptions are handled, and it can be undone, like those of any upgrade.
func (r *rollback) redo(ctx context.Context, k *task, undo *Undo) error {
	k.now = ledger.Upgrade{}
	err := k.each(ctx, []step{
		{"mark", func() error { return r.mark(ctx, k, undo.row) }},
		{"read-only", func() error { return k.freeze(ctx) }},
		{"count", func() error { return r.recount(ctx, k, undo) }},
		{"keep", func() error { return r.keepAsBackup(ctx, k) }},
	})
	if err == nil {
		k.now.UndoBackup = undo.row.UndoBackup
		err = k.reload(ctx)
	}
	if err == nil {
		return nil
	}
	_, err = k.fail(ctx, err)
	return err
}

// reload replaces the database by the dump of a rollback, and serves the release that the
// rollback replaced. It also continues an interrupted reload before which no dump was made.
func (k *task) reload(ctx context.Context) error {
	k.now.UndoneBy = ""
	if err := k.fits(ctx, k.now.UndoBackup); err != nil {
		return err
	}
	release, err := k.releaseFor(ctx, k.now.NewRelease, k.now.NewCodebase, k.now.NewSet, k.now.NewVersion, true)
	if err != nil {
		return err
	}
	k.now.NewRelease = release
	err = k.each(ctx, []step{
		{"changing", func() error { return k.phase(ctx, ledger.Changing) }},
		{"maintenance", func() error { return k.shut(ctx, "put back to MediaWiki "+k.now.NewVersion) }},
		{"restore", func() error { return k.restore(ctx, k.now.UndoBackup) }},
		{"losses", func() error { return k.up.ledger.ReturnLosses(ctx, k.tenant.Name, k.now.Run, k.now.UndoBackup) }},
		{"switching", func() error { return k.phase(ctx, ledger.Switching) }},
		{"switch", func() error { return k.serve(ctx, k.now.NewRelease) }},
		{"probe", func() error { return k.answers(ctx, k.now.NewVersion, k.now.NewSet) }},
		{"ledger", func() error { return k.recordUpgraded(ctx) }},
	})
	if err != nil {
		return err
	}
	return k.open(ctx, ledger.Upgraded)
}

// mark records in the ledger that the content that a rollback dropped is restored.
func (r *rollback) mark(ctx context.Context, k *task, undone ledger.Upgrade) error {
	release, err := k.up.Deploy.Current(k.tenant.Name)
	if err != nil {
		return err
	}
	row, err := k.up.ledger.BeginUpgrade(ctx, ledger.Upgrade{
		Run: r.RunID, Tenant: k.tenant.Name,
		OldCodebase: k.plan.row.Codebase, OldVersion: k.plan.row.Version, OldSet: k.plan.row.ComponentSet, OldRelease: release,
		NewCodebase: undone.NewCodebase, NewVersion: undone.NewVersion, NewSet: undone.NewSet, NewRelease: undone.NewRelease,
	})
	if err == nil {
		k.now = row
	}
	return err
}

// keepAsBackup dumps the current content of the database as the way back of a redo.
func (r *rollback) keepAsBackup(ctx context.Context, k *task) error {
	if r.o.NoDump {
		return nil
	}
	b, err := k.server.Dump(ctx, k.tenant.Database, k.dumpFile(r.RunID), tenants.Backup{}, k.further...)
	if err != nil {
		return err
	}
	k.now.Backup, k.now.BackupBytes = b.File, b.Size()
	return nil
}

// answers probes a wiki by a host name of its release until it reports the given version. It
// then records that the release, with the code of set, has answered.
func (k *task) answers(ctx context.Context, version, set string) error {
	release, err := k.up.Deploy.Current(k.tenant.Name)
	if err != nil {
		return err
	}
	if version, err = k.codeOf(release, version); err != nil {
		return err
	}
	name, want := k.up.HostOf(k.tenant, release), wiki.SiteInfo{DBName: k.tenant.Database, Version: version}
	if _, err := k.up.Identify(ctx, name, want); err != nil {
		return k.up.Explain(ctx, k.tenant, err)
	}
	current, _, err := k.up.Unseen(k.tenant.Name)
	if err != nil || current == 0 {
		return err
	}
	return k.up.Note(k.tenant, session.Sight{Hosts: []string{name}, Want: want, Set: set})
}
