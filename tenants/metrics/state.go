package metrics

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"wikictl/tenants"
	"wikictl/tenants/fleet"
	"wikictl/tenants/ledger"
	"wikictl/tenants/maintenance"
	"wikictl/tenants/mariadb"
	"wikictl/tenants/session"
)

// Time limits of readings, so that a server that hangs does not delay the others.
const (
	ledgerLimit = 2 * time.Second
	serverLimit = 5 * time.Second
)

// state holds the values of the ledger and of the servers.
type state struct {
	rows     map[string]ledger.Tenant  // nil: the ledger was never read
	open     map[string]ledger.Upgrade // unfinished upgrades
	upgraded map[string]ledger.Upgrade // the latest of each wiki
	runs     []ledger.Run              // the latest of each command that ended
	servers  map[string]bool           // by name: it answers
	backlogs map[string]maintenance.Backlog
	replicas map[*tenants.Server]mariadb.Replica
}

// open loads the farm, and opens it at start. Without a valid farm f is nil; if the farm can't be
// opened, h is nil, and the reading of the given kind has failed.
func (e *Exporter) open(ctx context.Context, kind string) (f *tenants.Farm, h *session.Host, start time.Time) {
	f, start = e.load(ctx), time.Now()
	if f == nil {
		return nil, nil, start
	}
	h, err := e.options.Open(f)
	if err != nil {
		e.note(kind, start, err)
		return f, nil, start
	}
	return f, h, start
}

// measure probes the wikis, and reads the ledger and the queues.
func (e *Exporter) measure(ctx context.Context) {
	f, h, start := e.open(ctx, "ledger")
	if f == nil {
		return
	}
	if h == nil {
		e.probeAll(ctx, f, targets(f, e.rows()))
		return
	}
	defer func() { _ = h.Close() }() // it has only read
	e.note("ledger", start, e.readLedger(ctx, h))
	var wait sync.WaitGroup
	wait.Go(func() {
		start := time.Now()
		e.note("jobs", start, e.readServers(ctx, h))
	})
	wait.Go(func() { e.readReplicas(ctx, h) })
	e.probeAll(ctx, f, targets(f, e.rows()))
	wait.Wait()
}

// rows returns the ledger's tenants as of the latest reading.
func (e *Exporter) rows() map[string]ledger.Tenant {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.state.rows
}

// readLedger reads tenants, upgrades and runs. Values that can't be read stay as they were.
func (e *Exporter) readLedger(ctx context.Context, h *session.Host) error {
	ctx, cancel := context.WithTimeout(ctx, ledgerLimit)
	defer cancel()
	l, err := h.Ledger(ctx)
	if err != nil {
		return err
	}
	var s state
	for _, read := range []func() error{
		func() (err error) { s.rows, err = l.Tenants(ctx); return err },
		func() (err error) { s.open, err = l.OpenUpgrades(ctx); return err },
		func() (err error) { s.upgraded, err = l.LastUpgraded(ctx); return err },
		func() (err error) { s.runs, err = l.LatestRuns(ctx); return err },
	} {
		if err := read(); err != nil {
			return err
		}
	}
	e.update(func() {
		e.state.rows, e.state.open, e.state.upgraded, e.state.runs = s.rows, s.open, s.upgraded, s.runs
	})
	return nil
}

// update calls change, which sets what Collect sends, while nothing else reads or sets it.
func (e *Exporter) update(change func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	change()
}

// readServers reads the queues of the wikis, on all servers concurrently.
func (e *Exporter) readServers(ctx context.Context, h *session.Host) error {
	on := map[*tenants.Server][]*tenants.Tenant{}
	for _, t := range h.Farm.Tenants {
		on[t.Server] = append(on[t.Server], t)
	}
	defs := slices.Collect(maps.Values(h.Farm.Servers))
	up, backlogs := map[string]bool{}, map[string]maintenance.Backlog{}
	var failures []error
	for _, r := range fleet.Run(ctx, defs, fleet.Options[*tenants.Server]{Jobs: len(defs), MaxFailures: fleet.NoLimit}, func(ctx context.Context, def *tenants.Server) ([]maintenance.Backlog, error) {
		ctx, cancel := context.WithTimeout(ctx, serverLimit)
		defer cancel()
		if _, err := h.Server(ctx, def); err != nil {
			return nil, &downError{err}
		}
		return maintenance.Backlogs(ctx, h, on[def])
	}) {
		up[r.Item.Name] = !errors.As(r.Err, new(*downError))
		failures = append(failures, r.Err)
		for _, b := range r.Value {
			failures = append(failures, b.Err)
			if b.Err == nil {
				backlogs[b.Tenant] = b
			}
		}
	}
	e.update(func() { e.state.servers, e.state.backlogs = up, backlogs })
	return errors.Join(failures...)
}

// readReplicas reads the state of all replicas concurrently.
func (e *Exporter) readReplicas(ctx context.Context, h *session.Host) {
	ctx, cancel := context.WithTimeout(ctx, serverLimit)
	defer cancel()
	var list []*tenants.Server
	for _, def := range h.Farm.Servers {
		list = append(list, def.Replicas...)
	}
	found := map[*tenants.Server]mariadb.Replica{}
	for _, r := range fleet.Run(ctx, list, fleet.Options[*tenants.Server]{Jobs: len(list), MaxFailures: fleet.NoLimit}, func(ctx context.Context, replica *tenants.Server) (mariadb.Replica, error) {
		return h.InspectReplica(ctx, replica), nil
	}) {
		found[r.Item] = r.Value
	}
	e.update(func() { e.state.replicas = found })
}

// downError reports a server that wikictl can't connect to.
type downError struct{ error }

func (e *downError) Unwrap() error { return e.error }
