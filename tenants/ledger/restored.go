package ledger

import (
	"context"
	"database/sql"
	"fmt"
)

// Restored records, in one transaction, that a tenant in the state Recovering is now r,
// and the applied files of the farm's SQL by name; with seen nil it keeps those.
func (l *Ledger) Restored(ctx context.Context, r Tenant, seen map[string]string) error {
	err := l.transact(ctx, func(tx *sql.Tx) error {
		if seen != nil {
			if _, err := tx.ExecContext(ctx, `DELETE FROM farm_sql WHERE tenant = ?`, r.Name); err != nil {
				return err
			}
		}
		for name, checksum := range seen {
			if _, err := tx.ExecContext(ctx, `INSERT INTO farm_sql (tenant, name, checksum, run) VALUES (?, ?, ?, ?)`, r.Name, name, checksum, r.Run); err != nil {
				return err
			}
		}
		return one(tx.ExecContext(ctx, `UPDATE tenant SET codebase = ?, version = ?, component_set = ?, state = ?, run = ?, changed = UTC_TIMESTAMP(3) WHERE name = ? AND state = ?`,
			r.Codebase, r.Version, r.ComponentSet, r.State, r.Run, r.Name, Recovering))
	})
	if err != nil {
		return fmt.Errorf("record in the ledger that tenant %s is restored: %w", r.Name, err)
	}
	return nil
}
