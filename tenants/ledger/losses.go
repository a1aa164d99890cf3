package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Loss is something that an upgrade left out of a tenant's database.
type Loss struct {
	ID           int64
	Tenant, Run  string
	Table        string // empty: a script said so, and no table lacks rows
	Rows         int64
	What         string // such as "update.php left out 1 block (ipb_id 1)"
	Backup       string // file of the dump that has it; empty without one
	Noted        sql.NullTime
	Acknowledged sql.NullTime
	Acknowledger string
}

// SetChanging moves an upgrade to the phase Changing, with the census of before it: the
// first one counts, as an interrupted upgrade may have changed the database since.
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

// Census reads what was counted before an upgrade; nil when nothing was.
func (l *Ledger) Census(ctx context.Context, tenant, run string) (census []byte, err error) {
	err = l.db.QueryRowContext(ctx, `SELECT counts FROM census WHERE tenant = ? AND run = ?`, tenant, run).Scan(&census)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("read the counts of %s from the ledger: %w", tenant, err)
	}
	return census, nil
}

// NoteLosses writes what an upgrade left out, in the place of what was written of it
// before: the updater may run again.
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
		return fmt.Errorf("write what the upgrade of %s left out into the ledger: %w", tenant, err)
	}
	return nil
}

// ReturnLosses says that what an upgrade left out is missing again, as run brought back the
// database that it made, from the dump that a rollback wrote to undoBackup.
func (l *Ledger) ReturnLosses(ctx context.Context, tenant, run, undoBackup string) error {
	_, err := l.db.ExecContext(ctx, `UPDATE loss SET undone = 0, run = ? WHERE tenant = ? AND run IN (SELECT run FROM upgrade WHERE tenant = ? AND undo_backup = ?)`,
		run, tenant, tenant, undoBackup)
	if err != nil {
		return fmt.Errorf("write what is missing of %s again into the ledger: %w", tenant, err)
	}
	return nil
}

// Losses reads what upgrades left out and is missing still, oldest first, acknowledged or
// not.
func (l *Ledger) Losses(ctx context.Context) ([]Loss, error) { return l.losses(ctx, ``) }

// LossesOf reads what one upgrade of a tenant left out.
func (l *Ledger) LossesOf(ctx context.Context, tenant, run string) ([]Loss, error) {
	return l.losses(ctx, ` AND tenant = ? AND run = ?`, tenant, run)
}

func (l *Ledger) losses(ctx context.Context, where string, args ...any) ([]Loss, error) {
	rows, err := l.db.QueryContext(ctx, `SELECT id, tenant, run, table_name, row_count, what, COALESCE(backup, ''), noted, acknowledged, COALESCE(acknowledger, '')
		FROM loss WHERE undone = 0`+where+` ORDER BY id`, args...)
	if err != nil {
		return nil, fmt.Errorf("read what upgrades left out from the ledger: %w", err)
	}
	defer rows.Close()
	var list []Loss
	for rows.Next() {
		var s Loss
		if err := rows.Scan(&s.ID, &s.Tenant, &s.Run, &s.Table, &s.Rows, &s.What, &s.Backup, &s.Noted, &s.Acknowledged, &s.Acknowledger); err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, rows.Err()
}

// Acknowledge writes that somebody has taken note of losses, by their ids, and returns how
// many of them were not acknowledged before.
func (l *Ledger) Acknowledge(ctx context.Context, ids []int64, who string) (n int64, err error) {
	for _, id := range ids {
		result, err := l.db.ExecContext(ctx, `UPDATE loss SET acknowledged = UTC_TIMESTAMP(3), acknowledger = ? WHERE id = ? AND acknowledged IS NULL`, who, id)
		if err != nil {
			return n, fmt.Errorf("acknowledge what an upgrade left out in the ledger: %w", err)
		}
		one, err := result.RowsAffected()
		if err != nil {
			return n, err
		}
		n += one
	}
	return n, nil
}

// KeepLost adds to the needed dumps those that have what an upgrade left out, until it is
// acknowledged.
func KeepLost(needed map[string]bool, losses []Loss) {
	for _, s := range losses {
		if s.Backup != "" && !s.Acknowledged.Valid {
			needed[s.Backup] = true
		}
	}
}
