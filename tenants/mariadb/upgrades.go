package mariadb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Phase is how far an upgrade of a tenant has come. It says what whoever finds
// the upgrade interrupted has to do.
type Phase string

// The phases of an upgrade. Only in those that are marked so may the wiki be
// open for writing.
const (
	Begun     Phase = "begun"     // perhaps open; the database is as it was
	Changing  Phase = "changing"  // the schema is being changed: put back
	Switching Phase = "switching" // the database is upgraded: go on, or put back
	Opening   Phase = "opening"   // perhaps open: on the new code for good
	Restoring Phase = "restoring" // is being put back: go on putting back
	Reopening Phase = "reopening" // perhaps open: on the old code for good
	Kept      Phase = "kept"      // failed and left for inspection
	Upgraded  Phase = "upgraded"  // ended, open
	PutBack   Phase = "restored"  // ended, open, as before
)

// UpgradeRow is one upgrade of one tenant.
type UpgradeRow struct {
	Run, Tenant                     string
	Phase                           Phase
	OldCodebase, OldVersion, OldSet string
	OldRelease                      int
	NewCodebase, NewVersion, NewSet string
	NewRelease                      int
	Backup                          string // file of the dump; empty without one
	BackupBytes                     int64
	Started                         sql.NullTime
	Opened, Ended                   sql.NullTime
	Error                           string
}

const upgradeColumns = `run, tenant, phase, old_codebase, old_version, old_set, old_release,
	new_codebase, new_version, new_set, new_release, COALESCE(backup, ''), backup_bytes, started, opened, ended, COALESCE(error, '')`

func (r *UpgradeRow) fields() []any {
	return []any{&r.Run, &r.Tenant, &r.Phase, &r.OldCodebase, &r.OldVersion, &r.OldSet, &r.OldRelease,
		&r.NewCodebase, &r.NewVersion, &r.NewSet, &r.NewRelease, &r.Backup, &r.BackupBytes, &r.Started, &r.Opened, &r.Ended, &r.Error}
}

// BeginUpgrade writes that an upgrade has begun.
func (l *Ledger) BeginUpgrade(ctx context.Context, r UpgradeRow) error {
	_, err := l.db.ExecContext(ctx, `REPLACE INTO upgrade (run, tenant, phase, old_codebase, old_version, old_set, old_release,
		new_codebase, new_version, new_set, started) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, UTC_TIMESTAMP(3))`,
		r.Run, r.Tenant, Begun, r.OldCodebase, r.OldVersion, r.OldSet, r.OldRelease, r.NewCodebase, r.NewVersion, r.NewSet)
	return upgradeError(r, err)
}

// SetPhase writes how far an upgrade has come, with its release and backup; it
// is durable when SetPhase returns. The upgrade counts as not ended.
func (l *Ledger) SetPhase(ctx context.Context, r UpgradeRow) error {
	_, err := l.db.ExecContext(ctx, `UPDATE upgrade SET ended = NULL, phase = ?, new_release = ?, backup = NULLIF(?, ''), backup_bytes = ?, error = NULLIF(?, '') WHERE run = ? AND tenant = ?`,
		r.Phase, r.NewRelease, r.Backup, r.BackupBytes, r.Error, r.Run, r.Tenant)
	return upgradeError(r, err)
}

// Settled writes, in one transaction, that a tenant now runs on the new code of
// an upgrade for good, and which SQL of the farm it has seen, by name.
func (l *Ledger) Settled(ctx context.Context, r UpgradeRow, applied map[string]string) error {
	return l.both(ctx, r, func(tx *sql.Tx) error {
		if err := runsOn(ctx, tx, r, r.NewCodebase, r.NewVersion, r.NewSet); err != nil {
			return err
		}
		for name, checksum := range applied {
			if _, err := tx.ExecContext(ctx, `INSERT IGNORE INTO farm_sql (tenant, name, checksum, run) VALUES (?, ?, ?, ?)`, r.Tenant, name, checksum, r.Run); err != nil {
				return err
			}
		}
		return nil
	})
}

