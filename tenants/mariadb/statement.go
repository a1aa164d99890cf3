package mariadb

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"
)

// Statement is an administrator's statement for a tenant's database.
type Statement struct {
	Text     string
	ReadOnly bool          // run it in a READ ONLY transaction
	Limit    time.Duration // the server ends it after this time; zero: no limit
	Most     int           // maximum number of rows in its result
}

// Rows is the result of a statement.
type Rows struct {
	Columns []string    // none: the statement returns no rows
	Numbers []bool      // for each column, whether its values are numbers
	Rows    [][]*string // nil for NULL
	Changed int64       // rows changed by a statement without a result
}

// Statement runs a statement in a database as one of a tenant's accounts. When ctx ends,
// the server ends the statement.
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

// prepareStatement sets the limits of a statement.
func (s *Server) prepareStatement(ctx context.Context, c *sql.Conn, q Statement) error {
	var set []string
	switch {
	case q.Limit > 0 && s.isMariaDB():
		set = append(set, fmt.Sprintf("SET SESSION max_statement_time = %f", q.Limit.Seconds()))
	case q.Limit > 0: // MySQL limits SELECT only
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

// readRows runs a statement and reads its result.
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

// isNumber reports whether the driver's type name is that of a number which JSON
// represents exactly.
func isNumber(name string) bool {
	return strings.HasSuffix(name, "INT") || name == "DOUBLE" || name == "FLOAT" || name == "YEAR"
}
