package mariadb

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
)

// perQuery is how many databases one query asks about.
const perQuery = 500

// Holders finds out who works on tenants right now, without taking a lock: the
// holder of a tenant's lock, such as "root@host pid 12, run 20261124-…", by the
// name of the lock. sessions know the holders.
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

// Held are the connections that hold the locks of these names right now, by name.
func (s *Server) Held(ctx context.Context, names []string) (map[string]int64, error) {
	held := map[string]int64{}
	ask := func(name string) string {
		return "SELECT " + literal(name) + ", IS_USED_LOCK(" + literal(lockName(name)) + ")"
	}
	return held, s.askAll(ctx, names, ask, held)
}

// QueuedJobs counts the rows of wikis' job queues. Each database must have its table job.
func (s *Server) QueuedJobs(ctx context.Context, databases []string) (map[string]int64, error) {
	counts := map[string]int64{}
	ask := func(name string) string { return "SELECT " + literal(name) + ", COUNT(*) FROM " + Quote(name) + ".job" }
	return counts, s.askAll(ctx, databases, ask, counts)
}

// askAll asks the same of many names, a few hundred in a query, and keeps the
// answers that are not NULL. It does not wait long for a table that is locked.
func (s *Server) askAll(ctx context.Context, names []string, ask func(name string) string, answers map[string]int64) error {
	err := s.work(ctx, "", false, func(c *sql.Conn) error {
		if _, err := c.ExecContext(ctx, "SET lock_wait_timeout = 2"); err != nil {
			return err
		}
		for some := range slices.Chunk(names, perQuery) {
			queries := make([]string, len(some))
			for i, name := range some {
				queries[i] = ask(name)
			}
			rows, err := c.QueryContext(ctx, strings.Join(queries, " UNION ALL "))
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

func keepAnswers(rows *sql.Rows, answers map[string]int64) error {
	defer rows.Close()
	for rows.Next() {
		var name string
		var n sql.NullInt64
		if err := rows.Scan(&name, &n); err != nil {
			return err
		}
		if n.Valid {
			answers[name] = n.Int64
		}
	}
	return rows.Err()
}

// Replication is how a server stands to others that copy it, or that it copies.
type Replication struct {
	ReadOnly bool     // it refuses writes, as a replica should
	Behind   []string // addresses of replicas that were not sent everything yet
}

// caughtUp is how the threads that feed replicas describe themselves when they
// have sent everything: MariaDB's words and those of MySQL 8.
var caughtUp = []string{"Master has sent all binlog to slave", "Source has sent all binlog to replica"}

// Replication asks a server for its state. Whether a replica has carried out what
// it was sent, only the replica knows: MediaWiki's updater waits for that.
func (s *Server) Replication(ctx context.Context) (r Replication, err error) {
	if err := s.db.QueryRowContext(ctx, "SELECT @@GLOBAL.read_only").Scan(&r.ReadOnly); err != nil {
		return r, fmt.Errorf("server %s: %w", s.Name, err)
	}
	rows, err := s.db.QueryContext(ctx, `SELECT CONCAT(HOST, ': ', IFNULL(STATE, '')) FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%'`)
	if err != nil {
		return r, fmt.Errorf("server %s: %w", s.Name, err)
	}
	feeds, err := Column[string](rows)
	for _, feed := range feeds {
		if !slices.ContainsFunc(caughtUp, func(words string) bool { return strings.Contains(feed, words) }) {
			r.Behind = append(r.Behind, feed)
		}
	}
	return r, err
}
