package mariadb

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"sync"
	"time"
)

// Run is one run of a command that changes the farm.
type Run struct {
	ID       string
	Command  string
	Holder   string // "user@host pid N"
	Started  time.Time
	Finished sql.NullTime
	Done     int
	Same     int // unchanged
	Failed   int
	Skipped  int
}

// StartRun notes that a run has begun.
func (l *Ledger) StartRun(ctx context.Context, r Run) error {
	_, err := l.db.ExecContext(ctx, `INSERT INTO run (id, command, holder, started) VALUES (?, ?, ?, UTC_TIMESTAMP(3))`, r.ID, r.Command, r.Holder)
	if err != nil {
		return fmt.Errorf("write run %s into the ledger: %w", r.ID, err)
	}
	return nil
}

// FinishRun notes a run's counts and end.
func (l *Ledger) FinishRun(ctx context.Context, r Run) error {
	_, err := l.db.ExecContext(ctx, `UPDATE run SET finished = UTC_TIMESTAMP(3), done = ?, same = ?, failed = ?, skipped = ? WHERE id = ?`,
		r.Done, r.Same, r.Failed, r.Skipped, r.ID)
	if err != nil {
		return fmt.Errorf("write run %s into the ledger: %w", r.ID, err)
	}
	return nil
}

// Runs reads the latest runs, newest first.
func (l *Ledger) Runs(ctx context.Context, most int) ([]Run, error) {
	return l.runs(ctx, `ORDER BY started DESC, id DESC LIMIT ?`, most)
}

// OpenRuns reads the runs that were begun and did not end, oldest first.
func (l *Ledger) OpenRuns(ctx context.Context) ([]Run, error) {
	return l.runs(ctx, `WHERE finished IS NULL ORDER BY started, id`)
}

func (l *Ledger) runs(ctx context.Context, where string, args ...any) ([]Run, error) {
	rows, err := l.db.QueryContext(ctx, `SELECT id, command, holder, started, finished, done, same, failed, skipped FROM run `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read the runs of the ledger: %w", err)
	}
	defer rows.Close()
	var runs []Run
	for rows.Next() {
		var r Run
		if err := rows.Scan(&r.ID, &r.Command, &r.Holder, &r.Started, &r.Finished, &r.Done, &r.Same, &r.Failed, &r.Skipped); err != nil {
			return nil, err
		}
		runs = append(runs, r)
	}
	return runs, rows.Err()
}

// Step is one finished step of one tenant.
type Step struct {
	Tenant, Step string
	Err          error
	Seconds      float64
	Ended        time.Time
}

// recordEvery is how long steps wait to be written together: an account of
// what happened is not worth a disk flush each. States are written at once.
const recordEvery = 200 * time.Millisecond

// Recorder writes steps into the ledger, many at a time.
type Recorder struct {
	ledger *Ledger
	run    string
	mu     sync.Mutex
	steps  []Step
	err    error
	stop   chan struct{}
	wait   sync.WaitGroup
}

// Recorder begins to record the steps of a run. Close must be called.
func (l *Ledger) Recorder(ctx context.Context, run string) *Recorder {
	r := &Recorder{ledger: l, run: run, stop: make(chan struct{})}
	r.wait.Go(func() {
		tick := time.NewTicker(recordEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				r.flush(ctx)
			case <-r.stop:
				return
			}
		}
	})
	return r
}

// Record adds a step; it does not wait for the server.
func (r *Recorder) Record(s Step) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.steps = append(r.steps, s)
}

// Close writes what is left and returns the first error of all writes.
func (r *Recorder) Close(ctx context.Context) error {
	close(r.stop)
	r.wait.Wait()
	r.flush(ctx)
	return r.err
}

func (r *Recorder) flush(ctx context.Context) {
	r.mu.Lock()
	steps := r.steps
	r.steps = nil
	r.mu.Unlock()
	if len(steps) == 0 {
		return
	}
	args := make([]any, 0, 6*len(steps))
	for _, s := range steps {
		var text any
		if s.Err != nil {
			text = s.Err.Error()
		}
		args = append(args, r.run, s.Tenant, s.Step, text, s.Seconds, s.Ended.UTC())
	}
	values := strings.TrimSuffix(strings.Repeat("(?, ?, ?, ?, ?, ?), ", len(steps)), ", ")
	_, err := r.ledger.db.ExecContext(context.WithoutCancel(ctx), `INSERT INTO step (run, tenant, step, error, seconds, ended) VALUES `+values, args...)
	if err != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.err == nil {
			r.err = fmt.Errorf("write steps into the ledger: %w", err)
		}
	}
}
