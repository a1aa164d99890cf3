package ledger

import (
	"context"
	"database/sql"
	"fmt"

	"wikictl/tenants/mariadb"
)

// Rename renames a tenant in all its rows in one transaction, and moves the paths of its
// dumps to their new folder.
func (l *Ledger) Rename(ctx context.Context, from, to, run, fromDumps, toDumps string) error {
	err := l.transact(ctx, func(tx *sql.Tx) error {
		err := one(tx.ExecContext(ctx, `UPDATE tenant SET name = ?, run = ?, changed = UTC_TIMESTAMP(3) WHERE name = ?`, to, run, from))
		if err != nil {
			return err
		}
		for _, s := range []struct {
			text string
			args []any
		}{
			{`UPDATE upgrade SET backup = CONCAT(?, SUBSTRING(backup, CHAR_LENGTH(?) + 1)) WHERE tenant = ? AND LEFT(backup, CHAR_LENGTH(?)) = ?`,
				[]any{toDumps, fromDumps, from, fromDumps, fromDumps}},
			{`UPDATE upgrade SET undo_backup = CONCAT(?, SUBSTRING(undo_backup, CHAR_LENGTH(?) + 1)) WHERE tenant = ? AND LEFT(undo_backup, CHAR_LENGTH(?)) = ?`,
				[]any{toDumps, fromDumps, from, fromDumps, fromDumps}},
			{`UPDATE loss SET backup = CONCAT(?, SUBSTRING(backup, CHAR_LENGTH(?) + 1)) WHERE tenant = ? AND LEFT(backup, CHAR_LENGTH(?)) = ?`,
				[]any{toDumps, fromDumps, from, fromDumps, fromDumps}},
			{`UPDATE loss SET tenant = ? WHERE tenant = ?`, []any{to, from}},
			{`UPDATE IGNORE jobs_run SET tenant = ? WHERE tenant = ?`, []any{to, from}},
			{`UPDATE tenant_database SET tenant = ? WHERE tenant = ?`, []any{to, from}},
			{`UPDATE census SET tenant = ? WHERE tenant = ?`, []any{to, from}},
			{`UPDATE upgrade SET tenant = ? WHERE tenant = ?`, []any{to, from}},
			{`UPDATE farm_sql SET tenant = ? WHERE tenant = ?`, []any{to, from}},
			{`UPDATE step SET tenant = ? WHERE tenant = ?`, []any{to, from}},
		} {
			if _, err := tx.ExecContext(ctx, s.text, s.args...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("rename tenant %s to %s in the ledger: %w", from, to, err)
	}
	return nil
}

// Forget removes a tenant's rows, but keeps the record of past runs.
func (l *Ledger) Forget(ctx context.Context, name string) error {
	err := l.transact(ctx, func(tx *sql.Tx) error {
		for table := range tenantTables {
			if _, err := tx.ExecContext(ctx, "DELETE FROM "+mariadb.Quote(table)+" WHERE tenant = ?", name); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM tenant WHERE name = ?`, name)
		return err
	})
	if err != nil {
		return fmt.Errorf("remove tenant %s from the ledger: %w", name, err)
	}
	return nil
}

// Returned records, in one transaction, that a removed tenant is back in the state of r,
// with the rows that RowsOf read, and the applied files of the farm's SQL, by name.
func (l *Ledger) Returned(ctx context.Context, r Tenant, rows Rows, seen map[string]string) error {
	err := l.transact(ctx, func(tx *sql.Tx) error {
		if err := l.put(ctx, tx, rows); err != nil {
			return err
		}
		for name, checksum := range seen {
			if _, err := tx.ExecContext(ctx, `INSERT IGNORE INTO farm_sql (tenant, name, checksum, run) VALUES (?, ?, ?, ?)`, r.Name, name, checksum, r.Run); err != nil {
				return err
			}
		}
		return one(tx.ExecContext(ctx, `UPDATE tenant SET state = ?, run = ?, changed = UTC_TIMESTAMP(3) WHERE name = ? AND state = ?`, r.State, r.Run, r.Name, Returning))
	})
	if err != nil {
		return fmt.Errorf("record in the ledger that tenant %s is back: %w", r.Name, err)
	}
	return nil
}

func (l *Ledger) transact(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := l.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := do(tx); err != nil {
		return err
	}
	return tx.Commit()
}
