package upgrade

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"time"

	"wikictl/migrations/upgrade/forecast"
	"wikictl/migrations/upgrade/losses"
	"wikictl/tenants/ledger"
	"wikictl/tenants/session"
)

// Names of steps by which the ledger tells how long the parts of an upgrade took.
const (
	stepBackup = "backup"
	stepUpdate = "update.php"
	stepAhead  = "ahead"
)

// openSteps are the steps during which a wiki can be edited.
var openSteps = []string{"lock", "jobs", "messages", stepAhead, "before", "mark"}

// census is the size of a database before an upgrade.
type census struct {
	losses.Snapshot
	Bytes int64    `json:"bytes"`           // of its files
	Ahead []string `json:"ahead,omitempty"` // tables whose rows were moved ahead
}

// foresee forecasts the duration of each tenant's upgrade.
func (p *Plan) foresee(ctx context.Context, h *session.Host, l *ledger.Ledger, o Options) error {
	took, err := l.Took(ctx, stepBackup, stepUpdate, openSteps)
	if err != nil {
		return err
	}
	p.rates = forecast.Learn(pastOf(took))
	for _, def := range serversOf(p) {
		here := map[string]*Planned{}
		for _, j := range p.Tenants {
			if j.tenant.Server == def && j.own == 0 {
				here[j.tenant.Database] = j
			}
		}
		if err := estimate(ctx, h, here); err != nil {
			return err
		}
	}
	for _, j := range p.Tenants {
		j.expect(p.rates, o)
	}
	return nil
}

// addUp sets the expected duration of the run, in which no blocked tenant is upgraded.
func (p *Plan) addUp(jobs int) {
	var all, longest float64
	able := 0
	for _, j := range p.Tenants {
		if len(j.Problems) == 0 {
			seconds := j.Forecast.Ahead + j.Seconds
			all, longest, able = all+seconds, max(longest, seconds), able+1
		}
	}
	p.Seconds = max(all/float64(max(min(jobs, able), 1)), longest)
}

// estimate reads the approximate number of rows of the tables that the updater rewrites.
func estimate(ctx context.Context, h *session.Host, here map[string]*Planned) error {
	var databases []string
	for database, j := range here {
		if j.code {
			databases = append(databases, database)
		}
		j.wiki = forecast.Wiki{Old: j.Old, New: j.New, Bytes: j.Bytes}
	}
	if len(databases) == 0 {
		return nil
	}
	s, err := h.Server(ctx, here[databases[0]].tenant.Server)
	if err != nil {
		return err
	}
	rows, err := s.RowEstimates(ctx, databases, forecast.Tables())
	for database, found := range rows {
		here[database].wiki.Rows = found
	}
	return err
}

// expect sets the expected duration of a tenant's upgrade, and adds remarks about the
// causes of a long one.
func (j *Planned) expect(rates forecast.Rates, o Options) {
	j.expectAhead(rates, o)
	j.Forecast = rates.Of(j.wiki, o.Backup != NoBackup)
	if !j.code {
		j.Forecast.Update = 0
	}
	j.Seconds = j.Forecast.Total()
	if j.code {
		j.Remarks = append(j.Remarks, rates.Remarks(j.wiki)...)
	}
}

// pastOf converts upgrades of the ledger for forecast.Learn.
func pastOf(took []ledger.Took) (past []forecast.Past) {
	for _, t := range took {
		var c census
		if json.Unmarshal(t.Census, &c) != nil {
			continue // of another version of wikictl
		}
		past = append(past, forecast.Past{
			Wiki: forecast.Wiki{Old: t.Old, New: t.New, Bytes: c.Bytes, Rows: c.Rows, Ahead: c.Ahead},
			Took: forecast.Phases{Backup: t.Backup, Update: t.Update, Rest: t.Others},
		})
	}
	return past
}

// recount forecasts the remaining time again after the dump, with the counted rows.
func (k *task) recount() {
	k.plan.wiki.Rows = k.census.Rows
	k.plan.Forecast.Update = k.up.rates.Of(k.plan.wiki, false).Update
	k.plan.Seconds = k.plan.Forecast.Update + k.plan.Forecast.Rest
}

// every is the interval at which the updater's progress is read.
const every = 2 * time.Second

// watched runs the updater and shows its progress, by reading its log.
func (k *task) watched(log string, run func() error) error {
	ended, watching := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(watching)
		k.watch(log, ended)
	}()
	defer func() { close(ended); <-watching }()
	return run()
}

// watch reads a log as it grows, until the updater has ended. It ignores a log that can't be
// read.
func (k *task) watch(log string, ended <-chan struct{}) {
	meter, begun := forecast.NewMeter(k.plan.wiki), time.Now()
	var read int64
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ended:
			return
		case <-tick.C:
		}
		read += copyFrom(log, read, meter)
		if text := meter.Text(); text != "" {
			k.up.run.Progress(k.tenant.Name, fmt.Sprintf("%s: %s, %s of about %s", stepUpdate, text, forecast.Text(time.Since(begun).Seconds()), forecast.Text(k.plan.Forecast.Update)))
		}
	}
}

// copyFrom copies the part of a file after a number of bytes, and returns the number of
// copied bytes.
func copyFrom(path string, from int64, to io.Writer) int64 {
	f, err := os.Open(path)
	if err != nil {
		return 0 // it does not exist yet
	}
	defer f.Close()
	n, _ := io.Copy(to, io.NewSectionReader(f, from, math.MaxInt64-from))
	return n
}
