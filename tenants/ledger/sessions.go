package ledger

import (
	"context"
	"fmt"
	"time"

	"wikictl/tenants/mariadb"
)

// Session is a connection that holds, or held, a run's locks on a server.
type Session struct {
	Server     string
	Connection int64
	Holder     string // "user@host pid N, run ID"
	Since      time.Time
}

// Sessions reads all sessions, including those of ended runs.
func (l *Ledger) Sessions(ctx context.Context) ([]Session, error) {
	rows, err := l.db.QueryContext(ctx, `SELECT server, connection, holder, since FROM session`)
	if err != nil {
		return nil, fmt.Errorf("read the sessions of the ledger: %w", err)
	}
	return mariadb.Records(rows, func(s *Session) []any { return []any{&s.Server, &s.Connection, &s.Holder, &s.Since} })
}

// PutSession records the holder of a connection's locks.
func (l *Ledger) PutSession(ctx context.Context, server string, connection int64, holder string) error {
	_, err := l.db.ExecContext(ctx, `REPLACE INTO session (server, connection, holder, since) VALUES (?, ?, ?, UTC_TIMESTAMP(3))`, server, connection, holder)
	if err != nil {
		return fmt.Errorf("write the lock session into the ledger: %w", err)
	}
	return nil
}

// Session returns the holder of a connection's locks.
func (l *Ledger) Session(ctx context.Context, server string, connection int64) (holder string, err error) {
	err = l.db.QueryRowContext(ctx, `SELECT holder FROM session WHERE server = ? AND connection = ?`, server, connection).Scan(&holder)
	return holder, err
}
