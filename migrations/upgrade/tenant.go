package upgrade

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"wikictl/php"
	"wikictl/tenants"
	"wikictl/tenants/host"
	"wikictl/tenants/mariadb"
)

// task is the upgrade of one tenant, under its lock.
type task struct {
	*upgrade
	*Planned
	server   *mariadb.Server
	secrets  tenants.Secrets
	accounts mariadb.Accounts
	now      mariadb.UpgradeRow
}

// one takes one tenant to its wanted code, or puts it back.
func (u *upgrade) one(ctx context.Context, j *Planned) (host.Outcome, error) {
	u.o.Observer.Started(j.Name)
	start := time.Now()
	status, err := u.attempt(ctx, j)
	return u.run.Finish(host.Outcome{Tenant: j.tenant, Status: status, Err: err, Elapsed: time.Since(start)}), err
}

func (u *upgrade) attempt(ctx context.Context, j *Planned) (host.Status, error) {
	if err := cmp.Or(u.warm[j.Name], u.releases[j.Name].Err); err != nil {
		return host.Failed, err
	}
	k, err := u.take(ctx, j)
	if err != nil {
		return host.Failed, err
	}
	defer u.Locks(j.tenant.Server).Release(context.WithoutCancel(ctx), j.tenant.Database)
	finished, err := k.resume(ctx)
	if err != nil {
		return host.Failed, err
	}
	if finished {
		return host.Done, nil
	}
	if !k.code && len(k.SQL) == 0 {
		return host.Unchanged, nil
	}
	if err := k.forward(ctx); err != nil {
		return k.fail(ctx, err)
	}
	return host.Done, nil
}

// take locks a tenant and reads again what may have changed since the plan was
// made: another run may have upgraded it.
func (u *upgrade) take(ctx context.Context, j *Planned) (*task, error) {
	k := &task{upgrade: u, Planned: j}
	err := k.step("lock", func() error { return u.Locks(j.tenant.Server).Acquire(ctx, j.tenant.Database) })
	if err != nil {
		return nil, err
	}
	if err := k.read(ctx); err != nil {
		return nil, errors.Join(err, u.Locks(j.tenant.Server).Release(ctx, j.tenant.Database))
	}
	return k, nil
}

func (k *task) read(ctx context.Context) (err error) {
	if k.server, err = k.Server(ctx, k.tenant.Server); err != nil {
		return err
	}
	if k.secrets, err = k.Deploy.ReadSecrets(k.Name); err != nil {
		return err
	}
	k.accounts = host.Accounts(k.tenant, k.secrets)
	before := k.row.ComponentSet
	if k.row, _, err = k.ledger.Tenant(ctx, k.Name); err != nil {
		return err
	}
	if before != k.row.ComponentSet { // upgraded since the plan was made
		k.code = k.row.ComponentSet != k.wanted()
	}
	return nil
}

func (k *task) wanted() string { return k.tenant.ComponentSet(k.tenant.Codebase) }

func (k *task) step(name string, do func() error) error { return k.run.Step(k.Name, name, do) }

// held is a step that begins by making sure that the tenant's lock is still this
// run's: what another run has taken over is left alone.
func (k *task) held(ctx context.Context, name string, do func() error) error {
	return k.step(name, func() error {
		if err := k.Verify(ctx, k.tenant); err != nil {
			return err
		}
		return do()
	})
}

// phase writes how far the upgrade has come before it goes on.
func (k *task) phase(ctx context.Context, p mariadb.Phase) (err error) {
	k.now, err = k.ledger.SetPhase(ctx, k.now, p)
	return err
}

