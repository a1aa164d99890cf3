package mariadb

import (
	"context"
	"fmt"
	"time"
)

// Session is a connection that holds, or held, the locks of a run on a server.
type Session struct {
	Server     string
	Connection int64
	Holder     string // "user@host pid N, run ID"
	Since      time.Time
}

// Sessions reads all of them, also of runs that are over.
func (l *Ledger) Sessions(ctx context.Context) ([]Session, error) {
	rows, err := l.db.QueryContext(ctx, `SELECT server, connection, holder, since FROM session`)
	if err != nil {
		return nil, fmt.Errorf("read the sessions of the ledger: %w", err)
	}
	defer rows.Close()
	var all []Session
	for rows.Next() {
		var s Session
		if err := rows.Scan(&s.Server, &s.Connection, &s.Holder, &s.Since); err != nil {
			return nil, fmt.Errorf("read the sessions of the ledger: %w", err)
		}
		all = append(all, s)
	}
	return all, rows.Err()
}

// Pulse tells which connections of before still live.
type Pulse struct {
	Connections map[int64]bool
	Started     time.Time // of the server, to a second
}

// Pulse asks a server for its connections.
func (s *Server) Pulse(ctx context.Context) (Pulse, error) {
	p := Pulse{Connections: map[int64]bool{}}
	var name string
	var up int64
	if err := s.db.QueryRowContext(ctx, "SHOW GLOBAL STATUS LIKE 'Uptime'").Scan(&name, &up); err != nil {
		return p, fmt.Errorf("server %s: %w", s.Name, err)
	}
	var now time.Time
	if err := s.db.QueryRowContext(ctx, "SELECT UTC_TIMESTAMP()").Scan(&now); err != nil {
		return p, fmt.Errorf("server %s: %w", s.Name, err)
	}
	p.Started = now.Add(-time.Duration(up) * time.Second)
	rows, err := s.db.QueryContext(ctx, "SELECT ID FROM information_schema.PROCESSLIST")
	if err != nil {
		return p, fmt.Errorf("server %s: list connections: %w", s.Name, err)
	}
	ids, err := scanAll[int64](rows)
	for _, id := range ids {
		p.Connections[id] = true
	}
	return p, err
}

// Lives says whether a session's connection is the one that it was.
func (p Pulse) Lives(s Session) bool {
	return p.Connections[s.Connection] && s.Since.Add(2*time.Second).After(p.Started)
}
