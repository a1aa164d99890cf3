package mariadb

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
)

// perQuery is the number of databases per query.
const perQuery = 500

// Holders returns the holders of tenants' locks by lock name, such as "root@host pid 12,
// run 20261124-…", without taking a lock. It finds the holders in sessions.
func (s *Server) Holders(ctx context.Context, sessions Sessions, names []string) (map[string]string, error) {
	connections, err := s.Held(ctx, names)
	if err != nil {
		return nil, err
	}
	holders := map[string]string{}
	for name, id := range connections {
		holder, err := sessions.Session(ctx, s.Name, id)
		if err != nil {
			holder = fmt.Sprintf("connection %d of server %s", id, s.Name)
		}
		holders[name] = holder
	}
	return holders, nil
}

// Held returns the ids of the connections that hold the named locks, by name.
func (s *Server) Held(ctx context.Context, names []string) (map[string]int64, error) {
	held := map[string]int64{}
	ask := func(name string) string {
		return "SELECT " + literal(name) + ", IS_USED_LOCK(" + literal(lockName(name)) + ")"
	}
	return held, s.askAll(ctx, names, ask, held)
}

// QueuedJobs counts the rows of wikis' job queues, by database. Each database must have
// the table job.
func (s *Server) QueuedJobs(ctx context.Context, databases []string) (map[string]int64, error) {
	counts := map[string]int64{}
	ask := func(name string) string { return "SELECT " + literal(name) + ", COUNT(*) FROM " + Quote(name) + ".job" }
	return counts, s.askAll(ctx, databases, ask, counts)
}

// askAll sends the same question for many names, a few hundred per query, and stores the
// answers that are not NULL. It waits at most two seconds for a locked table.
func (s *Server) askAll(ctx context.Context, names []string, ask func(name string) string, answers map[string]int64) error {
	err := s.work(ctx, "", false, func(c *sql.Conn) error {
		if _, err := c.ExecContext(ctx, "SET lock_wait_timeout = 2"); err != nil {
			return err
		}
		for chunk := range slices.Chunk(names, perQuery) {
			rows, err := c.QueryContext(ctx, askedOf(chunk, ask))
			if err != nil {
				return err
			}
			if err := keepAnswers(rows, answers); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("server %s: %w", s.Name, err)
	}
	return nil
}

// askedOf returns one query for the answers to the same question for several names.
func askedOf(names []string, ask func(name string) string) string {
	queries := make([]string, len(names))
	for i, name := range names {
		queries[i] = ask(name)
	}
	return strings.Join(queries, " UNION ALL ")
}

func keepAnswers(rows *sql.Rows, answers map[string]int64) error {
	return eachPair(rows, func(name string, n sql.NullInt64) error {
		if n.Valid {
			answers[name] = n.Int64
		}
		return nil
	})
}

// eachPair calls a function with the name and the number of each row, and closes the rows.
func eachPair(rows *sql.Rows, each func(string, sql.NullInt64) error) error {
	defer rows.Close()
	for rows.Next() {
		var name string
		var n sql.NullInt64
		if err := rows.Scan(&name, &n); err != nil {
			return err
		}
		if err := each(name, n); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Replication is a server's replication state, as a primary or as a replica.
type Replication struct {
	ReadOnly bool     // the server refuses writes, as a replica should
	Behind   []string // addresses of replicas that have not been sent everything yet
}

// caughtUp lists the states of a thread that has sent everything to its replica, in the
// words of MariaDB and of MySQL 8.
var caughtUp = []string{"Master has sent all binlog to slave", "Source has sent all binlog to replica"}

// Replication reads the server's replication state. Only a replica itself knows whether
// it has applied everything that it was sent; MediaWiki's updater waits for that.
func (s *Server) Replication(ctx context.Context) (r Replication, err error) {
	if err := s.db.QueryRowContext(ctx, "SELECT @@GLOBAL.read_only").Scan(&r.ReadOnly); err != nil {
		return r, fmt.Errorf("server %s: %w", s.Name, err)
	}
	err = s.connections(ctx, listConnections, func(c record) {
		feeds := strings.HasPrefix(c["Command"], "Binlog Dump")
		if feeds && !slices.ContainsFunc(caughtUp, func(words string) bool { return strings.Contains(c["State"], words) }) {
			r.Behind = append(r.Behind, c["Host"]+": "+c["State"])
		}
	})
	return r, err
}
