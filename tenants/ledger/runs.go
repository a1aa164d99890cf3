package ledger

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"wikictl/tenants/mariadb"
	"wikictl/tenants/process"
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

// StartRun records the start of a run.
func (l *Ledger) StartRun(ctx context.Context, r Run) error {
	_, err := l.db.ExecContext(ctx, `INSERT INTO run (id, command, holder, started) VALUES (?, ?, ?, UTC_TIMESTAMP(3))`, r.ID, r.Command, r.Holder)
	if err != nil {
		return fmt.Errorf("write run %s into the ledger: %w", r.ID, err)
	}
	return nil
}

// FinishRun records a run's counts and end.
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

// OpenRuns reads the runs that have not ended, oldest first.
func (l *Ledger) OpenRuns(ctx context.Context) ([]Run, error) {
	return l.runs(ctx, `WHERE finished IS NULL ORDER BY started, id`)
}

// Clock reads the time of the ledger's server, and when the latest run before a time began; zero if
// there was none.
func (l *Ledger) Clock(ctx context.Context, before time.Time) (now, latest time.Time, err error) {
	var found sql.NullTime
	err = l.db.QueryRowContext(ctx, `SELECT UTC_TIMESTAMP(3), MAX(started) FROM run WHERE started < ?`, before.UTC()).Scan(&now, &found)
	if err != nil {
		return now, latest, fmt.Errorf("read the runs of the ledger: %w", err)
	}
	return now, found.Time, nil
}

// LatestRuns reads the latest run of each command that has ended.
func (l *Ledger) LatestRuns(ctx context.Context) ([]Run, error) {
	all, err := l.runs(ctx, `WHERE (command, finished) IN (SELECT command, MAX(finished) FROM run WHERE finished IS NOT NULL GROUP BY command) ORDER BY command, id DESC`)
	return slices.CompactFunc(all, func(a, b Run) bool { return a.Command == b.Command }), err
}

// Failure reads a tenant's last failed step in a run and its error; both empty if no step
// failed.
func (l *Ledger) Failure(ctx context.Context, run, tenant string) (step, why string, err error) {
	err = l.db.QueryRowContext(ctx, `SELECT step, error FROM step WHERE run = ? AND tenant = ? AND error IS NOT NULL ORDER BY id DESC LIMIT 1`, run, tenant).Scan(&step, &why)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", "", fmt.Errorf("read the steps of run %s from the ledger: %w", run, err)
	}
	return step, why, nil
}

func (l *Ledger) runs(ctx context.Context, where string, args ...any) ([]Run, error) {
	rows, err := l.db.QueryContext(ctx, `SELECT id, command, holder, started, finished, done, same, failed, skipped FROM run `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read the runs of the ledger: %w", err)
	}
	return mariadb.Records(rows, func(r *Run) []any {
		return []any{&r.ID, &r.Command, &r.Holder, &r.Started, &r.Finished, &r.Done, &r.Same, &r.Failed, &r.Skipped}
	})
}

// Step is one finished step of one tenant.
type Step struct {
	Tenant, Step string
	Err          error
	Seconds      float64
	Ended        time.Time
}

// Steps are only a record: they deserve neither a disk flush each nor a long wait. States
// are written immediately.
const (
	recordEvery   = 200 * time.Millisecond // how long steps wait to be written together
	recordLimit   = 4 * time.Second        // time limit of one statement
	recordRows    = 200                    // per statement: below a megabyte, and 65,535 placeholders
	recordMost    = 100_000                // maximum number of unwritten steps
	recordedError = 4000                   // stored bytes of an error; step.error takes 65,535
)

// Recorder writes steps into the ledger in batches.
type Recorder struct {
	run    string
	db     *sql.DB
	broken error // why db is nil
	mu     sync.Mutex
	steps  []Step // unwritten, oldest first
	left   int    // number of dropped steps
	stop   context.CancelFunc
	wait   sync.WaitGroup
}

// Recorder starts recording the steps of a run. Close must be called.
func (l *Ledger) Recorder(ctx context.Context, run string) *Recorder {
	after := context.WithoutCancel(ctx) // the steps of a cancelled run count, too
	going, stop := context.WithCancel(after)
	r := &Recorder{run: run, stop: stop}
	r.db, r.broken = l.hasty()
	r.wait.Go(func() {
		for process.Pause(going, recordEvery) == nil {
			_ = r.flush(after) // failed writes are repeated; Close reports them
		}
	})
	return r
}

// hasty opens the ledger for statements that the server itself ends after recordLimit. If
// only the client gave up, the server would finish the statement, and the rows would be
// written twice.
func (l *Ledger) hasty() (*sql.DB, error) {
	return l.server.Pool(l.Database, 1, recordLimit)
}

// Record adds a step without waiting for the server.
func (r *Recorder) Record(s Step) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.steps) >= recordMost {
		r.left++
		return
	}
	r.steps = append(r.steps, s)
}

// Close writes the remaining steps until ctx ends, and reports how many steps the ledger
// lacks.
func (r *Recorder) Close(ctx context.Context) error {
	r.stop()
	r.wait.Wait()
	err := r.flush(ctx)
	if r.db != nil {
		defer r.db.Close()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if missing := len(r.steps) + r.left; missing > 0 {
		return fmt.Errorf("write steps into the ledger: %d of run %s are not in it: %w", missing, r.run, cmp.Or(err, errTooMany))
	}
	return nil
}

var errTooMany = errors.New("too many steps while its server did not answer")

// flush writes the pending steps in batches, and keeps those that it could not write.
func (r *Recorder) flush(ctx context.Context) error {
	for {
		r.mu.Lock()
		chunk := slices.Clone(r.steps[:min(len(r.steps), recordRows)])
		r.mu.Unlock()
		if len(chunk) == 0 {
			return nil
		}
		if err := r.write(ctx, chunk); err != nil {
			return err
		}
		r.mu.Lock()
		r.steps = slices.Delete(r.steps, 0, len(chunk))
		r.mu.Unlock()
	}
}

func (r *Recorder) write(ctx context.Context, steps []Step) error {
	if r.db == nil {
		return r.broken
	}
	args := make([]any, 0, 6*len(steps))
	for _, s := range steps {
		var text any
		if s.Err != nil {
			text = recordable(s.Err.Error())
		}
		args = append(args, r.run, s.Tenant, s.Step, text, s.Seconds, s.Ended.UTC())
	}
	values := strings.TrimSuffix(strings.Repeat("(?, ?, ?, ?, ?, ?), ", len(steps)), ", ")
	_, err := r.db.ExecContext(ctx, "INSERT INTO step (run, tenant, step, error, seconds, ended) VALUES "+values, args...)
	return err
}

// recordable makes an error's text valid for its column: a refused text would block all
// other steps, too.
func recordable(text string) string {
	return strings.ToValidUTF8(text[:min(len(text), recordedError)], "?")
}
