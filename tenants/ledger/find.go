package ledger

import (
	"context"
	"errors"
	"fmt"

	"wikictl/migrations"
	"wikictl/tenants/mariadb"
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

// ErrLostIdentity says that the ledger knows a farm of the same folder, whose
// state/farm.toml is gone.
var ErrLostIdentity = errors.New("the farm's identity is gone")

// ErrVersion says that a ledger is of an older or a newer wikictl.
var ErrVersion = errors.New("the ledger is of another version of wikictl")

// ledgers is what a server has of ledgers, as one farm sees it.
type ledgers struct {
	farms   []mariadb.FarmRow
	unowned bool     // LedgerDatabase is a ledger of no farm yet: version 0.1.0 made it
	tenants []string // of that one
	strange bool     // LedgerDatabase is no ledger at all
}

// findLedgers reads which ledgers there are.
func findLedgers(ctx context.Context, s *mariadb.Server) (l ledgers, err error) {
	if l.farms, err = s.Farms(ctx); err != nil {
		return l, err
	}
	tables, err := s.Tables(ctx, mariadb.LedgerDatabase)
	if err != nil || len(tables) == 0 || l.owner(mariadb.LedgerDatabase) != nil {
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
	conn, err := s.Dedicated(ctx, mariadb.LedgerDatabase, false)
	if err != nil {
		return l, err
	}
	defer conn.Close()
	rows, err := conn.QueryContext(ctx, "SELECT name FROM tenant")
	if err != nil {
		return l, fmt.Errorf("read the ledger on server %s: %w", s.Name, err)
	}
	l.tenants, err = mariadb.Column[string](rows)
	return l, err
}

// owner is the farm that a ledger belongs to; nil: none.
func (l ledgers) owner(database string) *mariadb.FarmRow {
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
	if l.strange || l.owner(mariadb.LedgerDatabase) != nil || len(l.owned(f)) < len(l.tenants) {
		return mariadb.LedgerDatabase + "_" + f.ID, false
	}
	return mariadb.LedgerDatabase, false
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
