package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"wikictl/tenants/mariadb"
)

// How long rehearsals are kept after their last use, and how many.
const (
	rehearsalAge  = 90 * 24 * time.Hour
	mostRehearsed = 200
)

// Scratch is a copy of a wiki's tables that a run made to rehearse an upgrade.
type Scratch struct {
	Name        string // of its folder; the names of its database and accounts derive from it
	Server      string
	Fingerprint string // of the rehearsal, whose lock the run holds
}

// RehearsedSets returns the component sets to which upgrades were rehearsed.
func (l *Ledger) RehearsedSets(ctx context.Context) ([]string, error) {
	rows, err := l.db.QueryContext(ctx, `SELECT DISTINCT new_set FROM rehearsal`)
	if err != nil {
		return nil, fmt.Errorf("read the rehearsals of the ledger: %w", err)
	}
	return mariadb.Column[string](rows)
}

// Rehearsal reads the result of a rehearsal by its fingerprint and records the use; nil
// if there is none.
func (l *Ledger) Rehearsal(ctx context.Context, fingerprint string) (result []byte, err error) {
	err = l.db.QueryRowContext(ctx, `SELECT result FROM rehearsal WHERE fingerprint = ?`, fingerprint).Scan(&result)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err == nil {
		_, err = l.db.ExecContext(ctx, `UPDATE rehearsal SET used = UTC_TIMESTAMP(3) WHERE fingerprint = ?`, fingerprint)
	}
	if err != nil {
		return nil, fmt.Errorf("read rehearsal %s from the ledger: %w", fingerprint, err)
	}
	return result, nil
}

// KeepRehearsal stores the result of a rehearsal of an upgrade to a component set, and
// removes rehearsals that are unused for long or too many.
func (l *Ledger) KeepRehearsal(ctx context.Context, fingerprint, set, run string, result []byte) error {
	_, err := l.db.ExecContext(ctx, `REPLACE INTO rehearsal (fingerprint, new_set, result, run, used) VALUES (?, ?, ?, ?, UTC_TIMESTAMP(3))`,
		fingerprint, set, result, run)
	if err == nil {
		_, err = l.db.ExecContext(ctx, `DELETE FROM rehearsal WHERE used < UTC_TIMESTAMP(3) - INTERVAL ? SECOND
			OR fingerprint NOT IN (SELECT fingerprint FROM (SELECT fingerprint FROM rehearsal ORDER BY used DESC, fingerprint LIMIT ?) AS newest)`,
			int(rehearsalAge.Seconds()), mostRehearsed)
	}
	if err != nil {
		return fmt.Errorf("write rehearsal %s into the ledger: %w", fingerprint, err)
	}
	return nil
}

// DropRehearsal removes a rehearsal that proved wrong.
func (l *Ledger) DropRehearsal(ctx context.Context, fingerprint string) error {
	if _, err := l.db.ExecContext(ctx, `DELETE FROM rehearsal WHERE fingerprint = ?`, fingerprint); err != nil {
		return fmt.Errorf("remove rehearsal %s from the ledger: %w", fingerprint, err)
	}
	return nil
}

// Scratches lists the recorded scratch copies, including those of killed runs.
func (l *Ledger) Scratches(ctx context.Context) ([]Scratch, error) {
	rows, err := l.db.QueryContext(ctx, `SELECT name, server, fingerprint FROM scratch ORDER BY name`)
	if err != nil {
		return nil, fmt.Errorf("read the scratch copies of the ledger: %w", err)
	}
	return mariadb.Records(rows, func(s *Scratch) []any { return []any{&s.Name, &s.Server, &s.Fingerprint} })
}

// NoteScratch records a scratch copy before a run makes it.
func (l *Ledger) NoteScratch(ctx context.Context, s Scratch, run string) error {
	_, err := l.db.ExecContext(ctx, `REPLACE INTO scratch (name, server, fingerprint, run) VALUES (?, ?, ?, ?)`, s.Name, s.Server, s.Fingerprint, run)
	if err != nil {
		return fmt.Errorf("write scratch copy %s into the ledger: %w", s.Name, err)
	}
	return nil
}

// ForgetScratch removes the record of a scratch copy after its removal.
func (l *Ledger) ForgetScratch(ctx context.Context, name string) error {
	if _, err := l.db.ExecContext(ctx, `DELETE FROM scratch WHERE name = ?`, name); err != nil {
		return fmt.Errorf("remove scratch copy %s from the ledger: %w", name, err)
	}
	return nil
}
