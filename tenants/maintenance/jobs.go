package maintenance

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"wikictl/php"
	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/fleet"
	"wikictl/tenants/ledger"
	"wikictl/tenants/mariadb"
	"wikictl/tenants/session"
)

// JobsOptions are the limits of a run of jobs.
type JobsOptions struct {
	Children int           // number of concurrent PHP processes
	Share    time.Duration // time of a tenant of weight 1 in a round
	Forever  bool          // wait for more jobs, until Drain is closed
	Drain    <-chan struct{}
	Observer session.Observer
	Alive    func(t Tally) // is called from time to time; may be nil
}

// Tally counts the work of a run of jobs.
type Tally struct {
	Done, Failed int64 // jobs
	Waiting      int   // tenants with jobs
	Running      int   // PHP processes
}

// pollEvery is the interval between polls for waiting jobs. It grows with the number of
// tenants, so that polls take at most a tenth of the time.
const (
	pollEvery = time.Second
	rarely    = 10
)

// queues is the state of one run of jobs.
type queues struct {
	*session.Host
	o      JobsOptions
	ledger *ledger.Ledger
	run    *session.Run

	fair    *fair
	list    []*tenants.Tenant
	running map[string]context.CancelCauseFunc
	ended   chan turn
	wait    sync.WaitGroup
	tally   Tally
	of      map[string]*session.Outcome
	counts  map[string]ledger.JobsRun // not yet in the ledger, by tenant
	wrote   time.Time
	gaveUp  map[string]bool // tenants without result in their last turn, which a run of limited duration skips
	total   map[string]ledger.JobsRun
	broken  error     // reason to begin anew with new connections
	since   time.Time // time since which a server is unreachable

	polled  time.Time     // time of the last poll
	polling time.Duration // duration of the last poll
}

// RunJobs runs the jobs of tenants until no job waits, or forever. Each tenant's jobs run
// with its own account, for a short time at once. It returns an outcome for each tenant
// with jobs.
func RunJobs(ctx context.Context, h *session.Host, list []*tenants.Tenant, o JobsOptions) ([]session.Outcome, Tally, error) {
	q := &queues{Host: h, o: o, list: list, fair: newFair(o.Share), running: map[string]context.CancelCauseFunc{}, ended: make(chan turn),
		of: map[string]*session.Outcome{}, counts: map[string]ledger.JobsRun{}, gaveUp: map[string]bool{}, total: map[string]ledger.JobsRun{}, wrote: time.Now()}
	for _, t := range list {
		q.fair.add(t.Name, float64(h.Farm.Jobs.WeightOf(t)))
	}
	var err error
	if q.ledger, err = h.Ledger(ctx); err != nil {
		return nil, q.tally, err
	}
	if ctx, err = h.Lock(ctx, tenants.ServersOf(onServers(list))); err != nil {
		return nil, q.tally, err
	}
	if q.run, err = h.Begin(ctx, ledger.JobsCommand, o.Observer); err != nil {
		return nil, q.tally, err
	}
	q.loop(ctx)
	q.wait.Wait()
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	outcomes := q.outcomes()
	err = errors.Join(context.Cause(ctx), q.ledger.AddJobs(after, q.counts), q.run.End(ctx, outcomes))
	if err == nil && q.broken != nil {
		err = fmt.Errorf("%w: %w", errAnew, q.broken)
	}
	return outcomes, q.tally, err
}

// errAnew means that a run of unlimited duration must begin anew: a server was
// unreachable or restarted, or PHP was killed.
var errAnew = errors.New("its connections must be opened anew")

// outcomes returns the outcomes of all tenants; for a run of unlimited duration, of those
// that had jobs.
func (q *queues) outcomes() []session.Outcome {
	var outcomes []session.Outcome
	for _, t := range q.list {
		o := q.of[t.Name]
		if o == nil && q.o.Forever {
			continue
		}
		if o == nil {
			o = &session.Outcome{Tenant: t, Status: session.Unchanged}
		}
		if n := q.total[t.Name]; n.Done+n.Failed > 0 {
			o.Note = fmt.Sprintf("%d jobs were run", n.Done)
			if n.Failed > 0 {
				o.Note += fmt.Sprintf(", and %d failed", n.Failed)
			}
		}
		outcomes = append(outcomes, q.run.Finish(*o))
	}
	return outcomes
}

