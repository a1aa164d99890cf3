package mariadb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"wikictl/tenants"
)

// usersKey is the key of a row in a wiki's updatelog whose value is the database with the
// accounts that the wiki uses. The row is dumped, restored and copied with the wiki, because the
// wiki's user ids are valid only in that database.
const usersKey = "wikictl: accounts of database"

// errNoTableGrant is the error of a REVOKE on a table on which nothing was granted.
const errNoTableGrant = 1147

// errNoDatabase is the error of a statement about a database that does not exist.
const errNoDatabase = 1049

// UsersOf returns the database whose accounts a wiki was made with. It is empty for a wiki with
// accounts of its own, and for a database that is not a wiki's.
func (s *Server) UsersOf(ctx context.Context, database string) (owner string, err error) {
	return usersOf(ctx, s.db, database)
}

func usersOf(ctx context.Context, c querier, database string) (owner string, err error) {
	err = c.QueryRowContext(ctx, "SELECT ul_value FROM "+Quote(database)+".updatelog WHERE ul_key = ?", usersKey).Scan(&owner)
	if errors.Is(err, sql.ErrNoRows) || isError(err, errNoTable) || isError(err, errNoDatabase) || isError(err, errNoColumn) {
		return "", nil
	}
	return owner, err
}

// Sharer is an account with rights on the authors of another wiki.
type Sharer struct {
	Account  string // without its host
	Database string // the other wiki's
	Writes   bool   // it may add authors; false if it only reads, and while the other wiki is read-only
}

// Sharers lists the database accounts of wikis that share users or files of another wiki: of the
// wiki with the given database or, if that is empty, of every wiki on the server. Only accounts
// of wikis that share users may write.
func (s *Server) Sharers(ctx context.Context, database string) (list []Sharer, err error) {
	query := "SELECT User, Db, FIND_IN_SET('Insert', Table_priv) > 0 AS Writes FROM mysql.tables_priv WHERE Table_name = 'actor'"
	if database != "" {
		query += " AND Db = " + literal(database)
	}
	err = s.table(ctx, query, func(r record) {
		list = append(list, Sharer{Account: r["User"], Database: r["Db"], Writes: r["Writes"] == "1"})
	})
	if err != nil {
		return nil, fmt.Errorf("server %s: read grants: %w", s.Name, err)
	}
	return list, nil
}

// ShareUsers gives a new wiki the accounts of another database on the server in place of its
// own: its few rows get the other's ids of users and actors, and admin, an account of the
// other, gets the administrator's groups. It can be repeated.
func (s *Server) ShareUsers(ctx context.Context, database, owner, admin string) error {
	mark, err := s.UsersOf(ctx, database)
	if err != nil || mark == owner {
		return err
	}
	return s.work(ctx, database, false, func(conn *sql.Conn) error {
		tx, err := conn.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback()
		m, err := matchUsers(ctx, tx, owner, admin)
		if err != nil {
			return err
		}
		if err := m.apply(ctx, tx); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO updatelog (ul_key, ul_value) VALUES (?, ?)", usersKey, owner); err != nil {
			return err
		}
		return tx.Commit()
	})
}

// HasAccount reports whether a wiki's database has an account of that name.
func (s *Server) HasAccount(ctx context.Context, database, name string) (has bool, err error) {
	err = s.db.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM "+Quote(database)+".actor WHERE actor_name = ? AND actor_user IS NOT NULL)", name).Scan(&has)
	return has, err
}

// matched maps a wiki's ids of users and actors to those of the other database.
type matched struct{ users, actors map[int64]int64 }

// matchUsers finds the accounts of a new wiki by name in another database. The administrator,
// user 1, is admin there.
func matchUsers(ctx context.Context, tx *sql.Tx, owner, admin string) (m matched, err error) {
	m = matched{map[int64]int64{}, map[int64]int64{}}
	rows, err := tx.QueryContext(ctx, "SELECT actor_id, COALESCE(actor_user, 0), actor_name FROM actor")
	if err != nil {
		return m, err
	}
	type actor struct {
		id, user int64
		name     string
	}
	var own []actor
	for rows.Next() {
		var a actor
		if err := errors.Join(rows.Scan(&a.id, &a.user, &a.name)); err != nil {
			return m, errors.Join(err, rows.Close())
		}
		own = append(own, a)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return m, err
	}
	for _, a := range own {
		if a.user == 1 {
			a.name = admin
		}
		var id, user int64
		err := tx.QueryRowContext(ctx, "SELECT actor_id, COALESCE(actor_user, 0) FROM "+Quote(owner)+".actor WHERE actor_name = ?", a.name).Scan(&id, &user)
		if errors.Is(err, sql.ErrNoRows) || err == nil && a.user != 0 && user == 0 {
			return m, tenants.WithHint(fmt.Errorf("the database %s, which is to hold its accounts, lacks the account %q", owner, a.name), "create that account there, or set admin")
		}
		if err != nil {
			return m, err
		}
		m.actors[a.id], m.users[a.user] = id, user
	}
	return m, nil
}

