package observe

import (
	"context"
	"errors"
	"io/fs"
	"strings"

	"wikictl/tenants/ledger"
	"wikictl/tenants/mariadb"
	"wikictl/tenants/session"
)

// LedgerState is a snapshot of the ledger and of the locks that its runs hold.
type LedgerState struct {
	tenants  map[string]ledger.Tenant  // nil if the ledger can't be read
	Upgrades map[string]ledger.Upgrade // open upgrades by tenant
	Runs     []ledger.Run              // open runs
	Further  []ledger.Database         // further databases of all tenants
	Losses   map[string][]ledger.Loss  // unacknowledged losses by tenant
	Alive    map[string]bool           // ids of the runs whose session is open
	JobsRun  bool                      // a run of jobs is active; Alive omits it, because it makes nothing
	Copying  map[string]ledger.Copying // how unfinished restores make tenants, by tenant
	busy     map[string]string         // the holder of a tenant's lock, by tenant
}

// copying reads how unfinished restores make tenants, by tenant.
func copying(h *session.Host, rows map[string]ledger.Tenant) map[string]ledger.Copying {
	found := map[string]ledger.Copying{}
	for name, row := range rows {
		if t := h.Farm.Tenant(name); t != nil && row.State == ledger.Recovering {
			found[name] = session.CopyingOf(h.Layout, t, row)
		}
	}
	return found
}

// inspectLedger reads the ledger by a fixed number of queries, plus one per few hundred
// tenants while a run is active. The result is empty if no wiki has been created yet, or
// if the server can't be reached, which another rule reports.
func inspectLedger(ctx context.Context, h *session.Host, servers map[string]Server) (l LedgerState, err error) {
	if servers[h.Farm.Ledger.Name].Err != nil {
		return l, nil
	}
	led, err := h.Ledger(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		return LedgerState{tenants: map[string]ledger.Tenant{}}, nil
	}
	if err != nil {
		return l, err
	}
	// The order matters: a run that ends after it was read here is no longer open in the
	// second snapshot.
	if l.tenants, err = led.Tenants(ctx); err != nil {
		return l, err
	}
	l.Copying = copying(h, l.tenants)
	if l.Further, err = led.Databases(ctx); err != nil {
		return l, err
	}
	if l.Upgrades, err = led.OpenUpgrades(ctx); err != nil {
		return l, err
	}
	if l.Runs, err = led.OpenRuns(ctx); err != nil {
		return l, err
	}
	losses, err := led.Losses(ctx)
	if err != nil {
		return l, err
	}
	l.Losses = map[string][]ledger.Loss{}
	for _, loss := range losses {
		if !loss.Acknowledged.Valid {
			l.Losses[loss.Tenant] = append(l.Losses[loss.Tenant], loss)
		}
	}
	sessions, err := led.Sessions(ctx)
	if err != nil {
		return l, err
	}
	l.Alive, l.busy = map[string]bool{}, map[string]string{}
	for name, state := range servers {
		if state.Err == nil {
			if err := l.readLocks(ctx, state.server, h, ofServer(sessions, name)); err != nil {
				return l, err
			}
		}
	}
	for _, run := range l.Runs {
		if run.Command == ledger.JobsCommand && l.Alive[run.ID] {
			l.JobsRun = true
			delete(l.Alive, run.ID)
		}
	}
	return l, nil
}

func ofServer(all []ledger.Session, server string) map[int64]ledger.Session {
	sessions := map[int64]ledger.Session{}
	for _, s := range all {
		if s.Server == server {
			sessions[s.Connection] = s
		}
	}
	return sessions
}

// readLocks finds out which runs are alive and which tenants of a server they have
// locked.
func (l *LedgerState) readLocks(ctx context.Context, s *mariadb.Server, h *session.Host, sessions map[int64]ledger.Session) error {
	pulse, err := s.Pulse(ctx)
	if err != nil {
		return err
	}
	going := false
	for _, session := range sessions {
		if pulse.Lives(session.Connection, session.Since) {
			going = true
			_, run, _ := strings.Cut(session.Holder, ", run ")
			l.Alive[run] = true
		}
	}
	if !going {
		return nil
	}
	byLock := map[string]string{}
	for _, t := range h.Farm.Tenants {
		byLock[t.Database] = t.Name
	}
	for name, row := range l.tenants {
		if row.Server == s.Name {
			byLock[row.Database] = name
		}
	}
	names := make([]string, 0, len(byLock))
	for name := range byLock {
		names = append(names, name)
	}
	held, err := s.Held(ctx, names)
	for name, connection := range held {
		l.busy[byLock[name]] = sessions[connection].Holder
	}
	return err
}

// busyIn returns the tenants that were locked in one of two snapshots, or in between.
func busyIn(before, after LedgerState) map[string]string {
	busy := map[string]string{}
	for name, row := range after.tenants {
		if row != before.tenants[name] || after.Upgrades[name] != before.Upgrades[name] {
			busy[name] = "run " + row.Run
		}
	}
	for name, row := range before.tenants {
		if _, still := after.tenants[name]; !still {
			busy[name] = "run " + row.Run
		}
	}
	for _, state := range []LedgerState{before, after} {
		for name, holder := range state.busy {
			busy[name] = holder
		}
	}
	return busy
}

// keep drops the runs that were not open before, and counts those alive before as alive.
func (l *LedgerState) keep(before LedgerState) {
	open := map[string]bool{}
	for _, r := range before.Runs {
		open[r.ID] = true
	}
	var both []ledger.Run
	for _, r := range l.Runs {
		if open[r.ID] && !before.Alive[r.ID] {
			both = append(both, r)
		}
	}
	l.Runs, l.JobsRun = both, l.JobsRun || before.JobsRun
}