// onServers returns the tenants with a known server.
func onServers(list []*tenants.Tenant) (kept []*tenants.Tenant) {
	for _, t := range list {
		if t.Server != nil {
			kept = append(kept, t)
		}
	}
	return kept
}

// loop starts turns and collects their results until no work remains.
func (q *queues) loop(ctx context.Context) {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	waiting := q.poll(ctx)
	stopping := false
	for {
		stopping = stopping || q.broken != nil
		for !stopping && len(q.running) < q.o.Children && q.begin(ctx) {
		}
		if len(q.running) == 0 && (stopping || !q.o.Forever && waiting == 0) {
			return
		}
		drain, tock := q.o.Drain, tick.C
		if stopping {
			drain, tock = nil, nil
		}
		select {
		case t := <-q.ended:
			q.end(ctx, t)
			if !q.o.Forever && len(q.running) == 0 {
				waiting = q.poll(ctx)
			}
		case <-tock:
			if time.Since(q.polled) >= rarely*q.polling {
				waiting = q.poll(ctx)
			}
			q.checkpoint(ctx)
		case <-drain:
			stopping = true
		case <-done(ctx, stopping):
			stopping = true
		}
	}
}

// done returns ctx.Done() until the end of ctx is known.
func done(ctx context.Context, known bool) <-chan struct{} {
	if known {
		return nil
	}
	return ctx.Done()
}

// begin starts the next tenant's turn, and reports whether there was one.
func (q *queues) begin(ctx context.Context) bool {
	name, limit, ok := q.fair.next()
	if !ok {
		return false
	}
	t := q.Farm.Tenant(name)
	held, cancel := context.WithCancelCause(ctx)
	q.running[name] = cancel
	q.wait.Go(func() {
		start := time.Now()
		result := turn{tenant: t}
		func() {
			defer func() {
				if err := fleet.Recovered(recover()); err != nil {
					result.err = err
				}
			}()
			result = q.turn(held, t, limit)
		}()
		result.took = time.Since(start)
		q.ended <- result
	})
	return true
}

// end records the result of a turn.
func (q *queues) end(ctx context.Context, t turn) {
	name := t.tenant.Name
	q.running[name](nil)
	delete(q.running, name)
	q.tally.Done += t.done
	q.tally.Failed += t.failed
	for _, counts := range []map[string]ledger.JobsRun{q.counts, q.total} {
		if c := counts[name]; t.done+t.failed > 0 {
			counts[name] = ledger.JobsRun{Done: c.Done + t.done, Failed: c.Failed + t.failed, Seconds: c.Seconds + t.took.Seconds()}
		}
	}
	o := q.of[name]
	if o == nil {
		o = &session.Outcome{Tenant: t.tenant}
		q.of[name] = o
	}
	o.Elapsed += t.took
	o.Status, o.Err = session.Done, nil
	if t.err != nil || t.failed > 0 {
		o.Status, o.Err, o.Log = session.Failed, cmp.Or(t.err, t.why), t.log
	}
	q.gaveUp[name] = t.err != nil || t.done+t.failed == 0
	switch wait := time.Duration(0); {
	case errors.As(t.err, new(*mariadb.LostError)), errors.Is(t.err, php.ErrEnded):
		q.broken = t.err
		q.fair.pause(name, time.Now())
	case paused(t.err):
		q.fair.pause(name, time.Now())
	case t.err == nil && t.done+t.failed > 0:
		q.fair.ran(name, t.took, t.more)
	default: // no waiting job was run, or the turn failed
		wait = q.fair.failed(name, t.took, time.Now())
		if t.err != nil && q.o.Forever && ctx.Err() == nil {
			q.Say(fmt.Sprintf("%s: %s; its jobs are tried again in %s", name, t.err, wait))
		}
	}
}