// apply changes the ids of a new wiki, and removes its own accounts.
func (m matched) apply(ctx context.Context, tx *sql.Tx) error {
	rows, err := tx.QueryContext(ctx, `SELECT TABLE_NAME, COLUMN_NAME FROM information_schema.COLUMNS
		WHERE TABLE_SCHEMA = DATABASE() AND (COLUMN_NAME LIKE '%\_actor' OR COLUMN_NAME IN ('ug_user', 'wl_user')) AND DATA_TYPE IN ('bigint', 'int')`)
	if err != nil {
		return err
	}
	var columns [][2]string
	for rows.Next() {
		var c [2]string
		if err := rows.Scan(&c[0], &c[1]); err != nil {
			return errors.Join(err, rows.Close())
		}
		columns = append(columns, c)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	for _, c := range columns {
		ids := m.actors
		if strings.HasSuffix(c[1], "_user") {
			ids = m.users
		}
		if _, err := tx.ExecContext(ctx, "UPDATE "+Quote(c[0])+" SET "+Quote(c[1])+" = "+exchange(c[1], ids)); err != nil {
			return fmt.Errorf("change %s.%s: %w", c[0], c[1], err)
		}
	}
	for _, table := range tenants.UserTables() {
		if _, err := tx.ExecContext(ctx, "DELETE FROM "+Quote(table)); err != nil && !isError(err, errNoTable) {
			return fmt.Errorf("empty %s: %w", table, err)
		}
	}
	return nil
}

// exchange is an expression that exchanges the ids in a column.
func exchange(column string, ids map[int64]int64) string {
	text := "CASE " + Quote(column)
	for from, to := range ids {
		text += fmt.Sprintf(" WHEN %d THEN %d", from, to)
	}
	return text + " ELSE " + Quote(column) + " END"
}

// writer is another wiki's account that may write into a table.
type writer struct{ user, host, table string }

// writers lists the rights on the tables of a database's accounts that wikis which share these
// accounts have.
func (s *Server) writers(ctx context.Context, a Accounts) (list []writer, err error) {
	if len(a.Sharers) == 0 {
		return nil, nil
	}
	err = s.table(ctx, "SELECT User, Host, Table_name FROM mysql.tables_priv WHERE Db = "+literal(a.Database)+" AND User IN ("+literals(a.Sharers)+
		") AND Table_name IN ("+literals(tenants.UserTables())+")", func(r record) {
		list = append(list, writer{r["User"], r["Host"], r["Table_name"]})
	})
	return list, err
}

// stopWriters revokes the privileges to write of wikis that share a database's tables.
func (s *Server) stopWriters(ctx context.Context, a Accounts) error {
	return s.eachWriter(ctx, a, func(w writer, on string) string {
		return "REVOKE " + writeGrants + " ON " + on + " FROM " + account(w.user, w.host)
	})
}

// letWriters grants what stopWriters revoked.
func (s *Server) letWriters(ctx context.Context, a Accounts) error {
	return s.eachWriter(ctx, a, func(w writer, on string) string {
		return "GRANT " + writeGrants + " ON " + on + " TO " + account(w.user, w.host)
	})
}

func (s *Server) eachWriter(ctx context.Context, a Accounts, statement func(w writer, on string) string) error {
	list, err := s.writers(ctx, a)
	if err != nil {
		return err
	}
	for _, w := range list {
		text := statement(w, Quote(a.Database)+"."+Quote(w.table))
		if _, err := s.db.ExecContext(ctx, text); err != nil && !isError(err, errNoGrant) && !isError(err, errNoTableGrant) {
			return fmt.Errorf("%s: %w", text, err)
		}
	}
	return nil
}
