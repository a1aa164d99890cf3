package ledger

import (
	"context"
	"errors"
	"fmt"

	"wikictl/migrations"
	"wikictl/tenants/mariadb"
)

// Farm identifies a farm to its servers.
type Farm struct {
	ID      string // 16 hexadecimal digits; empty: not created yet
	Dir     string // folder of its definitions
	Machine string // host name of the machine with that folder
	// Owns reports whether the farm's state has the secrets of a tenant.
	Owns func(tenant string) bool
	// Keep stores the ID before the ledger is claimed with it; nil: it is stored.
	Keep func() error
	// Missing is called before a ledger is created, or taken for not created yet, for a farm
	// whose ID is stored; an error prevents that. It may be nil.
	Missing func(context.Context) error
}

// missing returns an error if a farm without a ledger on a server must not get one there.
func (f Farm) missing(ctx context.Context) error {
	if f.ID == "" || f.Keep != nil || f.Missing == nil {
		return nil
	}
	return f.Missing(ctx)
}

// ErrLostIdentity reports that the ledger belongs to a farm in the same folder, but
// state/farm.toml is missing.
var ErrLostIdentity = errors.New("the farm's identity is missing")

// ErrVersion reports that the ledger's schema is of an older or newer wikictl.
var ErrVersion = errors.New("the ledger is of another version of wikictl")

// ledgers describes the ledgers on a server, as seen by one farm.
type ledgers struct {
	farms   []mariadb.FarmRow
	unowned bool     // LedgerDatabase is a ledger without an owner, made by version 0.1.0
	tenants []string // of that ledger
	strange bool     // LedgerDatabase is not a ledger
}

// findLedgers lists the ledgers on a server.
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

// owner returns the farm that owns a ledger, or nil.
func (l ledgers) owner(database string) *mariadb.FarmRow {
	for i, f := range l.farms {
		if f.Database == database {
			return &l.farms[i]
		}
	}
	return nil
}

// place returns the database of a farm's ledger and whether it exists. The first farm on
// a server uses LedgerDatabase, and takes over the rows that version 0.1.0 wrote there if
// they are all its own.
func (l ledgers) place(f Farm) (database string, found bool) {
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

// owned lists this farm's tenants in a ledger without an owner.
func (l ledgers) owned(f Farm) (names []string) {
	for _, name := range l.tenants {
		if f.Owns != nil && f.Owns(name) {
			names = append(names, name)
		}
	}
	return names
}

// lost returns an error if a farm without an identity may own an existing ledger: its
// state may have been lost, or the ledger may be another farm's.
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