// writeEvery is the interval of writes to the ledger.
const writeEvery = 10 * time.Second

// checkpoint ends the turns of tenants that were closed meanwhile, and writes counts to
// the ledger.
func (q *queues) checkpoint(ctx context.Context) {
	for name, cancel := range q.running {
		if q.shut(name) {
			cancel(errPaused)
		}
	}
	if q.o.Alive != nil {
		q.tally.Running = len(q.running)
		q.o.Alive(q.tally)
	}
	if time.Since(q.wrote) < writeEvery {
		return
	}
	q.wrote = time.Now()
	limited, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := q.ledger.AddJobs(limited, q.counts); err == nil {
		clear(q.counts)
	}
}

// shut reports whether a tenant is read-only or closed for maintenance, such as during an
// upgrade, or the tenant whose accounts it shares is, or the tenant whose files it shows is
// closed.
func (q *queues) shut(name string) bool {
	t := q.Farm.Tenant(name)
	if t != nil && t.Owner != nil && q.shut(t.Owner.Name) || t != nil && t.Media != nil && deploy.Exists(q.Layout.Maintenance(t.Media.Name)) {
		return true
	}
	return deploy.Exists(q.Layout.ReadOnly(name)) || deploy.Exists(q.Layout.Maintenance(name))
}

// pollLimit bounds a poll of one server.
const pollLimit = 15 * time.Second

// poll asks each server for tenants with waiting jobs, and returns the number of those
// that may run.
func (q *queues) poll(ctx context.Context) (waiting int) {
	now := time.Now()
	defer func() { q.polled, q.polling = time.Now(), time.Since(now) }()
	byServer := map[*tenants.Server][]*tenants.Tenant{}
	for _, t := range onServers(q.list) {
		if deploy.Exists(q.Layout.Current(t.Name)) {
			byServer[t.Server] = append(byServer[t.Server], t)
		}
	}
	for def, list := range byServer {
		for _, t := range q.withJobs(ctx, def, list) {
			if !q.o.Forever && q.gaveUp[t.Name] {
				continue
			}
			waiting++
			q.fair.works(t.Name, now)
		}
	}
	q.tally.Waiting = waiting
	return waiting
}

// withJobs returns the tenants of a server that have waiting jobs. Tenants whose queue
// can't be read fail.
func (q *queues) withJobs(ctx context.Context, def *tenants.Server, list []*tenants.Tenant) (with []*tenants.Tenant) {
	limited, cancel := context.WithTimeout(ctx, pollLimit)
	defer cancel()
	fail := func(t *tenants.Tenant, err error) {
		if q.of[t.Name] == nil || q.of[t.Name].Status != session.Failed {
			q.of[t.Name] = &session.Outcome{Tenant: t, Status: session.Failed, Err: err}
			if q.o.Forever && ctx.Err() == nil {
				q.Say(fmt.Sprintf("%s: %s", t.Name, err))
			}
		}
	}
	server, err := q.Server(limited, def)
	if err != nil {
		for _, t := range list {
			fail(t, err)
		}
		q.unreached(err)
		return nil
	}
	names := make([]string, len(list))
	for i, t := range list {
		names[i] = t.Database
	}
	waiting, failed := server.WaitingQueues(limited, names)
	for _, t := range list {
		if err := failed[t.Database]; err != nil {
			fail(t, err)
		} else if waiting[t.Database] {
			with = append(with, t)
		}
	}
	return with
}

// unreachedLimit is the time for which a run continues without reaching a server.
const unreachedLimit = time.Minute

// unreached records that a server can't be reached: a run never retries a failed
// connection.
func (q *queues) unreached(err error) {
	if q.since.IsZero() {
		q.since = time.Now()
	}
	if q.o.Forever && time.Since(q.since) > unreachedLimit {
		q.broken = err
	}
}
