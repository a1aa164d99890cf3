package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"wikictl/tenants/mariadb"
)

// Phase is how far an upgrade of a tenant has come. It decides what the next run
// does with an upgrade that was interrupted.
type Phase string

// The phases of an upgrade. Only in those that are marked so may the wiki be
// open for writing.
const (
	Begun      Phase = "begun"      // perhaps open; the database is as it was
	Changing   Phase = "changing"   // the schema is being changed: put back, or go on
	Switching  Phase = "switching"  // the database is upgraded: go on, or put back
	Opening    Phase = "opening"    // perhaps open: on the new code for good
	Undoing    Phase = "undoing"    // perhaps open: a rollback has begun, and the database is as it was
	Restoring  Phase = "restoring"  // is being put back: go on putting back
	Reopening  Phase = "reopening"  // perhaps open: on the old code for good
	Kept       Phase = "kept"       // failed and left for inspection
	Upgraded   Phase = "upgraded"   // ended, open
	PutBack    Phase = "restored"   // ended, open, as before
	Superseded Phase = "superseded" // ended when an older ledger had two open; nothing is known
)

// Upgrade is one upgrade of one tenant.
type Upgrade struct {
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
	UndoneBy                        string // run of the rollback that put the tenant back, or is about to
	UndoBackup                      string // file of the dump that the rollback made first, or that is brought back now
}

// Open reports whether the upgrade was begun and has not ended.
func (r Upgrade) Open() bool { return !r.Ended.Valid }

// Reloads reports whether the database of the upgrade comes from the dump UndoBackup,
// which a rollback made, and not from the updater.
func (r Upgrade) Reloads() bool { return r.UndoBackup != "" && r.UndoneBy == "" }

const upgradeColumns = `run, tenant, phase, old_codebase, old_version, old_set, old_release,
	new_codebase, new_version, new_set, new_release, COALESCE(backup, ''), backup_bytes, started, opened, ended, COALESCE(error, ''),
	COALESCE(undone_by, ''), COALESCE(undo_backup, '')`

func (r *Upgrade) fields() []any {
	return []any{&r.Run, &r.Tenant, &r.Phase, &r.OldCodebase, &r.OldVersion, &r.OldSet, &r.OldRelease,
		&r.NewCodebase, &r.NewVersion, &r.NewSet, &r.NewRelease, &r.Backup, &r.BackupBytes, &r.Started, &r.Opened, &r.Ended, &r.Error,
		&r.UndoneBy, &r.UndoBackup}
}

// ErrOpen means that another upgrade of the tenant is open.
var ErrOpen = errors.New("another upgrade of it is open; wikictl upgrade finishes that, or puts the wiki back")

// BeginUpgrade writes that an upgrade has begun, and returns the row as written. It
// is ErrOpen while another one of the tenant is open.
func (l *Ledger) BeginUpgrade(ctx context.Context, r Upgrade) (Upgrade, error) {
	r.Phase = Begun
	err := one(l.db.ExecContext(ctx, `INSERT INTO upgrade (run, tenant, phase, old_codebase, old_version, old_set, old_release,
		new_codebase, new_version, new_set, new_release, started) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, UTC_TIMESTAMP(3))`,
		r.Run, r.Tenant, r.Phase, r.OldCodebase, r.OldVersion, r.OldSet, r.OldRelease, r.NewCodebase, r.NewVersion, r.NewSet, r.NewRelease))
	if mariadb.IsDuplicate(err) {
		return r, upgradeError(r, ErrOpen)
	}
	return r, upgradeError(r, err)
}

// SetPhase moves an upgrade from the phase of r to another, with the new code,
// backups and error of r, and returns the row as written; it is durable then. The
// upgrade counts as not ended. It is ErrStale when the ledger has another phase, and
// ErrOpen when the upgrade had ended and another one is open.
func (l *Ledger) SetPhase(ctx context.Context, r Upgrade, to Phase) (Upgrade, error) {
	err := l.move(ctx, r, to, false, func(*sql.Tx) error { return nil })
	if err == nil {
		r.Phase, r.Ended = to, sql.NullTime{}
	}
	return r, err
}

