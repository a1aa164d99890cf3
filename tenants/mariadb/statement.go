package mariadb

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"
)

// Statement is one statement of an administrator's in a tenant's database.
type Statement struct {
	Text     string
	ReadOnly bool          // it runs in a transaction that the server refuses to write in
	Limit    time.Duration // after which the server gives it up; zero: none
	Most     int           // rows that it may return
}

// Rows are what a statement returned.
type Rows struct {
	Columns []string    // none: the statement returns no rows
	Numbers []bool      // of each column, whether its values are numbers
	Rows    [][]*string // nil for NULL
	Changed int64       // rows that a statement without columns changed
}

// Statement runs one statement in a database by an account of a tenant's. When ctx ends
// the statement is ended on the server.
func (s *Server) Statement(ctx context.Context, database string, by Account, q Statement) (rows Rows, err error) {
	config := s.configured(database, false)
	config.User, config.Passwd, config.ParseTime = by.Name, by.Password.Reveal(), false
	err = s.workBy(ctx, "", config, func(c *sql.Conn) error {
		if err := s.prepareStatement(ctx, c, q); err != nil {
			return err
		}
		rows, err = readRows(ctx, c, q)
		return err
	})
	if err != nil {
		return Rows{}, fmt.Errorf("database %s: %w", database, err)
	}
	return rows, nil
}

// prepareStatement sets what bounds a statement.
func (s *Server) prepareStatement(ctx context.Context, c *sql.Conn, q Statement) error {
	var set []string
	switch {
	case q.Limit > 0 && s.isMariaDB():
		set = append(set, fmt.Sprintf("SET SESSION max_statement_time = %f", q.Limit.Seconds()))
	case q.Limit > 0: // MySQL bounds SELECT only
		set = append(set, fmt.Sprintf("SET SESSION max_execution_time = %d", q.Limit.Milliseconds()))
	}
	if q.ReadOnly {
		set = append(set, "SET SESSION TRANSACTION READ ONLY", "START TRANSACTION READ ONLY")
	}
	for _, text := range set {
		if _, err := c.ExecContext(ctx, text); err != nil {
			return err
		}
	}
	return nil
}

// readRows runs a statement and reads its rows.
func readRows(ctx context.Context, c *sql.Conn, q Statement) (r Rows, err error) {
	found, err := c.QueryContext(ctx, q.Text)
	if err != nil {
		return r, err
	}
	defer found.Close()
	if r.Columns, err = found.Columns(); err != nil {
		return r, err
	}
	if len(r.Columns) == 0 {
		if err := found.Close(); err != nil {
			return r, err
		}
		return r, c.QueryRowContext(ctx, "SELECT ROW_COUNT()").Scan(&r.Changed)
	}
	types, err := found.ColumnTypes()
	if err != nil {
		return r, err
	}
	for _, t := range types {
		r.Numbers = append(r.Numbers, isNumber(t.DatabaseTypeName()))
	}
	for found.Next() {
		if len(r.Rows) == q.Most {
			return r, fmt.Errorf("the statement returns more than %d rows", q.Most)
		}
		row, into := make([]*string, len(r.Columns)), make([]any, len(r.Columns))
		for i := range row {
			into[i] = &row[i]
		}
		if err := found.Scan(into...); err != nil {
			return r, err
		}
		r.Rows = append(r.Rows, row)
	}
	return r, found.Err()
}

// isNumber reports whether the driver's name of a type is that of a number which JSON
// keeps exactly.
func isNumber(name string) bool {
	return strings.HasSuffix(name, "INT") || name == "DOUBLE" || name == "FLOAT" || name == "YEAR"
}
