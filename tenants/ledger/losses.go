package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"wikictl/tenants/mariadb"
)

// Loss is something that an upgrade dropped from a tenant's database.
type Loss struct {
	ID           int64
	Tenant, Run  string
	Table        string // empty: a script reported the loss, and no table lacks rows
	Rows         int64
	What         string // such as "update.php left out 1 block (ipb_id 1)"
	Backup       string // file of the dump that contains it; empty without a dump
	Noted        sql.NullTime
	Acknowledged sql.NullTime
	Acknowledger string
}

// SetChanging moves an upgrade to the phase Changing and stores the census taken before
// it. It keeps the first census: an interrupted upgrade may have changed the database
// since.
func (l *Ledger) SetChanging(ctx context.Context, r Upgrade, census []byte) (Upgrade, error) {
	err := l.move(ctx, r, Changing, false, func(tx *sql.Tx) error {
		if census == nil {
			return nil
		}
		_, err := tx.ExecContext(ctx, `INSERT IGNORE INTO census (tenant, run, counts) VALUES (?, ?, ?)`, r.Tenant, r.Run, census)
		return err
	})
	if err == nil {
		r.Phase, r.Ended = Changing, sql.NullTime{}
	}
	return r, err
}

// Census reads the counts from before an upgrade; nil if there are none.
func (l *Ledger) Census(ctx context.Context, tenant, run string) (census []byte, err error) {
	err = l.db.QueryRowContext(ctx, `SELECT counts FROM census WHERE tenant = ? AND run = ?`, tenant, run).Scan(&census)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("read the counts of %s from the ledger: %w", tenant, err)
	}
	return census, nil
}

// NoteLosses replaces the recorded losses of an upgrade: the updater may run repeatedly.
func (l *Ledger) NoteLosses(ctx context.Context, tenant, run string, list []Loss) error {
	err := l.transact(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM loss WHERE tenant = ? AND run = ?`, tenant, run); err != nil {
			return err
		}
		for _, loss := range list {
			_, err := tx.ExecContext(ctx, `INSERT INTO loss (tenant, run, table_name, row_count, what, backup, noted) VALUES (?, ?, ?, ?, ?, NULLIF(?, ''), UTC_TIMESTAMP(3))`,
				tenant, run, loss.Table, loss.Rows, recordable(loss.What), loss.Backup)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("write the losses of the upgrade of %s into the ledger: %w", tenant, err)
	}
	return nil
}

// ReturnLosses marks the losses of an upgrade as missing again: run restored the database
// that the upgrade had made, from the dump undoBackup of a rollback.
func (l *Ledger) ReturnLosses(ctx context.Context, tenant, run, undoBackup string) error {
	_, err := l.db.ExecContext(ctx, `UPDATE loss SET undone = 0, run = ? WHERE tenant = ? AND run IN (SELECT run FROM upgrade WHERE tenant = ? AND undo_backup = ?)`,
		run, tenant, tenant, undoBackup)
	if err != nil {
		return fmt.Errorf("write the renewed losses of %s into the ledger: %w", tenant, err)
	}
	return nil
}

// Losses reads the losses of all upgrades that have not been undone, oldest first,
// acknowledged or not.
func (l *Ledger) Losses(ctx context.Context) ([]Loss, error) { return l.losses(ctx, ``) }

// LossesOf reads the losses of one upgrade of a tenant.
func (l *Ledger) LossesOf(ctx context.Context, tenant, run string) ([]Loss, error) {
	return l.losses(ctx, ` AND tenant = ? AND run = ?`, tenant, run)
}

func (l *Ledger) losses(ctx context.Context, where string, args ...any) ([]Loss, error) {
	rows, err := l.db.QueryContext(ctx, `SELECT id, tenant, run, table_name, row_count, what, COALESCE(backup, ''), noted, acknowledged, COALESCE(acknowledger, '')
		FROM loss WHERE undone = 0`+where+` ORDER BY id`, args...)
	if err != nil {
		return nil, fmt.Errorf("read the losses of upgrades from the ledger: %w", err)
	}
	return mariadb.Records(rows, func(s *Loss) []any {
		return []any{&s.ID, &s.Tenant, &s.Run, &s.Table, &s.Rows, &s.What, &s.Backup, &s.Noted, &s.Acknowledged, &s.Acknowledger}
	})
}

// Acknowledge marks losses as acknowledged, by id, and returns how many were not before.
func (l *Ledger) Acknowledge(ctx context.Context, ids []int64, who string) (n int64, err error) {
	for _, id := range ids {
		result, err := l.db.ExecContext(ctx, `UPDATE loss SET acknowledged = UTC_TIMESTAMP(3), acknowledger = ? WHERE id = ? AND acknowledged IS NULL`, who, id)
		if err != nil {
			return n, fmt.Errorf("acknowledge losses in the ledger: %w", err)
		}
		one, err := result.RowsAffected()
		if err != nil {
			return n, err
		}
		n += one
	}
	return n, nil
}

// KeepLost adds to the needed dumps those with unacknowledged losses.
func KeepLost(needed map[string]bool, losses []Loss) {
	for _, s := range losses {
		if s.Backup != "" && !s.Acknowledged.Valid {
			needed[s.Backup] = true
		}
	}
}
