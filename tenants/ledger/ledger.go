// Package ledger stores a farm's records in its own database: its tenants, runs, steps,
// lock sessions and upgrades. Conditional writes claim rows, and a ledger never shows
// other farms' rows.
package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"wikictl/migrations"
	"wikictl/tenants/mariadb"
)

// Ledger is a farm's own database: the tenants that wikictl has created, and a record of
// every run.
type Ledger struct {
	Database string // its name

	server *mariadb.Server
	db     *sql.DB
}

// Open opens a farm's ledger on its server, and creates or migrates it first if
// necessary. If it must not be written, the error wraps ErrLostIdentity or ErrVersion.
func Open(ctx context.Context, s *mariadb.Server, f Farm) (l *Ledger, err error) {
	err = locked(ctx, s, func(conn *sql.Conn) error {
		database, err := ensure(ctx, s, conn, f)
		if err != nil {
			return fmt.Errorf("ledger on server %s: %w", s.Name, err)
		}
		l, err = connect(ctx, s, database)
		return err
	})
	return l, err
}

// locked calls do with a connection that holds the lock of all ledgers on a server.
func locked(ctx context.Context, s *mariadb.Server, do func(*sql.Conn) error) error {
	conn, err := s.Dedicated(ctx, "", false)
	if err != nil {
		return err
	}
	defer conn.Close()
	var got sql.NullInt64
	if err := conn.QueryRowContext(ctx, "SELECT GET_LOCK('wikictl ledger', 60)").Scan(&got); err != nil {
		return fmt.Errorf("ledger on server %s: %w", s.Name, err)
	}
	if got.Int64 != 1 {
		return fmt.Errorf("ledger on server %s: another wikictl has held its lock for a minute", s.Name)
	}
	return do(conn.Conn)
}

// connect connects to an existing, up-to-date ledger.
func connect(ctx context.Context, s *mariadb.Server, database string) (*Ledger, error) {
	db, err := s.Pool(database, 8, 0)
	if err == nil {
		err = db.PingContext(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("ledger on server %s: %w", s.Name, err)
	}
	return &Ledger{Database: database, server: s, db: db}, nil
}

// ensure creates or migrates a farm's ledger and returns its name.
func ensure(ctx context.Context, s *mariadb.Server, conn *sql.Conn, f Farm) (string, error) {
	found, err := findLedgers(ctx, s)
	if err != nil {
		return "", err
	}
	if f.Keep != nil {
		if err := found.lost(f, s.Name); err != nil {
			return "", err
		}
		if err := f.Keep(); err != nil {
			return "", err
		}
	}
	s.SetFarm(f.ID)
	database, exists := found.place(f)
	if !exists {
		if err := f.missing(ctx); err != nil {
			return "", err
		}
		if err := s.EnsureDatabase(ctx, database); err != nil {
			return "", err
		}
	}
	if _, err := conn.ExecContext(ctx, "USE "+mariadb.Quote(database)); err != nil {
		return "", err
	}
	if err := upToDate(ctx, conn); err != nil {
		return "", err
	}
	if err := claim(ctx, conn, f); err != nil {
		return "", err
	}
	if !exists {
		if err := s.MarkDatabase(ctx, database); err != nil {
			return "", err
		}
	}
	if names := found.owned(f); database != mariadb.LedgerDatabase && len(names) > 0 {
		return database, adopt(ctx, conn, names)
	}
	return database, nil
}

// upToDate applies the missing migrations to the database of conn. It fails if a newer
// wikictl has migrated it.
func upToDate(ctx context.Context, conn *sql.Conn) error {
	var begun int
	err := conn.QueryRowContext(ctx, `SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ?`, migrations.Table).Scan(&begun)
	if err != nil {
		return err
	}
	if begun > 0 {
		if _, err := compare(ctx, conn); err != nil {
			return err
		}
	}
	_, err = migrations.Apply(ctx, conn, migrations.Control(), true)
	return err
}

// compare returns the migrations that a ledger lacks. The error wraps ErrVersion if the
// ledger has unknown ones.
func compare(ctx context.Context, conn *sql.Conn) (missing []string, err error) {
	missing, unknown, err := migrations.Compare(ctx, conn, migrations.Control())
	if err != nil {
		return nil, err
	}
	if len(unknown) > 0 {
		return nil, fmt.Errorf("%w: a newer one (%s); use that one, nothing was changed", ErrVersion, strings.Join(unknown, ", "))
	}
	return missing, nil
}

// claim records the owner of the ledger.
func claim(ctx context.Context, conn *sql.Conn, f Farm) error {
	var now mariadb.FarmRow
	err := conn.QueryRowContext(ctx, `SELECT id, dir, machine FROM farm`).Scan(&now.ID, &now.Dir, &now.Machine)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		_, err = conn.ExecContext(ctx, `INSERT INTO farm (id, dir, machine, since) VALUES (?, ?, ?, UTC_TIMESTAMP(3))`, f.ID, f.Dir, f.Machine)
	case err == nil && now.ID != f.ID:
		err = fmt.Errorf("it belongs to %s", now)
	case err == nil && (now.Dir != f.Dir || now.Machine != f.Machine):
		_, err = conn.ExecContext(ctx, `UPDATE farm SET dir = ?, machine = ? WHERE id = ?`, f.Dir, f.Machine, f.ID)
	}
	return err
}

