package ledger

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"

	"wikictl/tenants/mariadb"
)

// Phase is the progress of a tenant's upgrade. It determines how the next run continues
// an interrupted upgrade.
type Phase string

// The phases of an upgrade. The wiki may be writable only in phases marked "perhaps
// open".
const (
	Begun      Phase = "begun"      // perhaps open; the database is unchanged
	Changing   Phase = "changing"   // the schema is being changed: restore, or continue
	Switching  Phase = "switching"  // the database is upgraded: continue, or restore
	Opening    Phase = "opening"    // perhaps open: committed to the new code
	Undoing    Phase = "undoing"    // perhaps open: a rollback has begun, and the database is unchanged
	Restoring  Phase = "restoring"  // the wiki is being restored: continue restoring
	Reopening  Phase = "reopening"  // perhaps open: committed to the old code
	Kept       Phase = "kept"       // failed, and kept for inspection
	Upgraded   Phase = "upgraded"   // ended, open
	PutBack    Phase = "restored"   // ended, open, as before
	Superseded Phase = "superseded" // ended when an older ledger had two open upgrades; its result is unknown
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
	UndoneBy                        string // run of the rollback that undid it, or is about to
	UndoBackup                      string // file of the dump that the rollback made first, or that is being restored now
}

// Open reports whether the upgrade has not ended.
func (r Upgrade) Open() bool { return !r.Ended.Valid }

// Reloads reports whether the upgraded database comes from the dump UndoBackup, which a
// rollback made, instead of from the updater.
func (r Upgrade) Reloads() bool { return r.UndoBackup != "" && r.UndoneBy == "" }

// Acting returns the run that is at work on an open upgrade, or was interrupted: that of its
// rollback, if one has begun.
func (r Upgrade) Acting() string { return cmp.Or(r.UndoneBy, r.Run) }

// Completion returns the command that completes an open upgrade, or its rollback.
func (r Upgrade) Completion() string {
	if r.UndoneBy != "" {
		return "wikictl rollback " + r.Tenant
	}
	return "wikictl upgrade " + r.Tenant
}

const upgradeColumns = `run, tenant, phase, old_codebase, old_version, old_set, old_release,
	new_codebase, new_version, new_set, new_release, COALESCE(backup, ''), backup_bytes, started, opened, ended, COALESCE(error, ''),
	COALESCE(undone_by, ''), COALESCE(undo_backup, '')`

func (r *Upgrade) fields() []any {
	return []any{&r.Run, &r.Tenant, &r.Phase, &r.OldCodebase, &r.OldVersion, &r.OldSet, &r.OldRelease,
		&r.NewCodebase, &r.NewVersion, &r.NewSet, &r.NewRelease, &r.Backup, &r.BackupBytes, &r.Started, &r.Opened, &r.Ended, &r.Error,
		&r.UndoneBy, &r.UndoBackup}
}

// ErrOpen reports that another upgrade of the tenant is open.
var ErrOpen = errors.New("another upgrade of it is open; wikictl upgrade finishes it, or restores the wiki")

// BeginUpgrade records the start of an upgrade and returns the row as written. It returns
// ErrOpen while another upgrade of the tenant is open. The caller holds the tenant's lock.
func (l *Ledger) BeginUpgrade(ctx context.Context, r Upgrade) (Upgrade, error) {
	r.Phase = Begun
	var number int64 // in a query of its own: an INSERT with it would lock the rows of neighbours
	if err := l.db.QueryRowContext(ctx, `SELECT COALESCE(MAX(number), 0) + 1 FROM upgrade WHERE tenant = ?`, r.Tenant).Scan(&number); err != nil {
		return r, upgradeError(r, err)
	}
	err := one(l.db.ExecContext(ctx, `INSERT INTO upgrade (run, tenant, phase, old_codebase, old_version, old_set, old_release,
		new_codebase, new_version, new_set, new_release, number, started) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, UTC_TIMESTAMP(3))`,
		r.Run, r.Tenant, r.Phase, r.OldCodebase, r.OldVersion, r.OldSet, r.OldRelease, r.NewCodebase, r.NewVersion, r.NewSet, r.NewRelease, number))
	if mariadb.IsDuplicate(err) {
		return r, upgradeError(r, ErrOpen)
	}
	return r, upgradeError(r, err)
}

