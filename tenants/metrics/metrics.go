// Package metrics measures a farm for Prometheus: it probes the wikis, reads the ledger, the
// queues of jobs, backups and sizes, counts the findings of an audit, and serves the results
// over HTTP. It changes nothing.
package metrics

import (
	"context"
	"sync"
	"time"

	"wikictl/tenants"
	"wikictl/tenants/session"
)

// Options are the inputs, limits and intervals of an Exporter.
type Options struct {
	Version string // of wikictl

	// Load returns the farm of the present files, or before if they have not changed. before is
	// nil at first. No two calls overlap.
	Load func(ctx context.Context, before *tenants.Farm) (*tenants.Farm, error)
	// Open opens a farm for reading.
	Open func(*tenants.Farm) (*session.Host, error)

	Fresh      time.Duration // age up to which scrapes share a measurement
	Patience   time.Duration // how long a scrape waits for a measurement
	ProbeLimit time.Duration // how long a wiki may take to answer
	AuditEvery time.Duration // between audits; 0: no audit
	Probes     int           // wikis probed concurrently
}

// slowEvery is the interval of reading backups and sizes; a due audit reads them earlier.
const slowEvery = 5 * time.Minute

// Exporter measures a farm. It is safe for concurrent use.
type Exporter struct {
	options    Options
	fast, slow *tier
	loading    sync.Mutex // held by load, before mu

	mu      sync.Mutex
	farm    *tenants.Farm
	loadErr error
	state   state
	probes  map[target]probed
	files   files
	audit   audited
	parts   map[string]part // by collector
}

// part is the result of the latest reading of one kind.
type part struct {
	ended   time.Time
	seconds float64
	err     error
}

// New returns an exporter that has measured nothing yet.
func New(o Options) *Exporter {
	e := &Exporter{options: o, probes: map[target]probed{}, parts: map[string]part{}}
	every := slowEvery
	if o.AuditEvery > 0 {
		every = min(every, o.AuditEvery)
	}
	e.fast, e.slow = newTier(o.Fresh, e.measure), newTier(every, e.measureSlowly)
	return e
}

// Run measures on demand of scrapes, until ctx ends.
func (e *Exporter) Run(ctx context.Context) {
	var wait sync.WaitGroup
	defer wait.Wait()
	wait.Go(func() { e.fast.loop(ctx) })
	wait.Go(func() { e.slow.loop(ctx) })
}

// Once measures everything once.
func (e *Exporter) Once(ctx context.Context) error {
	e.measure(ctx)
	e.measureSlowly(ctx)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.farm == nil {
		return e.loadErr
	}
	return ctx.Err()
}

// wait starts measurements in place of stale ones, and returns when the wikis have answered or
// patience has passed.
func (e *Exporter) wait(ctx context.Context, patience time.Duration) {
	e.slow.ask()
	over := time.NewTimer(patience)
	defer over.Stop()
	select {
	case <-e.fast.ask():
	case <-over.C:
	case <-ctx.Done():
	}
}

// note records the result of a reading.
func (e *Exporter) note(collector string, start time.Time, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.parts[collector] = part{ended: time.Now(), seconds: time.Since(start).Seconds(), err: err}
}

// load reads the farm's files anew if they have changed. While they are invalid, it returns the
// farm of the last valid files.
func (e *Exporter) load(ctx context.Context) *tenants.Farm {
	e.loading.Lock()
	defer e.loading.Unlock()
	e.mu.Lock()
	before := e.farm
	e.mu.Unlock()
	f, err := e.options.Load(ctx, before)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.loadErr = err; err == nil {
		e.farm = f
	}
	return e.farm
}
