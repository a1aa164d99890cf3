package upgrade

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"wikictl/migrations/upgrade/forecast"
	"wikictl/php"
	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/ledger"
	"wikictl/tenants/mariadb"
	"wikictl/tenants/mediawiki"
	"wikictl/tenants/session"
	"wikictl/tenants/wiki"
)

// freeze makes the wiki read-only: editors see the reason, its account can't write, and
// no statement that writes is still running.
func (k *task) freeze(ctx context.Context) error {
	reason := fmt.Sprintf("This wiki is being upgraded to MediaWiki %s and can't be edited for about %s. For a part of that time it can't be read either.",
		k.now.NewVersion, forecast.Text(k.plan.Seconds))
	if k.now.UndoneBy != "" {
		reason = fmt.Sprintf("This wiki is being put back to MediaWiki %s and can't be edited for a few minutes. For a part of that time it can't be read either.", k.now.OldVersion)
	}
	if err := k.up.Deploy.SetReadOnly(k.tenant.Name, reason); err != nil {
		return err
	}
	return k.up.slots.during(func() error { return k.up.Freeze(ctx, k.tenant, k.accounts, k.up.o.Patience) })
}

// shut makes the web server answer with a maintenance page (status 503) while the
// database fits no code, and waits for running requests.
func (k *task) shut(ctx context.Context, doing string) error {
	until := time.Now().UTC().Add(time.Duration(max(k.plan.Seconds, 1) * float64(time.Second))).Truncate(time.Minute).Add(time.Minute)
	if err := k.up.Deploy.SetMaintenance(k.tenant.Name, deploy.MaintenancePage(k.tenant.Sitename, doing, until)); err != nil {
		return err
	}
	return k.up.slots.during(func() error { return k.up.Quiet(ctx, k.tenant, k.accounts, k.up.o.Patience) })
}

// serve switches to a release and removes the maintenance page.
func (k *task) serve(ctx context.Context, release int) error {
	if len(k.tenant.Server.Replicas) > 0 {
		if err := k.up.slots.during(func() error { return k.up.Replicated(ctx, k.tenant.Server) }); err != nil {
			return err
		}
	}
	if err := k.up.Deploy.Serve(ctx, k.tenant.Name, release); err != nil {
		return err
	}
	if k.plan.Interrupted != "" {
		if err := k.include(ctx); err != nil {
			return err
		}
	}
	return k.up.Deploy.ClearMaintenance(k.tenant.Name)
}

// include makes the web server include the tenant after an interrupted run, which may have
// ended between the switch and the reload. Meanwhile another run may have taken the tenant's
// virtual host out, such as for a missing certificate. The reload is repeated only if the
// files differ, because a reload of nginx may truncate a page that it is sending.
func (k *task) include(ctx context.Context) error {
	reloaded, err := k.up.Deploy.Publish(ctx, k.tenant.Name)
	if err != nil || reloaded || k.up.Deploy.SameParts(k.tenant.Name, k.now.OldRelease, k.now.NewRelease) {
		return err
	}
	return k.up.Deploy.Reload(ctx)
}

func (k *task) dump(ctx context.Context) error {
	if k.up.o.Backup == NoBackup {
		return nil
	}
	var by tenants.Backup
	if k.up.o.Backup == ByCommand {
		by = k.up.Farm.Backup
	}
	b, err := k.server.Dump(ctx, k.tenant.Database, k.dumpFile(k.up.RunID), by, k.further...)
	if err != nil {
		return err
	}
	k.now.Backup, k.now.BackupBytes = b.File, b.Size()
	k.dumped = map[string]int64{}
	for table, c := range b.Tables {
		k.dumped[table] = c.Rows
	}
	k.objects = slices.Sorted(maps.Keys(b.Objects))
	k.tables, k.pure = b.Definitions, b.Definitions != nil
	return nil
}

// dumpFile returns the path of this tenant's dump of a run, without its ending.
func (k *task) dumpFile(run string) string {
	return filepath.Join(k.up.Layout.Backups(k.tenant.Name), run)
}

// update runs MediaWiki's updater of the new code, unless only the farm's own SQL is to
// be applied.
func (k *task) update(ctx context.Context) error {
	if !k.plan.code {
		return nil
	}
	job, err := k.up.updater(k.tenant, k.accounts.Schema)
	if err != nil {
		return err
	}
	job.Config = filepath.Join(k.up.Layout.Release(k.tenant.Name, k.now.NewRelease), "LocalSettings.php")
	rehearsed := k.useRehearsal(ctx, &job)
	before := k.tables
	k.tables, k.same = nil, false
	err = k.watched(k.updateLog(), func() error {
		_, err := k.up.script(ctx, k.tenant.Name, "update.php", k.tenant.Codebase, job)
		return err
	})
	if err == nil {
		k.same, err = k.unchanged(ctx, before)
	}
	if err == nil {
		return k.compare(ctx, rehearsed)
	}
	return k.stopWork(ctx, err)
}

// unchanged reports whether the code is the same as before and the updater changed no
// definition of a table; false if that is not known. It does not compare rows: account does.
func (k *task) unchanged(ctx context.Context, before mariadb.Definitions) (bool, error) {
	if before == nil || k.now.NewSet != k.now.OldSet || len(ownSteps(k.up.Farm, k.tenant, false)) > 0 {
		return false, nil
	}
	now, err := k.definitions(ctx)
	return err == nil && len(before.WithoutNumbers().Differences(now.WithoutNumbers())) == 0, err
}

