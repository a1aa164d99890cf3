package mariadb

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// FarmRow is a farm whose ledger is on a server.
type FarmRow struct {
	ID, Dir, Machine string
	Database         string // the ledger's database
}

// String describes a farm for a person.
func (r FarmRow) String() string {
	return fmt.Sprintf("the farm of %s on %s (id %s)", r.Dir, r.Machine, r.ID)
}

// ledgerName matches the names that a ledger's database may have.
var ledgerName = regexp.MustCompile(`^` + LedgerDatabase + `(_[0-9a-f]{16})?$`)

// ledgerDatabases returns the databases that have a ledger's name and columns. A database
// of another program may have such a name, but not the columns.
func (s *Server) ledgerDatabases(ctx context.Context) (map[string]bool, error) {
	found, err := s.set(ctx, "SELECT TABLE_SCHEMA FROM information_schema.TABLES WHERE TABLE_NAME = 'farm' AND TABLE_SCHEMA LIKE '"+LedgerDatabase+"%'")
	if err != nil {
		return nil, err
	}
	for name := range found {
		is := ledgerName.MatchString(name)
		if is {
			is, err = s.hasLedger(ctx, name)
		}
		if err != nil {
			return nil, err
		}
		if !is {
			delete(found, name)
		}
	}
	return found, nil
}

// notLedger lists the errors of a statement about a ledger in a database that has none, or that
// the account may not read.
var notLedger = []uint16{errNoTable, errNoColumn, errNoDatabase, errNoSelect, errBrokenView}

// hasLedger reports whether a database has a ledger's tables and columns. It does not ask
// information_schema.COLUMNS, for which the server writes a temporary table to its disk, which may
// be full.
func (s *Server) hasLedger(ctx context.Context, name string) (bool, error) {
	in := Quote(name) + "."
	rows, err := s.db.QueryContext(ctx, "SELECT f.id, f.dir, f.machine, t.database_name FROM "+in+"farm AS f, "+in+"tenant AS t LIMIT 0")
	if slices.ContainsFunc(notLedger, func(number uint16) bool { return isError(err, number) }) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("server %s: read the columns of %s: %w", s.Name, name, err)
	}
	return true, rows.Close()
}

// Farms lists the farms whose ledgers are on the server, by two queries and one for each of them.
func (s *Server) Farms(ctx context.Context) ([]FarmRow, error) {
	found, err := s.ledgerDatabases(ctx)
	if err != nil {
		return nil, err
	}
	var queries []string
	for name := range found {
		queries = append(queries, "SELECT id, dir, machine, "+literal(name)+" FROM "+Quote(name)+".farm")
	}
	if len(queries) == 0 {
		return nil, nil
	}
	rows, err := s.db.QueryContext(ctx, strings.Join(queries, " UNION ALL "))
	if err != nil {
		return nil, fmt.Errorf("server %s: list farms: %w", s.Name, err)
	}
	return Records(rows, func(r *FarmRow) []any { return []any{&r.ID, &r.Dir, &r.Machine, &r.Database} })
}

// others returns the databases of other farms, by their marks and by the ledgers on the
// server. farms are all its databases with their marks.
func (s *Server) others(ctx context.Context, farms map[string]string) (map[string]bool, error) {
	others := map[string]bool{}
	for database, farm := range farms {
		if farm != "" && farm != s.farmID() {
			others[database] = true
		}
	}
	known, err := s.Farms(ctx)
	if err != nil {
		return nil, err
	}
	var queries []string
	for _, row := range known {
		if row.ID != s.farmID() {
			others[row.Database] = true
			queries = append(queries, "SELECT database_name FROM "+Quote(row.Database)+".tenant")
		}
	}
	if len(queries) == 0 {
		return others, nil
	}
	databases, err := s.set(ctx, strings.Join(queries, " UNION ALL "))
	for database := range databases {
		others[database] = true
	}
	return others, err
}

// LedgerDatabase is the name of the first farm's ledger database on a server. Further
// farms append _ and their id.
const LedgerDatabase = "wikictl"
