package mariadb

import (
	"context"
	"database/sql"
	"slices"
	"strconv"
	"strings"
)

// RowEstimates estimates the row counts of the named tables, by database and table, from
// InnoDB's statistics, or else from information_schema, which opens the tables. A table
// without statistics has no entry.
func (s *Server) RowEstimates(ctx context.Context, databases, tables []string) (map[string]map[string]int64, error) {
	found := map[string]map[string]int64{}
	if len(tables) == 0 {
		return found, nil
	}
	take := func(_ []string, f []sql.RawBytes) error {
		n, err := strconv.ParseInt(string(f[2]), 10, 64)
		if found[string(f[0])] == nil {
			found[string(f[0])] = map[string]int64{}
		}
		found[string(f[0])][string(f[1])] = max(n, found[string(f[0])][string(f[1])])
		return err
	}
	for chunk := range slices.Chunk(databases, perQuery) {
		where := inList(chunk) + " AND table_name " + inList(tables)
		err := s.records(ctx, "SELECT database_name, table_name, n_rows FROM mysql.innodb_table_stats WHERE database_name "+where, take)
		if err != nil && !denied(err) {
			return nil, err
		}
		unknown := slices.DeleteFunc(slices.Clone(chunk), func(name string) bool { return found[name] != nil })
		if len(unknown) == 0 {
			continue
		}
		err = s.records(ctx, "SELECT TABLE_SCHEMA, TABLE_NAME, COALESCE(TABLE_ROWS, 0) FROM information_schema.TABLES WHERE TABLE_SCHEMA "+
			inList(unknown)+" AND TABLE_NAME "+inList(tables), take)
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

func inList(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = literal(name)
	}
	return "IN (" + strings.Join(quoted, ", ") + ")"
}

// denied reports whether the account may not read a table, or the table does not exist.
func denied(err error) bool { return isError(err, errNoSelect) || isError(err, errNoTable) }
