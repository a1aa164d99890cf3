package mariadb

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"
)

// Queue counts the rows of a wiki's table job (MediaWiki: JobQueueDB).
type Queue struct {
	Ready     int64     // not begun
	Claimed   int64     // begun and not finished
	Abandoned int64     // those of Claimed that were begun 3 times, after which MediaWiki gives up
	Oldest    time.Time // when the oldest ready job was queued; zero: no job is ready
}

// Jobs that were begun are free again after claimedFor, unless they were begun
// attempts times ($wgJobTypeConf: claimTTL; JobQueue: maxTries).
const (
	claimedFor = time.Hour
	attempts   = 3
)

// Queues counts the jobs of wikis. failed has an error for each database whose jobs can't be
// counted; if the server does not answer, that is every database.
func (s *Server) Queues(ctx context.Context, databases []string) (queues map[string]Queue, failed map[string]error) {
	queues = map[string]Queue{}
	failed = s.eachQueue(ctx, databases, func(name string) string {
		return "SELECT " + literal(name) + ", SUM(job_token = ''), SUM(job_token <> ''), SUM(job_token <> '' AND job_attempts >= " + fmt.Sprint(attempts) +
			"), MIN(IF(job_token = '', job_timestamp, NULL)) FROM " + Quote(name) + ".job"
	}, func(rows *sql.Rows) error {
		var name string
		var ready, claimed, abandoned sql.NullInt64
		var oldest sql.NullString
		if err := rows.Scan(&name, &ready, &claimed, &abandoned, &oldest); err != nil {
			return err
		}
		q := Queue{Ready: ready.Int64, Claimed: claimed.Int64, Abandoned: abandoned.Int64}
		q.Oldest, _ = time.Parse("20060102150405", oldest.String)
		queues[name] = q
		return nil
	})
	return queues, failed
}

// WaitingQueues finds the databases of wikis with jobs that can be begun: those that were not
// begun yet, or so long ago that MediaWiki considers them lost. failed is as in Queues.
func (s *Server) WaitingQueues(ctx context.Context, databases []string) (waiting map[string]bool, failed map[string]error) {
	waiting = map[string]bool{}
	cutoff := literal(time.Now().UTC().Add(-claimedFor).Format("20060102150405"))
	failed = s.eachQueue(ctx, databases, func(name string) string {
		return "SELECT " + literal(name) + " FROM DUAL WHERE EXISTS (SELECT 1 FROM " + Quote(name) + ".job WHERE job_token = '' OR (job_token_timestamp < " +
			cutoff + " AND job_attempts < " + fmt.Sprint(attempts) + "))"
	}, func(rows *sql.Rows) error {
		var name string
		err := rows.Scan(&name)
		waiting[name] = true
		return err
	})
	return waiting, failed
}

// eachQueue queries a few hundred databases at once, and each one alone if that query fails,
// because one of them may lack the table.
func (s *Server) eachQueue(ctx context.Context, databases []string, ask func(name string) string, each func(*sql.Rows) error) map[string]error {
	failed := map[string]error{}
	err := s.work(ctx, "", false, func(c *sql.Conn) error {
		if _, err := c.ExecContext(ctx, "SET lock_wait_timeout = 2"); err != nil {
			return err
		}
		for chunk := range slices.Chunk(databases, perQuery) {
			if askQueues(ctx, c, chunk, ask, each) == nil {
				continue
			}
			for _, name := range chunk {
				if err := askQueues(ctx, c, []string{name}, ask, each); err != nil {
					failed[name] = err
				}
			}
		}
		return nil
	})
	if err != nil {
		for _, name := range databases {
			failed[name] = fmt.Errorf("server %s: %w", s.Name, err)
		}
	}
	return failed
}

func askQueues(ctx context.Context, c *sql.Conn, names []string, ask func(name string) string, each func(*sql.Rows) error) error {
	rows, err := c.QueryContext(ctx, askedOf(names, ask))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
