package mariadb

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// Pulse is a snapshot of the server's open connections.
type Pulse struct {
	Connections map[int64]bool
	Started     time.Time // when the server started, to a second
}

// Pulse reads the server's open connections.
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
	err := s.connections(ctx, listConnections, func(r record) {
		if id, err := strconv.ParseInt(r["Id"], 10, 64); err == nil {
			p.Connections[id] = true
		}
	})
	return p, err
}

// The lists of connections; only the second has all of a statement that is longer than 100
// characters. For information_schema.PROCESSLIST the server would write a temporary table to its
// disk, which may be full.
const (
	listConnections = "SHOW PROCESSLIST"
	listStatements  = "SHOW FULL PROCESSLIST"
)

// connections calls each for every connection in one of the lists.
func (s *Server) connections(ctx context.Context, list string, each func(record)) error {
	if err := s.table(ctx, list, each); err != nil {
		return fmt.Errorf("server %s: list connections: %w", s.Name, err)
	}
	return nil
}

// connectionsWhere returns the ids of the wanted connections, without the one that asks.
func (s *Server) connectionsWhere(ctx context.Context, list string, wanted func(record) bool) (ids []int64, err error) {
	var errs []error
	err = s.connections(ctx, list, func(r record) {
		if r["Info"] == list || !wanted(r) {
			return
		}
		id, err := strconv.ParseInt(r["Id"], 10, 64)
		ids, errs = append(ids, id), append(errs, err)
	})
	return ids, errors.Join(append(errs, err)...)
}

// Lives reports whether a connection that was open at a time is still open.
func (p Pulse) Lives(connection int64, since time.Time) bool {
	return p.Connections[connection] && since.Add(2*time.Second).After(p.Started)
}