// Unsettled writes, in one transaction, that a tenant runs on the old code of an
// upgrade again and has not seen the SQL that came with it.
func (l *Ledger) Unsettled(ctx context.Context, r UpgradeRow) error {
	return l.both(ctx, r, func(tx *sql.Tx) error {
		if err := runsOn(ctx, tx, r, r.OldCodebase, r.OldVersion, r.OldSet); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM farm_sql WHERE tenant = ? AND run = ?`, r.Tenant, r.Run)
		return err
	})
}

func runsOn(ctx context.Context, tx *sql.Tx, r UpgradeRow, codebase, version, set string) error {
	_, err := tx.ExecContext(ctx, `UPDATE tenant SET codebase = ?, version = ?, component_set = ?, run = ?, changed = UTC_TIMESTAMP(3) WHERE name = ?`,
		codebase, version, set, r.Run, r.Tenant)
	return err
}

// both writes an upgrade's phase together with something else. The upgrade
// counts as not ended.
func (l *Ledger) both(ctx context.Context, r UpgradeRow, do func(*sql.Tx) error) error {
	tx, err := l.db.BeginTx(ctx, nil)
	if err != nil {
		return upgradeError(r, err)
	}
	defer tx.Rollback()
	_, err = tx.ExecContext(ctx, `UPDATE upgrade SET phase = ?, error = NULLIF(?, ''), ended = NULL WHERE run = ? AND tenant = ?`, r.Phase, r.Error, r.Run, r.Tenant)
	if err := errors.Join(err, do(tx)); err != nil {
		return upgradeError(r, err)
	}
	return upgradeError(r, tx.Commit())
}

// EndUpgrade writes that an upgrade is over. opened says that the wiki can be
// written again.
func (l *Ledger) EndUpgrade(ctx context.Context, r UpgradeRow, opened bool) error {
	set := `phase = ?, error = NULLIF(?, ''), ended = UTC_TIMESTAMP(3)`
	if opened {
		set += `, opened = UTC_TIMESTAMP(3)`
	}
	_, err := l.db.ExecContext(ctx, `UPDATE upgrade SET `+set+` WHERE run = ? AND tenant = ?`, r.Phase, r.Error, r.Run, r.Tenant)
	return upgradeError(r, err)
}

func upgradeError(r UpgradeRow, err error) error {
	if err != nil {
		return fmt.Errorf("write the upgrade of %s into the ledger: %w", r.Tenant, err)
	}
	return nil
}

// Tenant reads one row; found is false when the ledger has none.
func (l *Ledger) Tenant(ctx context.Context, name string) (r TenantRow, found bool, err error) {
	err = l.db.QueryRowContext(ctx, `SELECT name, server, database_name, codebase, version, component_set, state, run, changed FROM tenant WHERE name = ?`, name).
		Scan(&r.Name, &r.Server, &r.Database, &r.Codebase, &r.Version, &r.ComponentSet, &r.State, &r.Run, &r.Changed)
	if errors.Is(err, sql.ErrNoRows) {
		return r, false, nil
	}
	if err != nil {
		return r, false, fmt.Errorf("read tenant %s from the ledger: %w", name, err)
	}
	return r, true, nil
}

// OpenUpgrades reads the upgrades that were begun and not ended, by tenant.
// Those of tenants whose lock is free were interrupted.
func (l *Ledger) OpenUpgrades(ctx context.Context) (map[string]UpgradeRow, error) {
	rows, err := l.upgrades(ctx, `WHERE ended IS NULL ORDER BY started`)
	open := map[string]UpgradeRow{}
	for _, r := range rows {
		open[r.Tenant] = r
	}
	return open, err
}

// OpenUpgrade reads the upgrade of a tenant that was begun and not ended.
func (l *Ledger) OpenUpgrade(ctx context.Context, tenant string) (UpgradeRow, bool, error) {
	rows, err := l.upgrades(ctx, `WHERE ended IS NULL AND tenant = ? ORDER BY started DESC LIMIT 1`, tenant)
	if err != nil || len(rows) == 0 {
		return UpgradeRow{}, false, err
	}
	return rows[0], true, nil
}

// LastUpgrades reads the latest upgrade of each tenant that came to its end.
func (l *Ledger) LastUpgrades(ctx context.Context) (map[string]UpgradeRow, error) {
	rows, err := l.upgrades(ctx, `WHERE phase = 'upgraded' ORDER BY started`)
	last := map[string]UpgradeRow{}
	for _, r := range rows {
		last[r.Tenant] = r
	}
	return last, err
}

// Upgrades reads all upgrades of a run, by tenant.
func (l *Ledger) Upgrades(ctx context.Context, run string) ([]UpgradeRow, error) {
	return l.upgrades(ctx, `WHERE run = ? ORDER BY tenant`, run)
}

func (l *Ledger) upgrades(ctx context.Context, where string, args ...any) ([]UpgradeRow, error) {
	rows, err := l.db.QueryContext(ctx, `SELECT `+upgradeColumns+` FROM upgrade `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read the upgrades of the ledger: %w", err)
	}
	defer rows.Close()
	var all []UpgradeRow
	for rows.Next() {
		var r UpgradeRow
		if err := rows.Scan(r.fields()...); err != nil {
			return nil, fmt.Errorf("read the upgrades of the ledger: %w", err)
		}
		all = append(all, r)
	}
	return all, rows.Err()
}

// FarmSQL reads which files of the farm's own SQL each tenant has seen: tenant
// to file to checksum.
func (l *Ledger) FarmSQL(ctx context.Context) (map[string]map[string]string, error) {
	rows, err := l.db.QueryContext(ctx, `SELECT tenant, name, checksum FROM farm_sql`)
	if err != nil {
		return nil, fmt.Errorf("read the farm's SQL from the ledger: %w", err)
	}
	defer rows.Close()
	seen := map[string]map[string]string{}
	for rows.Next() {
		var tenant, name, checksum string
		if err := rows.Scan(&tenant, &name, &checksum); err != nil {
			return nil, err
		}
		if seen[tenant] == nil {
			seen[tenant] = map[string]string{}
		}
		seen[tenant][name] = checksum
	}
	return seen, rows.Err()
}