// forward does the upgrade. Until the phase is Changing nothing was touched;
// from Opening on there is no way back but a rollback.
func (k *task) forward(ctx context.Context) error {
	if k.o.RunJobs {
		if err := k.step("jobs", func() error { return k.runJobs(ctx) }); err != nil {
			return err
		}
	}
	steps := []struct {
		name string
		do   func() error
	}{
		{"mark", func() error { return k.mark(ctx) }},
		{"read-only", func() error { return k.freeze(ctx) }},
		{"backup", func() error { return k.dump(ctx) }},
		{"changing", func() error { return k.phase(ctx, mariadb.Changing) }},
		{"update.php", func() error { return k.update(ctx) }},
		{"farm sql", func() error { return k.migrate(ctx) }},
		{"check", func() error { return k.check(ctx) }},
		{"switching", func() error { return k.phase(ctx, mariadb.Switching) }},
	}
	for _, s := range steps {
		if err := k.held(ctx, s.name, s.do); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return k.finish(ctx)
}

// finish serves the upgraded wiki. It is also where an interrupted upgrade goes
// on whose database is done.
func (k *task) finish(ctx context.Context) error {
	steps := []struct {
		name string
		do   func() error
	}{
		{"switch", func() error { return k.Deploy.Switch(ctx, k.Name, k.now.NewRelease) }},
		{"probe", func() error { return k.Explain(ctx, k.tenant, k.probe(ctx)) }},
		{"ledger", func() error { return k.settle(ctx) }},
	}
	for _, s := range steps {
		if err := k.held(ctx, s.name, s.do); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return k.open(ctx, mariadb.Upgraded)
}

// mark writes into the ledger what is about to happen.
func (k *task) mark(ctx context.Context) error {
	release, err := k.Deploy.Current(k.Name)
	if err != nil {
		return err
	}
	row, err := k.ledger.BeginUpgrade(ctx, mariadb.UpgradeRow{
		Run: k.RunID, Tenant: k.Name,
		OldCodebase: k.row.Codebase, OldVersion: k.row.Version, OldSet: k.row.ComponentSet, OldRelease: release,
		NewCodebase: k.tenant.Codebase.Name, NewVersion: k.tenant.Codebase.Version, NewSet: k.wanted(),
		NewRelease: k.releases[k.Name].Release,
	})
	if err == nil {
		k.now = row
	}
	return err
}

// freeze makes the wiki read-only: its readers are told why, its account can't
// write, and nothing that could is still under way.
func (k *task) freeze(ctx context.Context) error {
	reason := fmt.Sprintf("This wiki is being upgraded to MediaWiki %s, which takes about %s. It can be read meanwhile.",
		k.tenant.Codebase.Version, time.Duration(max(k.Seconds, 1)*float64(time.Second)).Round(time.Second))
	if err := k.Deploy.SetReadOnly(k.Name, reason); err != nil {
		return err
	}
	return k.server.Freeze(ctx, k.accounts, k.o.Patience)
}

func (k *task) dump(ctx context.Context) error {
	if k.o.Backup == NoBackup {
		return nil
	}
	var by tenants.Backup
	if k.o.Backup == ByCommand {
		by = k.Farm.Backup
	}
	b, err := k.server.Dump(ctx, k.tenant.Database, k.dumpFile(k.RunID), by)
	if err != nil {
		return err
	}
	k.now.Backup, k.now.BackupBytes = b.File, b.Bytes
	return nil
}

// dumpFile is where a run keeps this tenant's dump, without the ending of its name.
func (k *task) dumpFile(run string) string {
	return filepath.Join(k.Layout.Backups(k.Name), run)
}

// update runs MediaWiki's updater of the new code, unless only the farm's own
// SQL is to be applied.
func (k *task) update(ctx context.Context) error {
	if !k.code {
		return nil
	}
	err := k.script(ctx, k.tenant.Codebase, "update.php", filepath.Join(k.Layout.Release(k.Name, k.now.NewRelease), "LocalSettings.php"),
		"--quick", "--dbuser="+k.accounts.Schema.Name, "--dbpass="+k.accounts.Schema.Password.Reveal())
	if err == nil {
		return nil
	}
	if errors.As(context.Cause(ctx), new(*mariadb.LostError)) {
		return err // whose connections they are now, the run that took over knows
	}
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	// What the updater was waiting for is gone from the server with its connection.
	waits, _ := k.server.Waiting(after, k.accounts.Schema.Name)
	if waits != "" {
		err = fmt.Errorf("%w; it was in state %q on the server", err, waits)
	}
	return errors.Join(err, k.server.Settle(after, k.tenant.Database, k.accounts.Schema.Name))
}

// script runs a maintenance script of a codebase for this tenant.
func (k *task) script(ctx context.Context, c *tenants.Codebase, name, config string, args ...string) error {
	server, err := k.PHP(ctx, c)
	if err != nil {
		return err
	}
	log, err := k.Log(k.Name, name)
	if err != nil {
		return err
	}
	_, err = server.Run(ctx, php.Job{
		Script: filepath.Join(c.Path, "maintenance", name), Args: args, Config: config, Log: log, Limit: k.o.Limit,
	})
	return err
}

// runJobs empties the job queue on the code that the wiki still runs on.
func (k *task) runJobs(ctx context.Context) error {
	old := k.Farm.Codebases[k.row.Codebase]
	if old == nil {
		return fmt.Errorf("the codebase %s is not in the definitions any more", k.row.Codebase)
	}
	return k.script(ctx, old, "runJobs.php", k.Layout.LocalSettings(k.Name))
}

func (k *task) migrate(ctx context.Context) error {
	files, checksums := k.sql.of(k.tenant)
	if len(checksums) == 0 {
		return nil
	}
	_, err := k.server.Migrate(ctx, k.tenant.Database, files)
	return err
}

// check reads back that the schema is the new version's: its level, and that no
// table is missing, which the updater passes over in silence.
func (k *task) check(ctx context.Context) error {
	level, err := k.server.LevelOf(ctx, k.tenant.Database)
	if err != nil {
		return err
	}
	if want := mariadb.LevelFor(k.tenant.Codebase.Version); level != want {
		return fmt.Errorf("the database has the schema of MediaWiki %s after the updater ran, not of %s", level, want)
	}
	wanted, err := coreTables(k.tenant.Codebase.Path)
	if err != nil {
		return err
	}
	found, err := k.server.Tables(ctx, k.tenant.Database)
	if err != nil {
		return err
	}
	missing := slices.DeleteFunc(wanted, func(table string) bool { return slices.Contains(found, table) })
	if len(missing) > 0 {
		return fmt.Errorf("the database has no table %s after the updater ran", strings.Join(missing, ", "))
	}
	return nil
}

// probe asks the wiki through the web server who it is and, when it is served
// from a new release, for a page and the log-in page, and that an edit is refused.
func (k *task) probe(ctx context.Context) error {
	base, name, t := k.Farm.Web.Probe, k.tenant.Hosts[0], k.tenant
	info, err := k.IdentifyAll(ctx, t.Hosts, k.Who(t))
	if err != nil || k.now.NewRelease == k.now.OldRelease {
		return err
	}
	if err := php.Served(ctx, base, name, info.MainPage, t.Codebase.Version); err != nil {
		return err
	}
	return php.RefusesEdits(ctx, base, name)
}

// settle writes that the tenant is on the new code for good.
func (k *task) settle(ctx context.Context) (err error) {
	if err := k.Deploy.KeepBefore(k.Name, k.now.OldRelease); err != nil {
		return err
	}
	_, checksums := k.sql.of(k.tenant)
	k.now, err = k.ledger.Settled(ctx, k.now, checksums)
	return err
}

// open lets the wiki be written again and ends the upgrade in that phase.
func (k *task) open(ctx context.Context, end mariadb.Phase) error {
	return k.held(ctx, "open", func() error {
		if err := k.server.Thaw(ctx, k.accounts); err != nil {
			return err
		}
		if err := k.Deploy.ClearReadOnly(k.Name); err != nil {
			return err
		}
		row, err := k.ledger.EndUpgrade(ctx, k.now, end)
		k.now = row
		return err
	})
}