// old lists the tables in which version 0.1.0 mixed rows of several farms, with the
// columns to copy and the column that has the tenant.
var old = []struct{ table, tenant, columns string }{
	{"upgrade", "tenant", `run, tenant, phase, old_codebase, old_version, old_set, old_release, new_codebase, new_version, new_set,
		new_release, backup, backup_bytes, started, opened, ended, error`},
	{"farm_sql", "tenant", `tenant, name, checksum, run`},
	{"tenant", "name", `name, server, database_name, codebase, version, component_set, state, run, changed`},
}

// adopt moves the rows of a farm's tenants from version 0.1.0's ledger into its own, with
// the runs of their upgrades. Other farms' rows stay.
func adopt(ctx context.Context, conn *sql.Conn, names []string) error {
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	from := mariadb.Quote(mariadb.LedgerDatabase)
	for _, name := range names {
		_, err := tx.ExecContext(ctx, `INSERT IGNORE INTO run (id, command, holder, started, finished, done, same, failed, skipped)
			SELECT id, command, holder, started, finished, done, same, failed, skipped FROM `+from+`.run
			WHERE id IN (SELECT run FROM `+from+`.upgrade WHERE tenant = ?)`, name)
		if err != nil {
			return fmt.Errorf("take over tenant %s: %w", name, err)
		}
		_, err = tx.ExecContext(ctx, `UPDATE `+from+`.upgrade o JOIN `+from+`.upgrade n ON n.tenant = o.tenant AND n.ended IS NULL AND (n.started, n.run) > (o.started, o.run)
			SET o.ended = UTC_TIMESTAMP(3), o.phase = 'superseded' WHERE o.ended IS NULL AND o.tenant = ?`, name) // as in the migration that allows a single open upgrade
		if err != nil {
			return fmt.Errorf("take over tenant %s: %w", name, err)
		}
		for _, t := range old {
			for _, text := range []string{
				`INSERT INTO ` + t.table + ` (` + t.columns + `) SELECT ` + t.columns + ` FROM ` + from + `.` + t.table + ` WHERE ` + t.tenant + ` = ?`,
				`DELETE FROM ` + from + `.` + t.table + ` WHERE ` + t.tenant + ` = ?`,
			} {
				if _, err := tx.ExecContext(ctx, text, name); err != nil {
					return fmt.Errorf("take over tenant %s: %w", name, err)
				}
			}
		}
	}
	return tx.Commit()
}

// Read opens a farm's ledger without creating or migrating it or taking a lock. The error
// wraps fs.ErrNotExist if the farm has no ledger, and ErrVersion if it is of an older or
// newer wikictl.
func Read(ctx context.Context, s *mariadb.Server, f Farm) (*Ledger, error) {
	database, err := readable(ctx, s, f)
	if err != nil {
		return nil, fmt.Errorf("ledger on server %s: %w", s.Name, err)
	}
	return connect(ctx, s, database)
}

// readable returns the database of a farm's ledger, which must exist and be up to date.
func readable(ctx context.Context, s *mariadb.Server, f Farm) (string, error) {
	found, err := findLedgers(ctx, s)
	if err != nil {
		return "", err
	}
	const older = "%w: an older one; run any command that writes once (wikictl create …) to bring it up to date"
	s.SetFarm(f.ID)
	database, exists := found.place(f)
	if exists {
		conn, err := s.Dedicated(ctx, database, false)
		if err != nil {
			return "", err
		}
		defer conn.Close()
		missing, err := compare(ctx, conn.Conn)
		if err == nil && len(missing) > 0 {
			err = fmt.Errorf(older, ErrVersion)
		}
		return database, err
	}
	if len(found.owned(f)) > 0 {
		return "", fmt.Errorf(older, ErrVersion)
	}
	if err := f.missing(ctx); err != nil {
		return "", err
	}
	if f.ID == "" {
		if err := found.lost(f, s.Name); err != nil {
			return "", err
		}
	}
	return "", fmt.Errorf("%w: no wiki of this farm was created yet", fs.ErrNotExist)
}
