package mariadb

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// RowCounts counts the rows of each table and sequence of a database, history included,
// by one query, as in a dump's description. It reads one index per table, which takes
// seconds for millions of rows.
func (s *Server) RowCounts(ctx context.Context, database string) (map[string]int64, error) {
	all, err := s.relations(ctx, database)
	if err != nil {
		return nil, err
	}
	counts := map[string]int64{}
	var queries []string
	for _, r := range all {
		if r.kind != typeView {
			queries = append(queries, r.count(database))
		}
	}
	if len(queries) == 0 {
		return counts, nil
	}
	err = s.work(ctx, "", false, func(c *sql.Conn) error {
		return pairs(ctx, c, database, strings.Join(queries, " UNION ALL "), func(table string, n int64) { counts[table] = n })
	})
	if err != nil {
		return nil, fmt.Errorf("count the rows of %q: %w", database, err)
	}
	return counts, nil
}

// count returns a SELECT of the relation's name and its number of rows.
func (r relation) count(database string) string {
	return "SELECT " + literal(r.name) + ", COUNT(*) FROM " + Quote(database) + "." + Quote(r.name) + r.history()
}

// CountWhere counts the rows of a table that meet an SQL condition. If id is a column, it
// also returns up to most values of it among these rows, in order.
func (s *Server) CountWhere(ctx context.Context, database, table, where, id string, most int) (n int64, ids []string, err error) {
	from := " FROM " + Quote(database) + "." + Quote(table) + " WHERE " + where
	if err := s.db.QueryRowContext(ctx, "SELECT COUNT(*)"+from).Scan(&n); err != nil {
		return 0, nil, fmt.Errorf("count rows of %s in %q: %w", table, database, err)
	}
	if id == "" || n == 0 {
		return n, nil, nil
	}
	rows, err := s.db.QueryContext(ctx, fmt.Sprintf("SELECT %s%s ORDER BY 1 LIMIT %d", Quote(id), from, most))
	if err != nil {
		return n, nil, fmt.Errorf("list rows of %s in %q: %w", table, database, err)
	}
	ids, err = Column[string](rows)
	return n, ids, err
}

// Columns reports which of the named columns, such as "page.page_id", exist in a
// database.
func (s *Server) Columns(ctx context.Context, database string, names []string) (map[string]bool, error) {
	found := map[string]bool{}
	if len(names) == 0 {
		return found, nil
	}
	args := []any{database}
	for _, name := range names {
		table, column, _ := strings.Cut(name, ".")
		args = append(args, table, column)
	}
	rows, err := s.db.QueryContext(ctx, `SELECT CONCAT(TABLE_NAME, '.', COLUMN_NAME) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND (`+
		strings.TrimSuffix(strings.Repeat("(TABLE_NAME = ? AND COLUMN_NAME = ?) OR ", len(names)), " OR ")+`)`, args...)
	if err != nil {
		return nil, fmt.Errorf("read the columns of %q: %w", database, err)
	}
	list, err := Column[string](rows)
	for _, name := range list {
		found[name] = true
	}
	return found, err
}
