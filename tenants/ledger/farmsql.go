package ledger

import (
	"context"
	"fmt"
)

// FarmSQL reads the applied files of the farm's own SQL: tenant to file to checksum.
func (l *Ledger) FarmSQL(ctx context.Context) (map[string]map[string]string, error) {
	return l.farmSQL(ctx, ``)
}

// FarmSQLOf reads the applied files of the farm's own SQL of one tenant: file to
// checksum.
func (l *Ledger) FarmSQLOf(ctx context.Context, tenant string) (map[string]string, error) {
	seen, err := l.farmSQL(ctx, ` WHERE tenant = ?`, tenant)
	return seen[tenant], err
}

func (l *Ledger) farmSQL(ctx context.Context, where string, args ...any) (map[string]map[string]string, error) {
	rows, err := l.db.QueryContext(ctx, `SELECT tenant, name, checksum FROM farm_sql`+where, args...)
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
