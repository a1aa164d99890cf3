// Package migrations updates a database by ordered files of SQL. It applies each file
// once and records its checksum. It knows nothing of tenants or servers: it takes a
// connection and a file system.
package migrations

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
)

// Every statement of control can be repeated, so a killed wikictl leaves nothing to
// repair by hand.
//
//go:embed control/*.sql
var control embed.FS

// Control is the SQL of wikictl's own database, the ledger.
func Control() fs.FS {
	sub, err := fs.Sub(control, "control")
	if err != nil {
		panic(err) // the folder is embedded above
	}
	return sub
}

// ErrChanged means that a file was changed after it was applied, ErrHalf that an earlier
// run began it and did not finish. Errors of Apply wrap them.
var (
	ErrChanged = errors.New("was changed after it was applied")
	ErrHalf    = errors.New("was begun and not ended")
)

// Table is the name of the table with the record of applied files.
const Table = "wikictl_migration"

// table is the record of applied files, in the database to which they are applied.
const table = `CREATE TABLE IF NOT EXISTS ` + Table + ` (
  name     VARCHAR(190) NOT NULL PRIMARY KEY,
  checksum CHAR(64)     NOT NULL,
  ended    DATETIME(3)  NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin`

// Apply runs the *.sql files at the root of files that were not applied to the database
// of conn yet, in order of name, and returns their names. It records a file before its
// first statement and again after its last, because DDL can't be undone. A file that was
// changed or not finished is an error; an unfinished repeatable file is run again
// instead. The caller holds a lock, so that no other process applies files at the same
// time.
func Apply(ctx context.Context, conn *sql.Conn, files fs.FS, repeatable bool) ([]string, error) {
	if _, err := conn.ExecContext(ctx, table); err != nil {
		return nil, fmt.Errorf("create the table wikictl_migration: %w", err)
	}
	seen, err := applied(ctx, conn)
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return nil, err
	}
	var done []string
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return done, err
		}
		sum := sha256.Sum256(text)
		fresh, err := seen.check(name, hex.EncodeToString(sum[:]), repeatable)
		if err != nil {
			return done, err
		}
		if !fresh {
			continue
		}
		if err := applyFile(ctx, conn, name, string(text), hex.EncodeToString(sum[:])); err != nil {
			return done, fmt.Errorf("%s: %w", name, err)
		}
		done = append(done, name)
	}
	return done, nil
}

// Compare returns the names of the files that were not completely applied to a database,
// and of applied files that are not among files: those of a newer program.
func Compare(ctx context.Context, conn *sql.Conn, files fs.FS) (missing, unknown []string, err error) {
	seen, err := applied(ctx, conn)
	if err != nil {
		return nil, nil, err
	}
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return nil, nil, err
	}
	for _, name := range names {
		if !seen[name].ended {
			missing = append(missing, name)
		}
		delete(seen, name)
	}
	return missing, slices.Sorted(maps.Keys(seen)), nil
}

// history is the record of applied files: checksums by name, and whether each was
// finished.
type history map[string]struct {
	checksum string
	ended    bool
}

func applied(ctx context.Context, conn *sql.Conn) (history, error) {
	rows, err := conn.QueryContext(ctx, `SELECT name, checksum, ended IS NOT NULL FROM wikictl_migration`)
	if err != nil {
		return nil, fmt.Errorf("read the table wikictl_migration: %w", err)
	}
	defer rows.Close()
	h := history{}
	for rows.Next() {
		var name string
		entry := h[""]
		if err := rows.Scan(&name, &entry.checksum, &entry.ended); err != nil {
			return nil, err
		}
		h[name] = entry
	}
	return h, rows.Err()
}

// check reports whether a file must be applied.
func (h history) check(name, checksum string, repeatable bool) (bool, error) {
	entry, seen := h[name]
	switch {
	case !seen, !entry.ended && repeatable:
		return true, nil
	case !entry.ended:
		return false, fmt.Errorf("%s %w; finish it by hand, then set ended in wikictl_migration", name, ErrHalf)
	case entry.checksum != checksum:
		return false, fmt.Errorf("%s %w; restore the file and add a new one", name, ErrChanged)
	}
	return false, nil
}

func applyFile(ctx context.Context, conn *sql.Conn, name, text, checksum string) error {
	if _, err := conn.ExecContext(ctx, `REPLACE INTO wikictl_migration (name, checksum) VALUES (?, ?)`, name, checksum); err != nil {
		return err
	}
	statements, err := Split(text)
	if err != nil {
		return err
	}
	for _, s := range statements {
		if _, err := conn.ExecContext(ctx, s); err != nil {
			first, _, _ := strings.Cut(s, "\n")
			return fmt.Errorf("%s: %w", first, err)
		}
	}
	_, err = conn.ExecContext(ctx, `UPDATE wikictl_migration SET ended = UTC_TIMESTAMP(3) WHERE name = ?`, name)
	return err
}
