package mariadb

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"wikictl/migrations"
)

// Farm is a farm as its servers know it.
type Farm struct {
	ID      string // 16 hexadecimal digits; empty: none was made yet
	Dir     string // folder of its definitions
	Machine string // where that folder is
	// Owns reports whether the farm's state has the secrets of a tenant.
	Owns func(tenant string) bool
	// Keep writes the ID down, before the ledger is the farm's; nil: it is written.
	Keep func() error
}

// FarmRow is a farm that has a ledger on a server.
type FarmRow struct {
	ID, Dir, Machine string
	Database         string // its ledger
}

// String names a farm for a person.
func (r FarmRow) String() string {
	return fmt.Sprintf("the farm of %s on %s (id %s)", r.Dir, r.Machine, r.ID)
}

// ErrLostIdentity says that the ledger knows a farm of the same folder, whose
// state/farm.toml is gone.
var ErrLostIdentity = errors.New("the farm's identity is gone")

// ErrVersion says that a ledger is of an older or a newer wikictl.
var ErrVersion = errors.New("the ledger is of another version of wikictl")

// ledgerName is what a ledger's database may be called.
var ledgerName = regexp.MustCompile(`^` + LedgerDatabase + `(_[0-9a-f]{16})?$`)

// ledgerDatabases are the databases that are ledgers by name and columns: another
// program's of such a name is none of them.
func (s *Server) ledgerDatabases(ctx context.Context) (map[string]bool, error) {
	found, err := s.set(ctx, "SELECT TABLE_SCHEMA FROM information_schema.TABLES WHERE TABLE_NAME = 'farm' AND TABLE_SCHEMA LIKE '"+LedgerDatabase+"%'")
	if err != nil {
		return nil, err
	}
	var queries []string
	for name := range found {
		if ledgerName.MatchString(name) {
			queries = append(queries, "SELECT TABLE_SCHEMA FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = "+literal(name)+
				" AND (TABLE_NAME = 'farm' AND COLUMN_NAME IN ('id', 'dir', 'machine') OR TABLE_NAME = 'tenant' AND COLUMN_NAME = 'database_name') HAVING COUNT(*) = 4")
		}
	}
	if len(queries) == 0 {
		return nil, nil
	}
	return s.set(ctx, strings.Join(queries, " UNION ALL "))
}

// Farms lists the farms that have a ledger on the server, by three queries.
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
	defer rows.Close()
	var all []FarmRow
	for rows.Next() {
		var r FarmRow
		if err := rows.Scan(&r.ID, &r.Dir, &r.Machine, &r.Database); err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, rows.Err()
}

// ledgers is what a server has of ledgers, as one farm sees it.
type ledgers struct {
	farms   []FarmRow
	unowned bool     // LedgerDatabase is a ledger of no farm yet: version 0.1.0 made it
	tenants []string // of that one
	strange bool     // LedgerDatabase is no ledger at all
}

// findLedgers reads which ledgers there are.
func (s *Server) findLedgers(ctx context.Context) (l ledgers, err error) {
	if l.farms, err = s.Farms(ctx); err != nil {
		return l, err
	}
	tables, err := s.Tables(ctx, LedgerDatabase)
	if err != nil || len(tables) == 0 || l.owner(LedgerDatabase) != nil {
		return l, err
	}
	has := map[string]bool{}
	for _, t := range tables {
		has[t] = true
	}
	l.strange = !has[migrations.Table]
	l.unowned = !l.strange
	if !l.unowned || !has["tenant"] {
		return l, nil
	}
	rows, err := s.db.QueryContext(ctx, "SELECT name FROM "+Quote(LedgerDatabase)+".tenant")
	if err != nil {
		return l, fmt.Errorf("read the ledger on server %s: %w", s.Name, err)
	}
	l.tenants, err = scanAll[string](rows)
	return l, err
}

// owner is the farm that a ledger belongs to; nil: none.
func (l ledgers) owner(database string) *FarmRow {
	for i, f := range l.farms {
		if f.Database == database {
			return &l.farms[i]
		}
	}
	return nil
}

// place is the database of a farm's ledger, and whether it is there. The first farm
// on a server has LedgerDatabase, and takes over what version 0.1.0 wrote there when
// all of it is its own.
func (l ledgers) place(f Farm) (database string, there bool) {
	for _, row := range l.farms {
		if row.ID == f.ID {
			return row.Database, true
		}
	}
	if l.strange || l.owner(LedgerDatabase) != nil || len(l.owned(f)) < len(l.tenants) {
		return LedgerDatabase + "_" + f.ID, false
	}
	return LedgerDatabase, false
}

// owned are the tenants of a ledger of no farm that are this farm's.
func (l ledgers) owned(f Farm) (names []string) {
	for _, name := range l.tenants {
		if f.Owns != nil && f.Owns(name) {
			names = append(names, name)
		}
	}
	return names
}

// lost is an error when a farm without an identity has a ledger: that it is another
// farm can't be told from that its state was lost.
func (l ledgers) lost(f Farm, server string) error {
	for _, row := range l.farms {
		if row.Dir == f.Dir && row.Machine == f.Machine {
			return fmt.Errorf("%w: server %s knows the farm of %s by the id %s, and the state folder has no farm.toml"+
				"\n(restore the state folder from a backup, or write into its farm.toml: id = %q and dir = %q)",
				ErrLostIdentity, server, f.Dir, row.ID, row.ID, f.Dir)
		}
	}
	return nil
}

// others are the databases of other farms: by their marks, and by the ledgers that the
// server has. farms are all its databases with their marks.
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
