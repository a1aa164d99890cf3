package ledger

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// JobsCommand is the command of runs that run jobs, which may go on for months.
const JobsCommand = "jobs"

// JobsRun counts the jobs that were run for a tenant.
type JobsRun struct {
	Done, Failed int64
	Seconds      float64 // that they took
}

// AddJobs adds counts of jobs that were run, by tenant, to those of this hour.
func (l *Ledger) AddJobs(ctx context.Context, run map[string]JobsRun) error {
	if len(run) == 0 {
		return nil
	}
	var values []string
	var args []any
	for tenant, r := range run {
		values = append(values, "(?, DATE_FORMAT(UTC_TIMESTAMP(), '%Y-%m-%d %H:00:00'), ?, ?, ?)")
		args = append(args, tenant, r.Done, r.Failed, r.Seconds)
	}
	_, err := l.db.ExecContext(ctx, `INSERT INTO jobs_run (tenant, hour, done, failed, seconds) VALUES `+strings.Join(values, ", ")+
		` ON DUPLICATE KEY UPDATE done = done + VALUES(done), failed = failed + VALUES(failed), seconds = seconds + VALUES(seconds)`, args...)
	if err != nil {
		return fmt.Errorf("write the jobs that were run into the ledger: %w", err)
	}
	return nil
}

// JobsRunSince reads the counts of jobs that were run for each tenant since a time, by whole
// hours.
func (l *Ledger) JobsRunSince(ctx context.Context, since time.Time) (map[string]JobsRun, error) {
	rows, err := l.db.QueryContext(ctx, `SELECT tenant, SUM(done), SUM(failed), SUM(seconds) FROM jobs_run WHERE hour >= ? GROUP BY tenant`, since.UTC())
	if err != nil {
		return nil, fmt.Errorf("read the jobs that were run from the ledger: %w", err)
	}
	defer rows.Close()
	all := map[string]JobsRun{}
	for rows.Next() {
		var tenant string
		var r JobsRun
		if err := rows.Scan(&tenant, &r.Done, &r.Failed, &r.Seconds); err != nil {
			return nil, fmt.Errorf("read the jobs that were run from the ledger: %w", err)
		}
		all[tenant] = r
	}
	return all, rows.Err()
}
