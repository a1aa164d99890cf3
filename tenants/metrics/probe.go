package metrics

import (
	"context"
	"time"

	"wikictl/tenants"
	"wikictl/tenants/fleet"
	"wikictl/tenants/ledger"
	"wikictl/tenants/session"
	"wikictl/tenants/wiki"
)

// target is one of a wiki's host names.
type target struct{ wiki, host string }

// probed is a wiki's answer by one of its host names.
type probed struct {
	at      time.Time
	seconds float64
	version string // of MediaWiki, as the wiki reports it
	err     error  // it did not answer, or another wiki did
}

// targets returns the host names of the wikis that should answer: created ones that no run is
// making, replacing or removing. Without the ledger it returns those of all wikis.
func targets(f *tenants.Farm, rows map[string]ledger.Tenant) (all []target) {
	for _, t := range f.Tenants {
		row, made := rows[t.Name]
		if rows != nil && (!made || row.State != ledger.Ready && row.State != ledger.Made) {
			continue
		}
		for _, host := range t.Places() {
			all = append(all, target{t.Name, host})
		}
	}
	return all
}

// probeAll probes wikis concurrently and stores each answer as it arrives. It removes the answers
// of former targets.
func (e *Exporter) probeAll(ctx context.Context, f *tenants.Farm, all []target) {
	start := time.Now()
	wanted := make(map[target]bool, len(all))
	for _, t := range all {
		wanted[t] = true
	}
	e.mu.Lock()
	for t := range e.probes {
		if !wanted[t] {
			delete(e.probes, t)
		}
	}
	e.mu.Unlock()
	fleet.Run(ctx, all, fleet.Options[target]{Jobs: e.options.Probes, MaxFailures: fleet.NoLimit}, func(ctx context.Context, t target) (struct{}, error) {
		p := probe(ctx, f, t, e.options.ProbeLimit)
		if ctx.Err() != nil {
			return struct{}{}, ctx.Err() // the error is not the wiki's
		}
		e.mu.Lock()
		defer e.mu.Unlock()
		e.probes[t] = p
		return struct{}{}, nil
	})
	e.note("probes", start, ctx.Err())
}

// probe requests a wiki's version and identity.
func probe(ctx context.Context, f *tenants.Farm, t target, limit time.Duration) (p probed) {
	start := time.Now()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	info, err := wiki.Probe(ctx, f.ProbeBy(t.host), t.host)
	if err == nil {
		err = session.Differ(t.host, info, wiki.SiteInfo{DBName: f.Tenant(t.wiki).Database})
	}
	return probed{at: time.Now(), seconds: time.Since(start).Seconds(), version: info.Version, err: err}
}
