package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"wikictl/tenants/mariadb"
)

// Close closes the ledger's connections.
func (l *Ledger) Close() error { return l.db.Close() }

// State is how far a tenant has come.
type State string

// The states of a tenant, in order.
const (
	Creating State = "creating" // its database is being made
	Made     State = "made"     // its database is whole
	Ready    State = "ready"    // it was seen to answer through the web server
	Leaving  State = "leaving"  // it is being removed; the run of its row began that

	// Returning is brought back by undelete; the run of its row is the one that
	// removed it.
	Returning State = "returning"

	// Recovering is replaced by a backup, or made from one or from another tenant; the run
	// of its row began that.
	Recovering State = "recovering"
)

// Tenant is what the ledger knows of one tenant.
type Tenant struct {
	Name, Server, Database string
	Codebase               string // the name of the one it runs on
	Version                string // MW_VERSION of that codebase
	ComponentSet           string // the code that its database was made or upgraded for
	State                  State
	Run                    string // that last changed the row
	Changed                time.Time
}

// Tenants reads all rows by name in one query.
func (l *Ledger) Tenants(ctx context.Context) (map[string]Tenant, error) {
	rows, err := l.db.QueryContext(ctx, `SELECT name, server, database_name, codebase, version, component_set, state, run, changed FROM tenant`)
	if err != nil {
		return nil, fmt.Errorf("read the ledger: %w", err)
	}
	defer rows.Close()
	all := map[string]Tenant{}
	for rows.Next() {
		var r Tenant
		if err := rows.Scan(&r.Name, &r.Server, &r.Database, &r.Codebase, &r.Version, &r.ComponentSet, &r.State, &r.Run, &r.Changed); err != nil {
			return nil, fmt.Errorf("read the ledger: %w", err)
		}
		all[r.Name] = r
	}
	return all, rows.Err()
}

// ErrStale means that a row of the ledger is not as it was read: another run has
// changed it, or the person who runs this read it without the tenant's lock.
var ErrStale = errors.New("another run has changed it meanwhile; run this again")

// Claim adds the row of a tenant that the ledger does not have; it is durable when
// Claim returns. The error is ErrStale when the ledger has one.
func (l *Ledger) Claim(ctx context.Context, r Tenant) error {
	_, err := l.db.ExecContext(ctx, `INSERT INTO tenant
		(name, server, database_name, codebase, version, component_set, state, run, changed)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, UTC_TIMESTAMP(3))`,
		r.Name, r.Server, r.Database, r.Codebase, r.Version, r.ComponentSet, r.State, r.Run)
	if mariadb.IsDuplicate(err) {
		err = ErrStale
	}
	return tenantError(r.Name, err)
}

// Advance replaces a row that is still as it was read; it is durable when Advance
// returns. The error is ErrStale when the row is another or gone.
func (l *Ledger) Advance(ctx context.Context, was, r Tenant) error {
	return tenantError(r.Name, one(l.db.ExecContext(ctx, `UPDATE tenant SET server = ?, database_name = ?, codebase = ?, version = ?,
		component_set = ?, state = ?, run = ?, changed = UTC_TIMESTAMP(3)
		WHERE name = ? AND server = ? AND database_name = ? AND component_set = ? AND state = ? AND run = ?`,
		r.Server, r.Database, r.Codebase, r.Version, r.ComponentSet, r.State, r.Run,
		was.Name, was.Server, was.Database, was.ComponentSet, was.State, was.Run)))
}

// executor is a connection pool or a transaction.
type executor interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// one makes a write of other than one row ErrStale. The server counts rows that were
// found, also those that were as wanted (clientFoundRows of the driver).
func one(r sql.Result, err error) error {
	if err != nil {
		return err
	}
	if n, err := r.RowsAffected(); err != nil || n != 1 {
		return errors.Join(ErrStale, err)
	}
	return nil
}

func tenantError(name string, err error) error {
	if err != nil {
		return fmt.Errorf("write tenant %s into the ledger: %w", name, err)
	}
	return nil
}

// SetReady notes that tenants in state Made were seen to answer, and returns by
// name why that could not be noted.
func (l *Ledger) SetReady(ctx context.Context, run string, names []string) map[string]error {
	err := l.transact(ctx, func(tx *sql.Tx) error {
		return errors.Join(slices.Collect(maps.Values(setReady(ctx, tx, run, names)))...)
	})
	if err == nil {
		return nil
	}
	return setReady(ctx, l.db, run, names) // each by itself, as one of them fails
}

func setReady(ctx context.Context, db executor, run string, names []string) map[string]error {
	failed := map[string]error{}
	for _, name := range names {
		err := one(db.ExecContext(ctx, `UPDATE tenant SET state = ?, run = ?, changed = UTC_TIMESTAMP(3)
			WHERE name = ? AND state IN (?, ?)`, Ready, run, name, Made, Ready))
		if err != nil {
			failed[name] = tenantError(name, err)
		}
	}
	return failed
}

// Tenant reads one row; found is false when the ledger has none.
func (l *Ledger) Tenant(ctx context.Context, name string) (r Tenant, found bool, err error) {
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
