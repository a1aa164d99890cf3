package mariadb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-sql-driver/mysql"

	"wikictl/tenants/backup"
)

// Values of information_schema.TABLES.TABLE_TYPE.
const (
	typeView      = "VIEW"
	typeSequence  = "SEQUENCE"
	typeVersioned = "SYSTEM VERSIONED"
)

// relation is a table, view or sequence.
type relation struct{ name, kind string }

// relations lists the tables, views and sequences of a database, sorted.
func (s *Server) relations(ctx context.Context, database string) ([]relation, error) {
	rows, err := s.db.QueryContext(ctx, "SELECT TABLE_NAME, TABLE_TYPE FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? ORDER BY TABLE_NAME", database)
	if err != nil {
		return nil, fmt.Errorf("list the tables of %q: %w", database, err)
	}
	return Records(rows, func(r *relation) []any { return []any{&r.name, &r.kind} })
}

// Tables lists the tables of a database, sorted, without views and sequences. It is empty
// if the database does not exist.
func (s *Server) Tables(ctx context.Context, database string) ([]string, error) {
	all, err := s.relations(ctx, database)
	var names []string
	for _, r := range all {
		if r.kind != typeView && r.kind != typeSequence {
			names = append(names, r.name)
		}
	}
	return names, err
}

// Relations lists the names in a database that a new table would collide with: tables,
// views and sequences, sorted.
func (s *Server) Relations(ctx context.Context, database string) ([]string, error) {
	all, err := s.relations(ctx, database)
	names := make([]string, len(all))
	for i, r := range all {
		names[i] = r.name
	}
	return names, err
}

// Contents reads the row counts and checksums of the tables and sequences of a database,
// history included, by a few queries.
func (s *Server) Contents(ctx context.Context, database string) (map[string]backup.Contents, error) {
	all, err := s.relations(ctx, database)
	if err != nil {
		return nil, err
	}
	contents := map[string]backup.Contents{}
	all = slices.DeleteFunc(all, func(r relation) bool { return r.kind == typeView })
	if len(all) == 0 {
		return contents, nil
	}
	full, counts := make([]string, len(all)), make([]string, len(all))
	for i, r := range all {
		full[i] = Quote(database) + "." + Quote(r.name)
		counts[i] = r.count(database)
	}
	err = s.work(ctx, "", false, func(c *sql.Conn) error {
		if _, err := c.ExecContext(ctx, "SET lock_wait_timeout = 60"); err != nil {
			return err
		}
		err := pairs(ctx, c, database, strings.Join(counts, " UNION ALL "), func(name string, n int64) { contents[name] = backup.Contents{Rows: n} })
		if err != nil {
			return err
		}
		err = pairs(ctx, c, database, "CHECKSUM TABLE "+strings.Join(full, ", "), func(name string, n int64) {
			table := strings.TrimPrefix(name, database+".")
			contents[table] = backup.Contents{Rows: contents[table].Rows, Checksum: n}
		})
		if err != nil {
			return err
		}
		inexact, err := inexactTables(ctx, c, database, all)
		if err != nil {
			return err
		}
		return checksumTexts(ctx, c, database, inexact, contents)
	})
	if isError(err, errLockWait) {
		return nil, fmt.Errorf("another client has held a lock on one of its tables for a minute: %w", err)
	}
	return contents, err
}

// history returns the clause by which a SELECT reads current and historical rows.
func (r relation) history() string {
	if r.kind == typeVersioned {
		return " FOR SYSTEM_TIME ALL"
	}
	return ""
}

// inexactTables returns the columns of the tables for which CHECKSUM TABLE is inexact. It
// sees all digits of a FLOAT, but MariaDB gives mariadb-dump only six. With generated
// columns it may differ between tables that have the same rows.
func inexactTables(ctx context.Context, conn *sql.Conn, database string, all []relation) (map[relation][]string, error) {
	rows, err := conn.QueryContext(ctx, `SELECT c.TABLE_NAME, c.COLUMN_NAME FROM information_schema.COLUMNS c
		WHERE c.TABLE_SCHEMA = ? AND c.TABLE_NAME IN (SELECT TABLE_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND (DATA_TYPE = 'float' OR EXTRA LIKE '% GENERATED%'))
		ORDER BY c.TABLE_NAME, c.ORDINAL_POSITION`, database, database)
	if err != nil {
		return nil, err
	}
	columns, err := columnsByTable(rows)
	if err != nil {
		return nil, err
	}
	inexact := map[relation][]string{}
	for _, r := range all {
		if len(columns[r.name]) > 0 {
			inexact[r] = columns[r.name]
		}
	}
	return inexact, nil
}

// columnsByTable reads rows of a table's name and a column's.
func columnsByTable(rows *sql.Rows) (map[string][]string, error) {
	defer rows.Close()
	columns := map[string][]string{}
	for rows.Next() {
		var table, column string
		if err := rows.Scan(&table, &column); err != nil {
			return nil, err
		}
		columns[table] = append(columns[table], column)
	}
	return columns, rows.Err()
}

