package mariadb

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"
)

// Seed holds the values that make a new wiki differ from its golden.
type Seed struct {
	Database string
	Counts   map[string]int // rows of the golden by table
	Admin    string         // user name in MediaWiki's form: capital first letter, spaces
	Hash     string         // user.user_password
	Token    string         // user.user_token: 32 hexadecimal digits
	Random   float64        // page.page_random of the main page: 0 to 1
	Now      time.Time      // when the wiki is made
}

// seedStatements turn the golden's administrator (user 1) and main page (page 1) into the
// new wiki's. The tables are those of MediaWiki 1.39 and 1.43.
var seedStatements = []struct {
	text string
	args func(Seed) []any
}{
	{"UPDATE user SET user_name = ?, user_password = ?, user_token = ? WHERE user_id = 1",
		func(s Seed) []any { return []any{s.Admin, s.Hash, s.Token} }},
	{"UPDATE user SET user_registration = ?, user_touched = ?", stamps(2)},
	{"UPDATE actor SET actor_name = ? WHERE actor_id = 1 AND actor_user = 1",
		func(s Seed) []any { return []any{s.Admin} }},
	{"UPDATE page SET page_random = ?, page_touched = ?, page_links_updated = ?",
		func(s Seed) []any { return []any{s.Random, stamp(s.Now), stamp(s.Now)} }},
	{"UPDATE revision SET rev_timestamp = ?", stamps(1)},
	{"UPDATE recentchanges SET rc_timestamp = ?", stamps(1)},
	{"UPDATE logging SET log_timestamp = ?", stamps(1)},
}

func stamps(n int) func(Seed) []any {
	return func(s Seed) []any {
		args := make([]any, n)
		for i := range args {
			args[i] = stamp(s.Now)
		}
		return args
	}
}

// stamp formats a time as MediaWiki stores it: 14 digits, UTC.
func stamp(t time.Time) string { return t.UTC().Format("20060102150405") }

// contentTables hold the content that users add. A database with more rows in one of them
// than its golden is a wiki in use.
var contentTables = []string{"archive", "content", "filearchive", "image", "ipblocks", "logging", "oldimage", "page", "revision", "slots", "text", "user"}

// Used lists the content tables that have more rows than a golden, such as "page: 7 rows,
// 1 in a new wiki". It is empty for an unused wiki, and for a database without these
// tables.
func (s *Server) Used(ctx context.Context, database string, golden map[string]int) ([]string, error) {
	found, err := s.Tables(ctx, database)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	var used []string
	err = s.work(ctx, database, false, func(conn *sql.Conn) error {
		for _, table := range contentTables {
			if !slices.Contains(found, table) {
				continue
			}
			var n int
			if err := conn.QueryRowContext(ctx, "SELECT COUNT(*) FROM "+Quote(table)).Scan(&n); err != nil {
				return fmt.Errorf("count the rows of %q.%q: %w", database, table, err)
			}
			if n > golden[table] {
				used = append(used, fmt.Sprintf("%s: %d rows, %d in a new wiki", table, n, golden[table]))
			}
		}
		return nil
	})
	return used, err
}

// Seed turns a freshly loaded database into the tenant's own. It fails if the rows are
// not exactly the golden's.
func (s *Server) Seed(ctx context.Context, seed Seed) error {
	return s.work(ctx, seed.Database, false, func(conn *sql.Conn) error {
		tx, err := conn.BeginTx(ctx, nil)
		if err != nil {
			return fmt.Errorf("seed %q: %w", seed.Database, err)
		}
		defer tx.Rollback()
		if err := seed.fresh(ctx, tx); err != nil {
			return fmt.Errorf("seed %q: %w", seed.Database, err)
		}
		for _, st := range seedStatements {
			if _, err := tx.ExecContext(ctx, st.text, st.args(seed)...); err != nil {
				return fmt.Errorf("seed %q: %w", seed.Database, err)
			}
		}
		return tx.Commit()
	})
}

// fresh checks that the tables that Seed changes have exactly the golden's rows, and
// locks them until the transaction ends.
func (s Seed) fresh(ctx context.Context, tx *sql.Tx) error {
	for _, table := range []string{"user", "page", "revision", "logging"} {
		var n int
		if err := tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM "+Quote(table)+" FOR UPDATE").Scan(&n); err != nil {
			return err
		}
		if n != s.Counts[table] {
			return fmt.Errorf("the table %s has %d rows instead of the golden's %d: the wiki is in use", table, n, s.Counts[table])
		}
	}
	return nil
}

// Seeded checks that the administrator and the main page exist.
func (s *Server) Seeded(ctx context.Context, seed Seed) error {
	var found int
	query := fmt.Sprintf(`SELECT (SELECT COUNT(*) FROM %[1]s.user WHERE user_id = 1 AND user_name = ?) +
		(SELECT COUNT(*) FROM %[1]s.page WHERE page_id = 1)`, Quote(seed.Database))
	if err := s.db.QueryRowContext(ctx, query, seed.Admin).Scan(&found); err != nil {
		return fmt.Errorf("read back the seed of %q: %w", seed.Database, err)
	}
	if found != 2 {
		return fmt.Errorf("the database %q lacks its administrator or its main page after they were created", seed.Database)
	}
	return nil
}
