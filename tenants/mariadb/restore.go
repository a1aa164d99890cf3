package mariadb

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/go-sql-driver/mysql"
	"github.com/klauspost/compress/zstd"

	"wikictl/tenants/backup"
)

// Restore replaces a database, and further ones that the dump has, and drops everything
// else in them. It touches no other database, and compares the result with the dump's
// description. AUTO_INCREMENT continues from its current values. It drops nothing if the
// dump would not fit. It calls certain right before it drops anything, to check that the
// caller may still do so. It can be repeated after an interruption.
func (s *Server) Restore(ctx context.Context, b *backup.Dump, certain func() error) error {
	if err := b.Verify(); err != nil {
		return err
	}
	for _, one := range b.All() {
		if err := s.notAnothers(ctx, one.Database); err != nil {
			return fmt.Errorf("restore %q: %w", one.Database, err)
		}
	}
	if err := s.Fits(ctx, b); err != nil {
		return fmt.Errorf("restore %q: %w", b.Database, err)
	}
	if err := certain(); err != nil { // before StopWork kills its connections
		return fmt.Errorf("restore %q: nothing was dropped: %w", b.Database, err)
	}
	for _, one := range b.All() {
		if err := s.evict(ctx, one.Database, b.Restore != nil); err != nil {
			return err
		}
	}
	if err := s.keepNumbers(ctx, b); err != nil {
		return fmt.Errorf("restore %q: %w", b.Database, err)
	}
	if err := certain(); err != nil {
		return fmt.Errorf("restore %q: nothing was dropped: %w", b.Database, err)
	}
	for _, one := range b.All() {
		if err := s.restoreOne(ctx, one); err != nil {
			return fmt.Errorf("restore %q: %w", one.Database, err)
		}
	}
	return nil
}

// restoreOne replaces one database.
func (s *Server) restoreOne(ctx context.Context, b *backup.Dump) error {
	for _, step := range []func(context.Context, *backup.Dump) error{s.remake, s.load, s.compare, s.goOnFrom} {
		if err := step(ctx, b); err != nil {
			return err
		}
	}
	return nil
}

// keepNumbers records the current AUTO_INCREMENT values in the dump's description before
// the database is dropped.
func (s *Server) keepNumbers(ctx context.Context, b *backup.Dump) error {
	for _, one := range b.All() {
		now, err := s.numbers(ctx, one.Database)
		if err != nil {
			return err
		}
		if one.Numbers == nil {
			one.Numbers = map[string]uint64{}
		}
		for table, n := range now {
			one.Numbers[table] = max(one.Numbers[table], n)
		}
	}
	return b.DescribeInFile()
}

// goOnFrom sets AUTO_INCREMENT of a restored database so that no number is used twice.
func (s *Server) goOnFrom(ctx context.Context, b *backup.Dump) error {
	now, err := s.numbers(ctx, b.Database)
	if err != nil {
		return err
	}
	for table, n := range now {
		if b.Numbers[table] <= n {
			continue
		}
		alter := fmt.Sprintf("/*M! SET STATEMENT innodb_strict_mode = 0 FOR */ ALTER TABLE %s.%s AUTO_INCREMENT = %d", Quote(b.Database), Quote(table), b.Numbers[table])
		if _, err := s.db.ExecContext(ctx, alter); err != nil {
			return fmt.Errorf("%s: %w", alter, err)
		}
	}
	return nil
}