// checksumTexts replaces the checksums of tables by those of their columns' texts.
func checksumTexts(ctx context.Context, conn *sql.Conn, database string, tables map[relation][]string, contents map[string]backup.Contents) error {
	var sums []string
	for r, columns := range tables {
		texts := make([]string, len(columns))
		for i, name := range columns {
			texts[i] = "COALESCE(MD5(" + Quote(name) + "), '')"
		}
		sums = append(sums, "SELECT "+literal(r.name)+", CAST(COALESCE(SUM(CRC32(CONCAT_WS(',', "+strings.Join(texts, ", ")+"))), 0) AS SIGNED) FROM "+
			Quote(database)+"."+Quote(r.name)+r.history())
	}
	if len(sums) == 0 {
		return nil
	}
	return pairs(ctx, conn, database, strings.Join(sums, " UNION ALL "), func(table string, n int64) {
		contents[table] = backup.Contents{Rows: contents[table].Rows, Checksum: n}
	})
}

func pairs(ctx context.Context, conn *sql.Conn, database, query string, each func(string, int64)) error {
	rows, err := conn.QueryContext(ctx, tagComment(database)+" "+query)
	if err != nil {
		return err
	}
	return eachPair(rows, func(name string, n sql.NullInt64) error {
		if !n.Valid {
			return fmt.Errorf("table %s can't be read", name)
		}
		each(name, n.Int64)
		return nil
	})
}

// objectsQuery reads the objects of a database other than tables: their type and name,
// and a digest of their definition. A condition on TRIGGER_SCHEMA would make the server
// read the triggers of all databases.
const objectsQuery = `SELECT CONCAT('view ', TABLE_NAME), MD5(CONCAT_WS('|', VIEW_DEFINITION, CHECK_OPTION, DEFINER, SECURITY_TYPE))
	FROM information_schema.VIEWS WHERE TABLE_SCHEMA = ?
UNION ALL SELECT CONCAT('trigger ', TRIGGER_NAME), MD5(CONCAT_WS('|', EVENT_MANIPULATION, EVENT_OBJECT_TABLE, ACTION_TIMING, ACTION_STATEMENT, DEFINER, SQL_MODE))
	FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = ?
UNION ALL SELECT LOWER(CONCAT(ROUTINE_TYPE, ' ', ROUTINE_NAME)), MD5(CONCAT_WS('|', DTD_IDENTIFIER, ROUTINE_DEFINITION, SQL_DATA_ACCESS, SECURITY_TYPE, DEFINER, SQL_MODE))
	FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = ?
UNION ALL SELECT CONCAT('event ', EVENT_NAME), MD5(CONCAT_WS('|', EVENT_DEFINITION, EVENT_TYPE, EXECUTE_AT, INTERVAL_VALUE, INTERVAL_FIELD, STATUS, ON_COMPLETION, DEFINER, SQL_MODE))
	FROM information_schema.EVENTS WHERE EVENT_SCHEMA = ?`

// objects reads the views, triggers, routines and events of a database, such as "view v",
// with digests of their definitions.
func (s *Server) objects(ctx context.Context, database string) (map[string]string, error) {
	rows, err := s.db.QueryContext(ctx, objectsQuery, database, database, database, database)
	if err != nil {
		return nil, fmt.Errorf("list the views, triggers, routines and events of %q: %w", database, err)
	}
	defer rows.Close()
	found := map[string]string{}
	for rows.Next() {
		var name string
		var digest sql.NullString
		if err := rows.Scan(&name, &digest); err != nil {
			return nil, err
		}
		found[name] = digest.String
	}
	return found, rows.Err()
}

// UsableObjects is Objects without the views that can't be used.
func (s *Server) UsableObjects(ctx context.Context, database string) ([]string, error) {
	usable, _, err := s.usable(ctx, database)
	return slices.Sorted(maps.Keys(usable)), err
}

// usable is objects without the views that can't be used, whose definitions it returns by name.
func (s *Server) usable(ctx context.Context, database string) (objects, broken map[string]string, err error) {
	if objects, err = s.objects(ctx, database); err != nil {
		return nil, nil, err
	}
	broken, err = s.brokenViews(ctx, database, objects)
	for name := range broken {
		delete(objects, "view "+name)
	}
	return objects, broken, err
}

// brokenViews reads the definitions of the views that can't be used, by name: a table
// that they read is missing, or their definer lacks a privilege.
func (s *Server) brokenViews(ctx context.Context, database string, objects map[string]string) (map[string]string, error) {
	broken := map[string]string{}
	for _, object := range slices.Sorted(maps.Keys(objects)) {
		name, isView := strings.CutPrefix(object, "view ")
		if !isView {
			continue
		}
		full := Quote(database) + "." + Quote(name)
		rows, err := s.db.QueryContext(ctx, "SHOW FIELDS FROM "+full)
		if err == nil {
			rows.Close()
			continue
		}
		if !errors.As(err, new(*mysql.MySQLError)) {
			return nil, err
		}
		var create, ignored string
		if err := s.db.QueryRowContext(ctx, "SHOW CREATE VIEW "+full).Scan(&ignored, &create, &ignored, &ignored); err != nil {
			create = "-- its definition can't be read: " + err.Error()
		}
		broken[name] = create
	}
	return broken, nil
}
