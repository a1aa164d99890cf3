package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"wikictl/tenants"
	"wikictl/tenants/mariadb"
)

// Close closes the ledger's connections.
func (l *Ledger) Close() error { return l.db.Close() }

// State is the stage of a tenant's life.
type State string

// The states of a tenant, in order.
const (
	Creating State = "creating" // its database is being created
	Made     State = "made"     // its database is complete
	Ready    State = "ready"    // it has answered through the web server
	Leaving  State = "leaving"  // the run in its row is removing it

	// Returning: undelete is bringing it back; the run in its row is the one that removed
	// it.
	Returning State = "returning"

	// Recovering: the run in its row is replacing or creating it from a backup or from
	// another tenant.
	Recovering State = "recovering"
)

// Tenant is a tenant's row in the ledger.
type Tenant struct {
	Name, Server, Database string
	Codebase               string // name of the one that it runs on
	Version                string // MW_VERSION of that codebase
	ComponentSet           string // of the code that its database was created or upgraded for
	State                  State
	Run                    string // the run that last changed the row
	Changed                time.Time
}

// Copying says of which wiki an unfinished restore makes a tenant a copy; the zero value: it is
// restored from a backup, or that is not known.
type Copying struct {
	Of     string `json:"of"`
	Masked bool   `json:"masked"` // without private data of users
	Staged bool   `json:"-"`      // by stage, not by clone
}

// Completion returns the command that completes what was interrupted in the tenant's state,
// or "" for a ready one. c is of a tenant in the state Recovering.
func (t Tenant) Completion(c Copying) string {
	switch {
	case t.State == Leaving || t.State == Returning:
		return "wikictl undelete " + t.Name
	case t.State == Recovering:
		return c.completion(t.Name)
	case t.State == Ready:
		return ""
	}
	return "wikictl create " + t.Name
}

func (c Copying) completion(name string) string {
	switch {
	case c.Of == "":
		return "wikictl restore " + name
	case c.Staged && c.Masked:
		return fmt.Sprintf("wikictl stage %s --as %s", c.Of, name)
	case c.Staged:
		return fmt.Sprintf("wikictl stage %s --as %s --with-users", c.Of, name)
	case c.Masked:
		return fmt.Sprintf("wikictl clone %s %s --anonymize", c.Of, name)
	}
	return fmt.Sprintf("wikictl clone %s %s", c.Of, name)
}

// HolderOf returns the name under which rows have a tenant's database, if that is another one: the
// tenant is to be renamed.
func HolderOf(t *tenants.Tenant, rows map[string]Tenant) string {
	if _, known := rows[t.Name]; known || t.Server == nil {
		return ""
	}
	for name, r := range rows {
		if r.Server == t.Server.Name && r.Database == t.Database {
			return name
		}
	}
	return ""
}

// NotCreated says that rows lack a tenant, and the command that makes or renames it.
func NotCreated(t *tenants.Tenant, rows map[string]Tenant) string {
	if other := HolderOf(t, rows); other != "" {
		return fmt.Sprintf("the ledger has its database as that of %s; wikictl apply %s renames it", other, t.Name)
	}
	return "it is not created yet; wikictl create " + t.Name
}

// Tenants reads all tenants by name in one query.
func (l *Ledger) Tenants(ctx context.Context) (map[string]Tenant, error) {
	rows, err := l.db.QueryContext(ctx, `SELECT name, server, database_name, codebase, version, component_set, state, run, changed FROM tenant`)
	if err != nil {
		return nil, fmt.Errorf("read the ledger: %w", err)
	}
	list, err := mariadb.Records(rows, func(r *Tenant) []any {
		return []any{&r.Name, &r.Server, &r.Database, &r.Codebase, &r.Version, &r.ComponentSet, &r.State, &r.Run, &r.Changed}
	})
	if err != nil {
		return nil, fmt.Errorf("read the ledger: %w", err)
	}
	all := make(map[string]Tenant, len(list))
	for _, r := range list {
		all[r.Name] = r
	}
	return all, nil
}

