package mariadb

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Seed is what a new wiki has of its own, in a database made from a golden.
type Seed struct {
	Database string
	Admin    string    // user name, as MediaWiki has it: capital letter first, spaces
	Hash     string    // user.user_password
	Token    string    // user.user_token: 32 hexadecimal digits
	Random   float64   // page.page_random of the main page: 0 to 1
	Now      time.Time // when the wiki was made
}

// seedStatements give the golden's administrator (user 1) and main page
// (page 1) to the new wiki. The tables are those of MediaWiki 1.39 and 1.43.
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

// stamp is a time as MediaWiki stores it: 14 digits, UTC.
func stamp(t time.Time) string { return t.UTC().Format("20060102150405") }

// Seed changes a freshly loaded database into the tenant's own.
func (s *Server) Seed(ctx context.Context, seed Seed) error {
	return s.work(ctx, seed.Database, false, func(conn *sql.Conn) error {
		tx, err := conn.BeginTx(ctx, nil)
		if err != nil {
			return fmt.Errorf("seed %q: %w", seed.Database, err)
		}
		defer tx.Rollback()
		for _, st := range seedStatements {
			if _, err := tx.ExecContext(ctx, st.text, st.args(seed)...); err != nil {
				return fmt.Errorf("seed %q: %w", seed.Database, err)
			}
		}
		return tx.Commit()
	})
}

// Seeded reads back whether the administrator and the main page are there.
func (s *Server) Seeded(ctx context.Context, seed Seed) error {
	var found int
	query := fmt.Sprintf(`SELECT (SELECT COUNT(*) FROM %[1]s.user WHERE user_id = 1 AND user_name = ?) +
		(SELECT COUNT(*) FROM %[1]s.page WHERE page_id = 1)`, Quote(seed.Database))
	if err := s.db.QueryRowContext(ctx, query, seed.Admin).Scan(&found); err != nil {
		return fmt.Errorf("read back the seed of %q: %w", seed.Database, err)
	}
	if found != 2 {
		return fmt.Errorf("the database %q lacks its administrator or its main page after they were made", seed.Database)
	}
	return nil
}