// stopWork waits, after a script with the schema account failed with err, until none of its
// statements runs on the server any more. It returns err with the state of the statement.
func (k *task) stopWork(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if errors.As(context.Cause(ctx), new(*mariadb.LostError)) {
		return err // another run took over, and the connections may be its own
	}
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	// The server forgets what the updater waited for when its connection ends.
	waits, _ := k.server.Waiting(after, k.accounts.Schema.Name)
	if waits != "" {
		err = fmt.Errorf("%w; it was in state %q on the server", err, waits)
	}
	return errors.Join(err, k.server.StopWork(after, k.tenant.Database, k.accounts.Schema.Name))
}

// script runs a job of a codebase with the tenant's log of that step, and returns the
// log.
func (u *upgrade) script(ctx context.Context, tenant, step string, c *tenants.Codebase, job php.Job) (log string, err error) {
	job.Limit = cmp.Or(job.Limit, u.o.Limit)
	return u.RunPHP(ctx, tenant, step, c, job)
}

// runJobs runs all queued jobs on the old code.
func (k *task) runJobs(ctx context.Context) error {
	old := k.up.Farm.Codebases[k.plan.row.Codebase]
	if old == nil {
		return fmt.Errorf("the codebase %s is not in the definitions any more", k.plan.row.Codebase)
	}
	_, err := k.up.script(ctx, k.tenant.Name, "runJobs.php", old, php.Job{Script: session.Maintenance(old, "runJobs.php"), Config: k.up.Layout.LocalSettings(k.tenant.Name)})
	return err
}

func (k *task) migrate(ctx context.Context) error {
	files, checksums := k.up.sql.Of(k.tenant)
	if len(checksums) == 0 {
		return nil
	}
	k.tables, k.same = nil, false
	_, err := k.server.Migrate(ctx, k.tenant.Database, files)
	return err
}

// definitions returns the current definitions of the tables. Callers take columns from
// them: a query for columns would make the server open all tables again.
func (k *task) definitions(ctx context.Context) (mariadb.Definitions, error) {
	if k.tables != nil {
		return k.tables, nil
	}
	tables, err := k.server.Definitions(ctx, k.tenant.Database)
	if err == nil {
		k.tables = tables
	}
	return tables, err
}

// check verifies that the schema is that of the new version: its level, and that no table
// is missing, which the updater does not report.
func (k *task) check(ctx context.Context) error {
	found, err := k.definitions(ctx)
	if err != nil {
		return err
	}
	level := found.Level()
	if want := mediawiki.LevelFor(k.tenant.Codebase.Version); level != want {
		return fmt.Errorf("the database has the schema of MediaWiki %s after the updater ran, not that of %s", level, want)
	}
	wanted, err := mediawiki.CoreTables(k.tenant.Codebase.Path)
	if err != nil {
		return err
	}
	missing := slices.DeleteFunc(wanted, func(table string) bool { return found[table] != "" })
	if len(missing) > 0 {
		return fmt.Errorf("the database has no table %s after the updater ran", strings.Join(missing, ", "))
	}
	return nil
}

// doubted adds the time of the earlier probe to worse, the error of a wiki that answers
// worse than before.
func (k *task) doubted(worse error) error {
	at, err := k.up.Doubt(k.tenant)
	if at.IsZero() {
		return errors.Join(worse, err)
	}
	return errors.Join(fmt.Errorf("%w (it answered well at %s UTC and was not asked again before the upgrade: if it broke since, run this again, which asks first)", worse, at.Format(time.DateTime)), err)
}

// probe requests the wiki's identity, its main page and the log-in page through the web
// server, and compares them with the results from before. If nothing was changed, it
// requests only the identity. A wiki on a new release must be read-only: it says so, which
// means that it refuses edits (MediaWiki: ReadOnlyMode), or it refuses an edit.
func (k *task) probe(ctx context.Context) error {
	before, err := k.up.LastSight(k.tenant.Name)
	if err != nil {
		return err
	}
	ask := k.up.After
	if k.known && k.same && k.now.NewRelease == k.now.OldRelease {
		ask = k.up.AfterNothing
	}
	// Only new code has to be compiled: the others wait for the first wiki on it.
	var leave func()
	_ = k.up.slots.during(func() error {
		leave = k.up.compiled.enter(ctx, k.tenant.Codebase.Path)
		return nil
	})
	defer leave()
	remarks, readOnly, err := ask(ctx, k.tenant, before)
	k.remarks = append(k.remarks, remarks...)
	if err != nil && ctx.Err() == nil {
		k.worse = true
		return k.doubted(err)
	}
	if err != nil || readOnly || k.now.NewRelease == k.now.OldRelease {
		return err
	}
	return wiki.RefusesEdits(ctx, k.up.Farm.ProbeBy(k.tenant.Hosts[0]), k.up.ServedHost(k.tenant))
}

// recordUpgraded records in the ledger that the tenant runs on the new code.
func (k *task) recordUpgraded(ctx context.Context) (err error) {
	if err := k.up.Deploy.KeepBefore(k.tenant.Name, k.now.OldRelease); err != nil {
		return err
	}
	_, checksums := k.up.sql.Of(k.tenant)
	k.now.UndoBackup = "" // the restored content is in the database
	k.now, err = k.up.ledger.CommitUpgrade(ctx, k.now, checksums)
	return err
}

// open makes the wiki writable again and records end as the last phase of the upgrade.
func (k *task) open(ctx context.Context, end ledger.Phase) error {
	return k.held(ctx, "open", func() error {
		if err := k.server.Thaw(ctx, k.accounts); err != nil {
			return err
		}
		if err := errors.Join(k.up.Deploy.ClearReadOnly(k.tenant.Name), k.up.Deploy.ClearMaintenance(k.tenant.Name)); err != nil {
			return err
		}
		row, err := k.up.ledger.EndUpgrade(ctx, k.now, end)
		k.now = row
		return err
	})
}
