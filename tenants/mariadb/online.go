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

// Limits of changes to a database while its wiki is in use.
const (
	onlineWait    = 3                // seconds to wait for a lock; later statements queue behind that wait
	onlineTries   = 20               // maximum number of tries
	onlinePause   = 2 * time.Second  // between two tries
	onlineRows    = 5000             // in a range that one statement fills
	replicasLimit = 10 * time.Minute // for replicas that are behind
)

// AlterOnline changes a table by one statement that blocks neither readers nor writers, and
// either succeeds completely or changes nothing. It is an error if the server would have to copy
// the table.
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

// patiently repeats do, up to onlineTries times, while another client's locks make it fail.
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

// FillOnline runs statements over ranges of a column's values, onlineRows rows at a time, each
// statement in a transaction of its own. The two placeholders of a statement are the first and
// the last value of a range. After each range it calls each with the completed share of the
// values, whose error ends the work, and pauses for a quarter of the time that the range took.
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

// rest pauses, and waits for replicas that are behind, at most for replicasLimit.
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