// SetPhase moves an upgrade from the phase of r to another, durably, with the new code,
// backups and error of r, and returns the row as written. The upgrade counts as open
// afterwards. It returns ErrStale if the ledger has another phase, and ErrOpen if the
// upgrade had ended and another one is open.
func (l *Ledger) SetPhase(ctx context.Context, r Upgrade, to Phase) (Upgrade, error) {
	err := l.move(ctx, r, to, false, func(*sql.Tx) error { return nil })
	if err == nil {
		r.Phase, r.Ended = to, sql.NullTime{}
	}
	return r, err
}

// CommitUpgrade moves an upgrade to the phase Opening and records, in one transaction, that the
// tenant is committed to its new code, and the applied files of the farm's SQL, by name.
func (l *Ledger) CommitUpgrade(ctx context.Context, r Upgrade, applied map[string]string) (Upgrade, error) {
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

// RevertUpgrade moves an upgrade to the phase Reopening and records, in one transaction, that
// the tenant is back on its old code, without the SQL that came with the new one and
// without the upgrade's losses.
func (l *Ledger) RevertUpgrade(ctx context.Context, r Upgrade) (Upgrade, error) {
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

// EndUpgrade moves an upgrade to a final phase and records that the wiki is writable
// again.
func (l *Ledger) EndUpgrade(ctx context.Context, r Upgrade, last Phase) (Upgrade, error) {
	err := l.move(ctx, r, last, true, func(*sql.Tx) error { return nil })
	if err == nil {
		r.Phase = last
	}
	return r, err
}

// move changes an upgrade's phase together with other rows, if the ledger still has the
// phase of r.
func (l *Ledger) move(ctx context.Context, r Upgrade, to Phase, end bool, also func(*sql.Tx) error) error {
	tx, err := l.db.BeginTx(ctx, nil)
	if err != nil {
		return upgradeError(r, err)
	}
	defer tx.Rollback()
	// Lock and compare the row: an UPDATE that changes nothing would affect no row.
	var found Phase
	err = tx.QueryRowContext(ctx, `SELECT phase FROM upgrade WHERE run = ? AND tenant = ? FOR UPDATE`, r.Run, r.Tenant).Scan(&found)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return upgradeError(r, fmt.Errorf("run %s is missing: %w", r.Run, ErrStale))
	case err != nil:
		return upgradeError(r, err)
	case found != r.Phase:
		return upgradeError(r, fmt.Errorf("run %s is now %s instead of %s: %w", r.Run, found, r.Phase, ErrStale))
	}
	ended := `NULL`
	if end {
		// A rollback's losses count from the first opening of the wiki.
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

// OpenUpgrades reads the open upgrades by tenant. Those of tenants whose lock is free
// were interrupted.
func (l *Ledger) OpenUpgrades(ctx context.Context) (map[string]Upgrade, error) {
	rows, err := l.upgrades(ctx, `WHERE ended IS NULL ORDER BY number, started`)
	open := map[string]Upgrade{}
	for _, r := range rows {
		open[r.Tenant] = r
	}
	return open, err
}

// OpenUpgrade reads the open upgrade of a tenant.
func (l *Ledger) OpenUpgrade(ctx context.Context, tenant string) (Upgrade, bool, error) {
	rows, err := l.upgrades(ctx, `WHERE ended IS NULL AND tenant = ? ORDER BY number DESC, started DESC LIMIT 1`, tenant)
	if err != nil || len(rows) == 0 {
		return Upgrade{}, false, err
	}
	return rows[0], true, nil
}

// LastUpgraded reads the newest upgrade of each tenant that has not been undone.
func (l *Ledger) LastUpgraded(ctx context.Context) (map[string]Upgrade, error) {
	rows, err := l.upgrades(ctx, `WHERE phase = 'upgraded' ORDER BY number, started, run`)
	last := map[string]Upgrade{}
	for _, r := range rows {
		last[r.Tenant] = r
	}
	return last, err
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
	return mariadb.Records(rows, (*Upgrade).fields)
}

// History reads every upgrade of every tenant in one query, those of a tenant in the order in
// which they began.
func (l *Ledger) History(ctx context.Context) ([]Upgrade, error) {
	return l.upgrades(ctx, `ORDER BY number, started, tenant`)
}
