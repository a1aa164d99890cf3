package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"

	"wikictl/tenants/mariadb"
)

// tenantTables lists the ledger's tables with rows of a tenant, other than the tenant's
// row and the record of runs, each with the condition for closed rows.
var tenantTables = map[string]string{"upgrade": "ended IS NOT NULL", "loss": "TRUE", "census": "TRUE", "farm_sql": "TRUE", "jobs_run": "TRUE", "tenant_database": "TRUE"}

// Rows holds a tenant's rows in the ledger other than its own row: by table, each row by
// column. A nil value is NULL.
type Rows map[string][]map[string]*string

// RowsOf reads the rows of a tenant for a later Returned, without open upgrades.
func (l *Ledger) RowsOf(ctx context.Context, tenant string) (Rows, error) {
	all := Rows{}
	for table, over := range tenantTables {
		columns, err := l.plainColumns(ctx, table)
		if err != nil {
			return nil, fmt.Errorf("read the rows of %s from the ledger: %w", tenant, err)
		}
		texts := make([]string, len(columns)) // the driver would change the format of times
		for i, name := range columns {
			texts[i] = "CAST(" + mariadb.Quote(name) + " AS CHAR)"
		}
		rows, err := l.db.QueryContext(ctx, "SELECT "+strings.Join(texts, ", ")+" FROM "+mariadb.Quote(table)+" WHERE tenant = ? AND "+over, tenant)
		if err != nil {
			return nil, fmt.Errorf("read the rows of %s from the ledger: %w", tenant, err)
		}
		if all[table], err = scanRows(rows, columns); err != nil {
			return nil, fmt.Errorf("read the rows of %s from the ledger: %w", tenant, err)
		}
	}
	return all, nil
}

// plainColumns lists the columns of a ledger table without generated ones.
func (l *Ledger) plainColumns(ctx context.Context, table string) ([]string, error) {
	rows, err := l.db.QueryContext(ctx, `SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?
		AND EXTRA NOT LIKE '%auto_increment%' AND EXTRA NOT LIKE '%GENERATED%' ORDER BY ORDINAL_POSITION`, l.Database, table)
	if err != nil {
		return nil, err
	}
	return mariadb.Column[string](rows)
}

// scanRows reads rows as texts.
func scanRows(rows *sql.Rows, columns []string) (all []map[string]*string, err error) {
	defer rows.Close()
	values, into := make([]sql.NullString, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		row := map[string]*string{}
		for i, name := range columns {
			row[name] = nil
			if value := values[i]; value.Valid {
				row[name] = &value.String
			}
		}
		all = append(all, row)
	}
	return all, rows.Err()
}

// put writes rows into the ledger. It skips unknown columns: another version of wikictl
// may have read the rows.
func (l *Ledger) put(ctx context.Context, tx *sql.Tx, rows Rows) error {
	for table := range tenantTables {
		columns, err := l.plainColumns(ctx, table)
		if err != nil {
			return err
		}
		for _, row := range rows[table] {
			names := slices.DeleteFunc(slices.Sorted(maps.Keys(row)), func(name string) bool { return !slices.Contains(columns, name) })
			args := make([]any, len(names))
			for i, name := range names {
				args[i] = row[name]
			}
			marks := strings.TrimSuffix(strings.Repeat("?, ", len(names)), ", ")
			if _, err := tx.ExecContext(ctx, "INSERT IGNORE INTO "+mariadb.Quote(table)+" ("+quoteAll(names)+") VALUES ("+marks+")", args...); err != nil {
				return err
			}
		}
	}
	return nil
}

// quoteAll returns a list of quoted names.
func quoteAll(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = mariadb.Quote(name)
	}
	return strings.Join(quoted, ", ")
}
