package maintenance

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"wikictl/php"
	"wikictl/tenants"
	"wikictl/tenants/disk"
	"wikictl/tenants/ledger"
	"wikictl/tenants/mariadb"
)

// turn is the result of one tenant's turn to run jobs.
type turn struct {
	tenant       *tenants.Tenant
	took         time.Duration
	done, failed int64
	more         bool   // jobs may remain
	why          error  // error of the first failed job
	err          error  // the whole turn failed
	log          string // log of a failed turn
}

// errPaused means that a tenant's jobs must not run now.
var errPaused = errors.New("its jobs are not run while it is read-only or closed for maintenance")

// errHalf means that a tenant has a database that will be dropped or loaded again.
var errHalf = errors.New("its jobs are not run")

// paused reports whether a turn ended for a reason outside of the tenant.
func paused(err error) bool {
	var locked *mariadb.LockedError
	return errors.Is(err, errPaused) || errors.Is(err, errHalf) || errors.As(err, &locked)
}

// turn runs jobs of a tenant until the limit, and finishes the last one. Jobs run as in
// readers' requests: with the wiki's own account and without the tenant's lock, so that
// an upgrade need not wait for the service. A freeze of the wiki stops them as it stops
// readers. The turn holds the lock of the tenant's jobs.
func (q *queues) turn(ctx context.Context, t *tenants.Tenant, limit time.Duration) (r turn) {
	r.tenant = t
	ctx, over := q.While(ctx, t)
	defer over()
	locks := q.Locks(t.Server)
	lock := "jobs/" + t.Database
	if r.err = locks.Acquire(ctx, lock); r.err != nil {
		return r
	}
	defer locks.Release(context.WithoutCancel(ctx), lock)
	r.err = q.run.Shared(t.Name, "jobs", func() error { return q.runJobs(ctx, t, limit, &r) })
	return r
}

func (q *queues) runJobs(ctx context.Context, t *tenants.Tenant, limit time.Duration, r *turn) error {
	server, err := q.Server(ctx, t.Server)
	if err != nil {
		return err
	}
	holders, err := server.Holders(ctx, q.ledger, []string{t.Database})
	if err != nil {
		return err
	}
	if holder, held := holders[t.Database]; held {
		return &mariadb.LockedError{Name: t.Database, Holder: holder}
	}
	if q.shut(t.Name) {
		return errPaused
	}
	if err := q.whole(ctx, t); err != nil {
		return err
	}
	release, c, err := q.Served(t)
	if err != nil {
		return err
	}
	forks, log, err := q.PHP(ctx, t.Name, "jobs", c)
	if err != nil {
		return err
	}
	bounds := q.Farm.Jobs
	before := disk.Size(log)
	_, err = forks.Run(ctx, php.Job{
		Script: filepath.Join(c.Path, "maintenance", "runJobs.php"),
		Args: []string{"--result=json", "--maxtime=" + strconv.FormatFloat(max(limit.Seconds(), 0.1), 'f', 2, 64),
			"--memory-limit=" + strconv.FormatInt(bounds.Memory, 10)},
		Config: filepath.Join(release, "LocalSettings.php"), Log: log, Limit: bounds.TimeLimit, Memory: bounds.Memory,
	})
	r.log = log
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if err != nil {
		return err
	}
	return r.read(log, before)
}

// whole returns an error for a tenant that is half removed, brought back or restored: its database is
// dropped, or loaded once more, and what jobs did to it would be lost.
func (q *queues) whole(ctx context.Context, t *tenants.Tenant) error {
	switch row, _, err := q.ledger.Tenant(ctx, t.Name); {
	case err != nil:
		return err
	case row.State == ledger.Leaving || row.State == ledger.Returning || row.State == ledger.Recovering:
		return tenants.WithHint(fmt.Errorf("its state is %s, as a run did not finish: %w", row.State, errHalf), "wikictl plan "+t.Name+" says what finishes it")
	}
	return nil
}

// mostFailures bounds the kept log of failures, in bytes.
const mostFailures = 16 << 20

// read reads the report of runJobs.php. Its output is kept only if jobs failed.
func (r *turn) read(log string, before int64) error {
	f, err := os.Open(log)
	if err != nil {
		return err
	}
	defer f.Close()
	text, err := io.ReadAll(io.NewSectionReader(f, before, 1<<30))
	if err != nil {
		return err
	}
	answer, ok := readResponse(text)
	if !ok {
		return fmt.Errorf("runJobs.php printed no result (see %s)", log)
	}
	for _, job := range answer.Jobs {
		if job.Status == "ok" {
			r.done++
			continue
		}
		r.failed++
		if r.why == nil {
			r.why = fmt.Errorf("a job of type %s failed: %v; MediaWiki tries it again in an hour (see %s)", job.Type, job.Error, log)
		}
	}
	r.more = answer.Reached == "time-limit" || answer.Reached == "memory-limit" || answer.Reached == "job-limit"
	switch {
	case answer.Reached == "read-only" || answer.Reached == "replica-lag-limit":
		return errPaused
	case answer.Reached == "exception" && r.why != nil:
		return r.why
	case r.failed > 0 && before < mostFailures:
		return nil
	case before == 0 || before >= mostFailures:
		return os.Remove(log)
	}
	return os.Truncate(log, before)
}

// response is the output of runJobs.php with --result=json (MediaWiki: JobRunner::run).
type response struct {
	Reached string
	Jobs    []struct {
		Type, Status string
		Error        any
	}
}

// readResponse returns the response in the output, which may also have PHP's warnings.
func readResponse(text []byte) (r response, ok bool) {
	for at := bytes.IndexByte(text, '{'); at >= 0; {
		var one response
		if json.NewDecoder(bytes.NewReader(text[at:])).Decode(&one) == nil && one.Reached != "" {
			return one, true
		}
		next := bytes.IndexByte(text[at+1:], '{')
		if next < 0 {
			break
		}
		at += 1 + next
	}
	return r, false
}
