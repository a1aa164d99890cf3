package mariadb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"wikictl/tenants/process"
)

// Bounds of what is done to a database that people use meanwhile.
const (
	onlineWait    = 3                // seconds for a lock, which all who come later wait behind
	onlineTries   = 20               // so often is it tried again
	onlinePause   = 2 * time.Second  // between two tries
	onlineRows    = 5000             // of a range that is filled at once
	replicasLimit = 10 * time.Minute // for replicas that are behind
)

// AlterOnline changes a table by one statement without keeping readers or writers from it:
// it is done in full or not at all. A table that the server can only copy is an error.
func (s *Server) AlterOnline(ctx context.Context, database, table string, specs []string) error {
	statement := "ALTER TABLE " + Quote(database) + "." + Quote(table) + " " + strings.Join(specs, ", ") + ", ALGORITHM=INPLACE, LOCK=NONE"
	return s.work(ctx, database, false, func(c *sql.Conn) error {
		if _, err := c.ExecContext(ctx, fmt.Sprintf("SET lock_wait_timeout = %d", onlineWait)); err != nil {
			return err
		}
		return patiently(ctx, func() error {
			_, err := c.ExecContext(ctx, statement)
			return err
		})
	})
}

// patiently tries something again that failed because another client was in the way.
func patiently(ctx context.Context, do func() error) (err error) {
	for range onlineTries {
		if err = do(); !isError(err, errLockWait) && !isError(err, errDeadlock) {
			return err
		}
		if err := process.Pause(ctx, onlinePause); err != nil {
			return err
		}
	}
	return err
}

// FillOnline runs statements over a column's values, some thousand rows at a time, each
// statement in a transaction of its own, and rests between them as long as a quarter of
// what they took. Both placeholders of a statement are the ends of a range, which belong to
// it. each is told after every range which share of the values is done, and ends it by an
// error.
func (s *Server) FillOnline(ctx context.Context, database, table, column string, statements []string, each func(share float64) error) error {
	name, of := Quote(column), Quote(table)
	return s.work(ctx, database, false, func(c *sql.Conn) error {
		for _, setting := range []string{"SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", fmt.Sprintf("SET innodb_lock_wait_timeout = %d", onlineWait)} {
			if _, err := c.ExecContext(ctx, setting); err != nil {
				return err
			}
		}
		var first, last sql.NullInt64
		if err := c.QueryRowContext(ctx, "SELECT MIN("+name+"), MAX("+name+") FROM "+of).Scan(&first, &last); err != nil || !first.Valid {
			return err
		}
		for from := first.Int64; from <= last.Int64; {
			to := last.Int64
			err := c.QueryRowContext(ctx, fmt.Sprintf("SELECT %s FROM %s WHERE %s >= ? ORDER BY %s LIMIT 1 OFFSET %d", name, of, name, name, onlineRows), from).Scan(&to)
			if err != nil && !errors.Is(err, sql.ErrNoRows) {
				return err
			}
			start := time.Now()
			for _, statement := range statements {
				if err := patiently(ctx, func() error { _, err := c.ExecContext(ctx, statement, from, to); return err }); err != nil {
					return err
				}
			}
			if err := each(float64(to-first.Int64+1) / float64(last.Int64-first.Int64+1)); err != nil {
				return err
			}
			if err := s.rest(ctx, time.Since(start)/4); err != nil {
				return err
			}
			from = to + 1
		}
		return nil
	})
}

// rest pauses, and waits for replicas that are behind as long as is bearable.
func (s *Server) rest(ctx context.Context, pause time.Duration) error {
	deadline := time.Now().Add(replicasLimit)
	for {
		if err := process.Pause(ctx, pause); err != nil {
			return err
		}
		r, err := s.Replication(ctx)
		if err != nil || len(r.Behind) == 0 || time.Now().After(deadline) {
			return err
		}
		pause = onlinePause
	}
}

// ForgetUpdates removes entries of MediaWiki's updatelog.
func (s *Server) ForgetUpdates(ctx context.Context, database string, keys []string) error {
	if len(keys) == 0 {
		return nil
	}
	return s.work(ctx, database, false, func(c *sql.Conn) error {
		_, err := c.ExecContext(ctx, "DELETE FROM updatelog WHERE ul_key "+inList(keys))
		return err
	})
}
