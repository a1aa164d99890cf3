package ledger

import (
	"context"
	"errors"
	"fmt"

	"wikictl/tenants/mariadb"
)

// Database is a further database of a tenant.
type Database struct {
	Server, Name string
	Tenant       string
	Made         bool // it was made; false: a run has begun to make it
}

// Databases reads the further databases of all tenants.
func (l *Ledger) Databases(ctx context.Context) ([]Database, error) {
	return l.databases(ctx, ``)
}

// DatabasesOf reads the further databases of one tenant.
func (l *Ledger) DatabasesOf(ctx context.Context, tenant string) ([]Database, error) {
	return l.databases(ctx, ` WHERE tenant = ?`, tenant)
}

func (l *Ledger) databases(ctx context.Context, where string, args ...any) ([]Database, error) {
	rows, err := l.db.QueryContext(ctx, `SELECT server, database_name, tenant, made FROM tenant_database`+where+` ORDER BY server, database_name`, args...)
	if err != nil {
		return nil, fmt.Errorf("read further databases from the ledger: %w", err)
	}
	return mariadb.Records(rows, func(d *Database) []any { return []any{&d.Server, &d.Name, &d.Tenant, &d.Made} })
}

// MadeDatabases returns the names of the databases that were made.
func MadeDatabases(list []Database) (names []string) {
	for _, d := range list {
		if d.Made {
			names = append(names, d.Name)
		}
	}
	return names
}

// ClaimDatabase records that a tenant's further database is about to be made. It fails if the
// database is another tenant's in the ledger.
func (l *Ledger) ClaimDatabase(ctx context.Context, d Database, run string) error {
	_, err := l.db.ExecContext(ctx, `INSERT INTO tenant_database (server, database_name, tenant, run) VALUES (?, ?, ?, ?)`, d.Server, d.Name, d.Tenant, run)
	if mariadb.IsDuplicate(err) {
		var owner string
		err = l.db.QueryRowContext(ctx, `SELECT tenant FROM tenant_database WHERE server = ? AND database_name = ?`, d.Server, d.Name).Scan(&owner)
		if err == nil && owner != d.Tenant {
			err = errors.New("it is tenant " + owner + "'s in the ledger")
		}
	}
	return writeError("database "+d.Name, err)
}

// DatabaseMade records that a claimed database exists.
func (l *Ledger) DatabaseMade(ctx context.Context, d Database) error {
	return writeError("database "+d.Name, one(l.db.ExecContext(ctx, `UPDATE tenant_database SET made = 1 WHERE server = ? AND database_name = ? AND tenant = ?`, d.Server, d.Name, d.Tenant)))
}

// ForgetDatabase removes the row of a further database that is gone.
func (l *Ledger) ForgetDatabase(ctx context.Context, d Database) error {
	_, err := l.db.ExecContext(ctx, `DELETE FROM tenant_database WHERE server = ? AND database_name = ? AND tenant = ?`, d.Server, d.Name, d.Tenant)
	return writeError("database "+d.Name, err)
}
