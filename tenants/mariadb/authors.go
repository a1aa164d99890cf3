package mariadb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"wikictl/tenants"
	"wikictl/tenants/backup"
)

// accountIDs are the numbers of accounts and authors, by table (Manual:User table and
// Manual:Actor table). The server never assigns one twice.
var accountIDs = map[string]string{"user": "user_id", "actor": "actor_id"}

// errNoColumn is the error of a statement about a column that does not exist.
const errNoColumn = 1054

// querier is a connection, or a pool of connections.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// describeAuthors records in b the highest numbers of a database's accounts and authors, and
// of the authors that its rows name.
func describeAuthors(ctx context.Context, c querier, b *backup.Dump) (err error) {
	b.Newest = map[string]int64{}
	for table, id := range accountIDs {
		var n int64
		err := c.QueryRowContext(ctx, "SELECT COALESCE(MAX("+id+"), 0) FROM "+Quote(b.Database)+"."+Quote(table)).Scan(&n)
		switch {
		case isError(err, errNoTable) || isError(err, errNoColumn): // not a wiki's, but a further database of one
		case err != nil:
			return fmt.Errorf("read the newest row of %s: %w", table, err)
		default:
			b.Newest[table] = n
		}
	}
	owner, err := usersOf(ctx, c, b.Database)
	if err != nil || owner == "" {
		return err
	}
	b.Author, err = newestNamed(ctx, c, b.Database)
	return err
}

// newestNamed returns the highest number of an author that the rows of a database name.
func newestNamed(ctx context.Context, c querier, database string) (n int64, err error) {
	rows, err := c.QueryContext(ctx, `SELECT CONCAT('SELECT MAX(', COLUMN_NAME, ') AS author FROM ', ?, '.', TABLE_NAME) FROM information_schema.COLUMNS
		WHERE TABLE_SCHEMA = ? AND COLUMN_NAME LIKE '%\_actor' AND DATA_TYPE IN ('bigint', 'int')`, Quote(database), database)
	if err != nil {
		return 0, err
	}
	queries, err := Column[string](rows)
	if err != nil || len(queries) == 0 {
		return 0, err
	}
	err = c.QueryRowContext(ctx, "SELECT COALESCE(MAX(author), 0) FROM ("+strings.Join(queries, " UNION ALL ")+") AS named").Scan(&n)
	return n, err
}

// Added counts the rows of user or actor that were added to a database since a dump of it. It
// is 0 without the table or the database, because a restore then loses no row. A dump by an
// earlier wikictl records no numbers; for it only the counts of rows are compared.
func (s *Server) Added(ctx context.Context, database, table string, b *backup.Dump) (n int64, err error) {
	query := "SELECT COUNT(*) FROM " + Quote(database) + "." + Quote(table)
	last, numbered := b.Newest[table]
	if numbered {
		query += fmt.Sprintf(" WHERE %s > %d", accountIDs[table], last)
	}
	err = s.db.QueryRowContext(ctx, query).Scan(&n)
	switch {
	case isError(err, errNoTable) || isError(err, errNoDatabase):
		return 0, nil
	case err != nil:
		return 0, tenants.WithHint(fmt.Errorf("count the rows of %s.%s: %w", database, table, err), "if the table is damaged, repair it, or drop it if its rows are lost")
	case !numbered:
		n = max(n-b.Tables[table].Rows, 0)
	}
	return n, nil
}

// HasAuthor reports whether a wiki has the author with a number. No author has the number 0.
func (s *Server) HasAuthor(ctx context.Context, database string, number int64) (bool, error) {
	if number == 0 {
		return true, nil
	}
	err := s.db.QueryRowContext(ctx, "SELECT actor_id FROM "+Quote(database)+".actor WHERE actor_id = ?", number).Scan(&number)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}