// numbers returns AUTO_INCREMENT of each table that has it.
func (s *Server) numbers(ctx context.Context, database string) (map[string]uint64, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT TABLE_NAME, AUTO_INCREMENT FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND AUTO_INCREMENT IS NOT NULL`, database)
	if err != nil {
		return nil, err
	}
	return Pairs[string, uint64](rows)
}

// load loads a dump into an empty database.
func (s *Server) load(ctx context.Context, b *backup.Dump) error {
	if b.Restore != nil {
		return s.operators(ctx, b.Restore, b.Database, b.File)
	}
	f, err := os.Open(b.File)
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := zstd.NewReader(f, zstd.WithDecoderConcurrency(1))
	if err != nil {
		return err
	}
	defer z.Close()
	err = s.raised(ctx, b.Longest, func() error {
		// Without --comments and --binary-mode the bodies of routines would change.
		return s.client(ctx, []string{"mariadb", "mysql"}, tagged(b.Database, accepted(z)), io.Discard, "--batch", "--comments", "--binary-mode",
			"--default-character-set=utf8mb4", "--max-allowed-packet=1G", b.Database)
	})
	if err != nil {
		return err
	}
	return s.makeBroken(ctx, b)
}

// loadSession makes a session of the client plain, and has it accept definitions and rows that
// the server accepted under other settings: row formats of other engines, rows that are longer
// than a strict InnoDB permits, and values that break a CHECK.
const loadSession = `SET SESSION autocommit = 1, completion_type = 0, sql_safe_updates = 0` +
	`/*M! , max_statement_time = 0, check_constraint_checks = 0, innodb_strict_mode = 0 */;` + "\n"

// modeOf is how mariadb-dump sets the mode in which its dump is loaded.
const modeOf = "SQL_MODE='"

// accepted prefixes a dump with loadSession, and has dates such as February 30 accepted if
// mariadb-dump made it.
func accepted(dump io.Reader) io.Reader {
	head := make([]byte, 4096)
	n, _ := io.ReadFull(dump, head) // the client's next read returns the error again
	head = bytes.Replace(head[:n], []byte(modeOf), []byte(modeOf+"ALLOW_INVALID_DATES,"), 1)
	return io.MultiReader(strings.NewReader(loadSession), bytes.NewReader(head), dump)
}

// makeBroken creates the views that could not be used when the database was dumped, if
// the server allows it: it does if only a privilege is missing.
func (s *Server) makeBroken(ctx context.Context, b *backup.Dump) error {
	if len(b.Broken) == 0 {
		return nil
	}
	return s.work(ctx, b.Database, false, func(c *sql.Conn) error {
		for range b.Broken { // a view may read another
			for _, create := range b.Broken {
				_, err := c.ExecContext(ctx, create)
				if err != nil && !errors.As(err, new(*mysql.MySQLError)) {
					return err
				}
			}
		}
		return nil
	})
}

// remake drops and creates the database. It waits at most a minute for locks on its
// tables.
func (s *Server) remake(ctx context.Context, b *backup.Dump) error {
	return s.workFor(ctx, b.Database, "", false, func(c *sql.Conn) error {
		for _, statement := range []string{
			"SET lock_wait_timeout = 60",
			"SET foreign_key_checks = 0", // other databases' foreign keys may refer to this one
			"DROP DATABASE IF EXISTS " + Quote(b.Database),
			"CREATE DATABASE " + Quote(b.Database) + " CHARACTER SET " + b.Charset + " COLLATE " + b.Collation + s.commentClause(),
		} {
			if _, err := c.ExecContext(ctx, statement); err != nil {
				return fmt.Errorf("%s: %w%s", statement, err, s.users(ctx, b.Database))
			}
		}
		return nil
	})
}

// compare returns an error if a restored database differs from the dump's description.
func (s *Server) compare(ctx context.Context, b *backup.Dump) error {
	found, err := s.Contents(ctx, b.Database)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(b.Tables)) {
		if got, want := found[name], b.Tables[name]; got != want {
			return fmt.Errorf("table %s has %d rows and checksum %d, but %d and %d were dumped", name, got.Rows, got.Checksum, want.Rows, want.Checksum)
		}
	}
	if len(found) != len(b.Tables) {
		return fmt.Errorf("it has %d tables, but %d were dumped", len(found), len(b.Tables))
	}
	objects, err := s.objects(ctx, b.Database)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(b.Objects)) {
		if got, exists := objects[name]; !exists || got != b.Objects[name] && !b.Renamed {
			return fmt.Errorf("%s differs from the dump", name)
		}
	}
	return nil
}