// Settled moves an upgrade to the phase Opening and writes, in one transaction, that
// the tenant now runs on its new code for good, and which SQL of the farm it has
// seen, by name.
func (l *Ledger) Settled(ctx context.Context, r Upgrade, applied map[string]string) (Upgrade, error) {
	err := l.move(ctx, r, Opening, false, func(tx *sql.Tx) error {
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
	if err == nil {
		r.Phase = Opening
	}
	return r, err
}

// Unsettled moves an upgrade to the phase Reopening and writes, in one transaction,
// that the tenant runs on its old code again, has not seen the SQL that came with it, and
// lacks nothing that the upgrade left out.
func (l *Ledger) Unsettled(ctx context.Context, r Upgrade) (Upgrade, error) {
	err := l.move(ctx, r, Reopening, false, func(tx *sql.Tx) error {
		if err := runsOn(ctx, tx, r, r.OldCodebase, r.OldVersion, r.OldSet); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE loss SET undone = 1 WHERE tenant = ? AND run = ?`, r.Tenant, r.Run); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM farm_sql WHERE tenant = ? AND run = ?`, r.Tenant, r.Run)
		return err
	})
	if err == nil {
		r.Phase = Reopening
	}
	return r, err
}

func runsOn(ctx context.Context, tx *sql.Tx, r Upgrade, codebase, version, set string) error {
	return one(tx.ExecContext(ctx, `UPDATE tenant SET codebase = ?, version = ?, component_set = ?, run = ?, changed = UTC_TIMESTAMP(3) WHERE name = ?`,
		codebase, version, set, r.Run, r.Tenant))
}

// EndUpgrade moves an upgrade to a last phase, and writes that the wiki can be
// written again.
func (l *Ledger) EndUpgrade(ctx context.Context, r Upgrade, last Phase) (Upgrade, error) {
	err := l.move(ctx, r, last, true, func(*sql.Tx) error { return nil })
	if err == nil {
		r.Phase = last
	}
	return r, err
}

// move changes an upgrade's phase together with something else, if the ledger still
// has the phase of r.
func (l *Ledger) move(ctx context.Context, r Upgrade, to Phase, end bool, also func(*sql.Tx) error) error {
	tx, err := l.db.BeginTx(ctx, nil)
	if err != nil {
		return upgradeError(r, err)
	}
	defer tx.Rollback()
	// The row is locked and compared, as an UPDATE that changes nothing affects none.
	var found Phase
	err = tx.QueryRowContext(ctx, `SELECT phase FROM upgrade WHERE run = ? AND tenant = ? FOR UPDATE`, r.Run, r.Tenant).Scan(&found)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return upgradeError(r, fmt.Errorf("run %s is not there: %w", r.Run, ErrStale))
	case err != nil:
		return upgradeError(r, err)
	case found != r.Phase:
		return upgradeError(r, fmt.Errorf("run %s is %s, and not %s any more: %w", r.Run, found, r.Phase, ErrStale))
	}
	ended := `NULL`
	if end {
		// What a rollback loses counts from when the wiki was opened first.
		ended = `UTC_TIMESTAMP(3), opened = COALESCE(opened, UTC_TIMESTAMP(3))`
	}
	_, err = tx.ExecContext(ctx, `UPDATE upgrade SET phase = ?, new_codebase = ?, new_version = ?, new_set = ?, new_release = ?, backup = NULLIF(?, ''), backup_bytes = ?, error = NULLIF(?, ''),
		undone_by = NULLIF(?, ''), undo_backup = NULLIF(?, ''), ended = `+ended+` WHERE run = ? AND tenant = ?`,
		to, r.NewCodebase, r.NewVersion, r.NewSet, r.NewRelease, r.Backup, r.BackupBytes, r.Error, r.UndoneBy, r.UndoBackup, r.Run, r.Tenant)
	if mariadb.IsDuplicate(err) {
		err = ErrOpen
	}
	if err == nil {
		err = also(tx)
	}
	if err == nil {
		err = tx.Commit()
	}
	return upgradeError(r, err)
}

func upgradeError(r Upgrade, err error) error {
	if err != nil {
		return fmt.Errorf("write the upgrade of %s into the ledger: %w", r.Tenant, err)
	}
	return nil
}

// OpenUpgrades reads the upgrades that were begun and not ended, by tenant.
// Those of tenants whose lock is free were interrupted.
func (l *Ledger) OpenUpgrades(ctx context.Context) (map[string]Upgrade, error) {
	rows, err := l.upgrades(ctx, `WHERE ended IS NULL ORDER BY started`)
	open := map[string]Upgrade{}
	for _, r := range rows {
		open[r.Tenant] = r
	}
	return open, err
}

// OpenUpgrade reads the upgrade of a tenant that was begun and not ended.
func (l *Ledger) OpenUpgrade(ctx context.Context, tenant string) (Upgrade, bool, error) {
	rows, err := l.upgrades(ctx, `WHERE ended IS NULL AND tenant = ? ORDER BY started DESC LIMIT 1`, tenant)
	if err != nil || len(rows) == 0 {
		return Upgrade{}, false, err
	}
	return rows[0], true, nil
}

// LastUpgrades reads the newest upgrade of each tenant, whatever became of it.
func (l *Ledger) LastUpgrades(ctx context.Context) (map[string]Upgrade, error) {
	return l.newest(ctx, `ORDER BY started, run`)
}

// LastUpgraded reads the newest upgrade of each tenant that was not put back since.
func (l *Ledger) LastUpgraded(ctx context.Context) (map[string]Upgrade, error) {
	return l.newest(ctx, `WHERE phase = 'upgraded' ORDER BY started, run`)
}

func (l *Ledger) newest(ctx context.Context, where string) (map[string]Upgrade, error) {
	rows, err := l.upgrades(ctx, where)
	last := map[string]Upgrade{}
	for _, r := range rows {
		last[r.Tenant] = r
	}
	return last, err
}

// UpgradesOf reads all upgrades of a tenant, newest first.
func (l *Ledger) UpgradesOf(ctx context.Context, tenant string) ([]Upgrade, error) {
	return l.upgrades(ctx, `WHERE tenant = ? ORDER BY started DESC, run DESC`, tenant)
}

// Upgrades reads all upgrades of a run, by tenant.
func (l *Ledger) Upgrades(ctx context.Context, run string) ([]Upgrade, error) {
	return l.upgrades(ctx, `WHERE run = ? ORDER BY tenant`, run)
}

func (l *Ledger) upgrades(ctx context.Context, where string, args ...any) ([]Upgrade, error) {
	rows, err := l.db.QueryContext(ctx, `SELECT `+upgradeColumns+` FROM upgrade `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read the upgrades of the ledger: %w", err)
	}
	defer rows.Close()
	var all []Upgrade
	for rows.Next() {
		var r Upgrade
		if err := rows.Scan(r.fields()...); err != nil {
			return nil, fmt.Errorf("read the upgrades of the ledger: %w", err)
		}
		all = append(all, r)
	}
	return all, rows.Err()
}

// History reads every upgrade of every tenant, oldest first, in one query.
func (l *Ledger) History(ctx context.Context) ([]Upgrade, error) {
	return l.upgrades(ctx, `ORDER BY started, tenant`)
}
