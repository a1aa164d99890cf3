package mariadb

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// Detachment sets how Detach turns a copy of a wiki's database into a wiki of its own.
type Detachment struct {
	Database  string
	Secret    string // makes user.user_token; random, and of at least 32 characters
	Anonymize bool   // also remove mail addresses, passwords and preferences
	Admin     string // the only user who has a password after Anonymize
	Hash      string // user.user_password of Admin
}

// detaching lists statements for one table each. A statement is skipped if the database lacks
// the table or the column, such as a table of an extension or of another MediaWiki version.
var detaching = []struct {
	table, column string
	anonymize     bool // run it only with Detachment.Anonymize
	text          string
	args          func(Detachment) []any
}{
	{"job", "job_id", false, "DELETE FROM job", nil},
	{"objectcache", "keyname", false, "DELETE FROM objectcache", nil}, // sessions may be in it
	{"uploadstash", "us_id", false, "DELETE FROM uploadstash", nil},
	{"user", "user_token", false, "UPDATE user SET user_token = MD5(CONCAT(?, '-', user_id))", func(d Detachment) []any { return []any{d.Secret} }},
	{"user", "user_email_token", false, "UPDATE user SET user_email_token = NULL, user_email_token_expires = NULL", nil},
	{"user", "user_newpassword", false, "UPDATE user SET user_newpassword = '', user_newpass_time = NULL", nil},
	{"user_properties", "up_property", false, "DELETE FROM user_properties WHERE up_property = 'watchlisttoken'", nil},
	{"bot_passwords", "bp_user", false, "DELETE FROM bot_passwords", nil},
	{"oauth_accepted_consumer", "oaac_id", false, "DELETE FROM oauth_accepted_consumer", nil},
	{"oauth2_access_tokens", "oaat_id", false, "DELETE FROM oauth2_access_tokens", nil},
	{"oauth_registered_consumer", "oarc_id", false, "DELETE FROM oauth_registered_consumer", nil},
	{"echo_email_batch", "eeb_id", false, "DELETE FROM echo_email_batch", nil},
	{"echo_push_subscription", "eps_id", false, "DELETE FROM echo_push_subscription", nil},
	{"user", "user_email", true, "UPDATE user SET user_email = IF(user_email = '', '', CONCAT('user', user_id, '@example.invalid')), user_email_authenticated = NULL", nil},
	{"user", "user_real_name", true, "UPDATE user SET user_real_name = ''", nil},
	{"user", "user_password", true, "UPDATE user SET user_password = ''", nil},
	{"user", "user_name", true, "UPDATE user SET user_password = ? WHERE user_name = ?", func(d Detachment) []any { return []any{d.Hash, d.Admin} }},
	{"user_properties", "up_value", true, "DELETE FROM user_properties", nil},
	{"user_newtalk", "user_id", true, "DELETE FROM user_newtalk", nil},
	{"watchlist", "wl_user", true, "DELETE FROM watchlist", nil},
	{"recentchanges", "rc_ip", true, "UPDATE recentchanges SET rc_ip = ''", nil},
	{"ipblocks", "ipb_auto", true, "DELETE FROM ipblocks WHERE ipb_auto = 1", nil},
	{"block_target", "bt_auto", true, "DELETE FROM block WHERE bl_target IN (SELECT bt_id FROM block_target WHERE bt_auto = 1)", nil},
	{"block_target", "bt_auto", true, "DELETE FROM block_target WHERE bt_auto = 1", nil},
	{"oathauth_users", "id", true, "DELETE FROM oathauth_users", nil},
	{"oathauth_devices", "oad_id", true, "DELETE FROM oathauth_devices", nil},
	{"abuse_filter_log", "afl_ip", true, "UPDATE abuse_filter_log SET afl_ip = ''", nil},
	{"echo_notification", "notification_user", true, "DELETE FROM echo_notification", nil},
}

// Detach removes from a copy of a wiki's database everything with which users of the original
// could act: sessions, jobs, tokens, and applications that may act for users. With d.Anonymize
// it also removes mail addresses, passwords, real names, preferences, watchlists, IP addresses,
// and all rows of CheckUser.
func (s *Server) Detach(ctx context.Context, d Detachment) error {
	columns, err := s.columnsOf(ctx, d.Database)
	if err != nil {
		return err
	}
	return s.work(ctx, d.Database, false, func(c *sql.Conn) error {
		for _, one := range detaching {
			if !columns[one.table+"."+one.column] || one.anonymize && !d.Anonymize {
				continue
			}
			var args []any
			if one.args != nil {
				args = one.args(d)
			}
			if _, err := c.ExecContext(ctx, one.text, args...); err != nil {
				return fmt.Errorf("detach %q: %s: %w", d.Database, one.text, err)
			}
		}
		if !d.Anonymize {
			return nil
		}
		return anonymous(ctx, c, d, columns)
	})
}

// anonymous empties the tables of CheckUser, and verifies that no address remains.
func anonymous(ctx context.Context, c *sql.Conn, d Detachment, columns map[string]bool) error {
	emptied := map[string]bool{}
	for name := range columns {
		table, _, _ := strings.Cut(name, ".")
		if !strings.HasPrefix(table, "cu_") || emptied[table] {
			continue
		}
		emptied[table] = true
		if _, err := c.ExecContext(ctx, "DELETE FROM "+Quote(table)); err != nil {
			return fmt.Errorf("detach %q: empty %s: %w", d.Database, table, err)
		}
	}
	if !columns["user.user_email"] {
		return fmt.Errorf("detach %q: it has no table user", d.Database)
	}
	var left int
	err := c.QueryRowContext(ctx, "SELECT COUNT(*) FROM user WHERE user_email <> '' AND user_email NOT LIKE '%@example.invalid' OR user_password <> '' AND user_name <> ?", d.Admin).Scan(&left)
	if err == nil && left > 0 {
		err = fmt.Errorf("%d users still have their addresses or passwords", left)
	}
	if err != nil {
		return fmt.Errorf("detach %q: %w", d.Database, err)
	}
	return nil
}

// columnsOf returns the columns of a database's base tables, such as "page.page_id".
func (s *Server) columnsOf(ctx context.Context, database string) (map[string]bool, error) {
	return s.set(ctx, "SELECT CONCAT(TABLE_NAME, '.', COLUMN_NAME) FROM information_schema.COLUMNS JOIN information_schema.TABLES USING (TABLE_SCHEMA, TABLE_NAME) WHERE TABLE_TYPE <> 'VIEW' AND TABLE_SCHEMA = ?", database)
}
