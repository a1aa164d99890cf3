package maintenance

import (
	"context"
	"fmt"
	"time"

	"wikictl/tenants"
	"wikictl/tenants/ledger"
	"wikictl/tenants/mariadb"
	"wikictl/tenants/session"
)

// Backlog describes a tenant's job queue and the jobs run lately.
type Backlog struct {
	Tenant string
	mariadb.Queue
	Run ledger.JobsRun // jobs that wikictl ran in the last 24 hours
	Err error          // reason why the queue can't be read
}

// Backlogs reads the job queues of created tenants, in order.
func Backlogs(ctx context.Context, h *session.Host, list []*tenants.Tenant) ([]Backlog, error) {
	l, rows, err := h.ReadLedger(ctx)
	if err != nil {
		return nil, err
	}
	run, err := l.JobsRunSince(ctx, time.Now().Add(-24*time.Hour))
	if err != nil {
		return nil, err
	}
	var all []Backlog
	databases := map[*tenants.Server][]string{}
	for _, t := range list {
		if row, made := rows[t.Name]; made && row.State != ledger.Creating && t.Server != nil {
			databases[t.Server] = append(databases[t.Server], t.Database)
		}
	}
	queues, failed := map[*tenants.Server]map[string]mariadb.Queue{}, map[*tenants.Server]map[string]error{}
	for def, names := range databases {
		server, err := h.Server(ctx, def)
		if err != nil {
			failed[def] = map[string]error{}
			for _, name := range names {
				failed[def][name] = err
			}
			continue
		}
		queues[def], failed[def] = server.Queues(ctx, names)
	}
	for _, t := range list {
		queue, read := queues[t.Server][t.Database]
		why := failed[t.Server][t.Database]
		if read || why != nil {
			all = append(all, Backlog{Tenant: t.Name, Queue: queue, Run: run[t.Name], Err: why})
		}
	}
	return all, ctx.Err()
}

// Age returns the age of the oldest unclaimed job; zero if there is none.
func (b Backlog) Age(now time.Time) time.Duration {
	if b.Oldest.IsZero() {
		return 0
	}
	return max(now.Sub(b.Oldest), 0)
}

// Rate returns the number of jobs run per hour, as text.
func (b Backlog) Rate() string { return fmt.Sprintf("%.1f", float64(b.Run.Done)/24) }