// ErrStale reports that a row of the ledger has changed since it was read: another run
// changed it, or the caller read it without the tenant's lock.
var ErrStale = errors.New("another run has changed it meanwhile; run this again")

// Claim inserts a tenant's row durably. It returns ErrStale if the ledger has the tenant
// already.
func (l *Ledger) Claim(ctx context.Context, r Tenant) error {
	_, err := l.db.ExecContext(ctx, `INSERT INTO tenant
		(name, server, database_name, codebase, version, component_set, state, run, changed)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, UTC_TIMESTAMP(3))`,
		r.Name, r.Server, r.Database, r.Codebase, r.Version, r.ComponentSet, r.State, r.Run)
	if mariadb.IsDuplicate(err) {
		err = ErrStale
	}
	return writeError("tenant "+r.Name, err)
}

// Advance replaces a row durably if it is still as it was read. It returns ErrStale if
// the row has changed or is missing.
func (l *Ledger) Advance(ctx context.Context, was, r Tenant) error {
	return writeError("tenant "+r.Name, advance(ctx, l.db, was, r))
}

// AdvanceWith is Advance that also records, in one transaction, the files of the farm's
// own SQL that were applied to the tenant's new database: checksums by name.
func (l *Ledger) AdvanceWith(ctx context.Context, was, r Tenant, applied map[string]string) error {
	return writeError("tenant "+r.Name, l.transact(ctx, func(tx *sql.Tx) error {
		if err := advance(ctx, tx, was, r); err != nil {
			return err
		}
		for name, checksum := range applied {
			if _, err := tx.ExecContext(ctx, `REPLACE INTO farm_sql (tenant, name, checksum, run) VALUES (?, ?, ?, ?)`, r.Name, name, checksum, r.Run); err != nil {
				return err
			}
		}
		return nil
	}))
}

func advance(ctx context.Context, db executor, was, r Tenant) error {
	return one(db.ExecContext(ctx, `UPDATE tenant SET server = ?, database_name = ?, codebase = ?, version = ?,
		component_set = ?, state = ?, run = ?, changed = UTC_TIMESTAMP(3)
		WHERE name = ? AND server = ? AND database_name = ? AND component_set = ? AND state = ? AND run = ?`,
		r.Server, r.Database, r.Codebase, r.Version, r.ComponentSet, r.State, r.Run,
		was.Name, was.Server, was.Database, was.ComponentSet, was.State, was.Run))
}

// executor is a connection pool or a transaction.
type executor interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// one returns ErrStale unless a write found exactly one row. The server counts the rows
// found, even if they did not change (the driver's clientFoundRows).
func one(r sql.Result, err error) error {
	if err != nil {
		return err
	}
	if n, err := r.RowsAffected(); err != nil || n != 1 {
		return errors.Join(ErrStale, err)
	}
	return nil
}

// writeError names the row that could not be written, such as "tenant alpha".
func writeError(row string, err error) error {
	if err != nil {
		return fmt.Errorf("write %s into the ledger: %w", row, err)
	}
	return nil
}

// SetReady moves tenants from the state Made to Ready, and returns the errors by name.
func (l *Ledger) SetReady(ctx context.Context, run string, names []string) map[string]error {
	err := l.transact(ctx, func(tx *sql.Tx) error {
		return errors.Join(slices.Collect(maps.Values(setReady(ctx, tx, run, names)))...)
	})
	if err == nil {
		return nil
	}
	return setReady(ctx, l.db, run, names) // separately, as one of them fails
}

func setReady(ctx context.Context, db executor, run string, names []string) map[string]error {
	failed := map[string]error{}
	for _, name := range names {
		err := one(db.ExecContext(ctx, `UPDATE tenant SET state = ?, run = ?, changed = UTC_TIMESTAMP(3)
			WHERE name = ? AND state IN (?, ?)`, Ready, run, name, Made, Ready))
		if err != nil {
			failed[name] = writeError("tenant "+name, err)
		}
	}
	return failed
}

// Tenant reads one tenant; found is false if the ledger has none of that name.
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
