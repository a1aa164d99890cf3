package upgrade

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"wikictl/migrations/farmsql"
	"wikictl/migrations/upgrade/forecast"
	"wikictl/tenants"
	"wikictl/tenants/ledger"
	"wikictl/tenants/mediawiki"
	"wikictl/tenants/session"
)

// Plan is the plan of an upgrade.
type Plan struct {
	Tenants   []*Planned `json:"tenants"` // in the order in which they start
	Unchanged int        `json:"unchanged"`
	Waves     int        `json:"waves"`
	Space     int64      `json:"space"`   // bytes that the dumps may need
	Free      int64      `json:"free"`    // bytes on the disk for dumps
	Seconds   float64    `json:"seconds"` // expected for the whole run, without pauses
	Digest    string     `json:"digest"`  // changes if the plan changes

	DataFolders []DataFolder `json:"data_folders"` // of the servers whose disks can be seen
	Unseen      []string     `json:"unseen"`       // servers whose disks can't be seen from here

	rates          forecast.Rates
	all, unchanged []*tenants.Tenant
	sql            farmsql.Files
	layout         tenants.Layout
}

// Planned is one tenant of a Plan.
type Planned struct {
	Name        string          `json:"name"`
	Old         string          `json:"old"` // version
	New         string          `json:"new"`
	Wave        int             `json:"wave"`
	Level       mediawiki.Level `json:"level"`                 // of the schema, as found
	Bytes       int64           `json:"bytes"`                 // of the database
	Seconds     float64         `json:"seconds"`               // expected time in which it is read-only
	Forecast    forecast.Phases `json:"forecast"`              // the parts of Seconds
	Interrupted ledger.Phase    `json:"interrupted,omitempty"` // phase of an interrupted earlier run
	SQL         []string        `json:"sql,omitempty"`         // the farm's own files
	Jobs        int64           `json:"jobs"`                  // in its queue; --run-jobs runs them on the old code first
	Locked      string          `json:"locked,omitempty"`      // holder of its lock
	Problems    []string        `json:"problems,omitempty"`    // reasons why it can't be upgraded
	Remarks     []string        `json:"remarks,omitempty"`     // other facts for the user

	wiki   forecast.Wiki
	shape  string // of its tables, as mariadb.Facts.Shape
	tenant *tenants.Tenant
	row    ledger.Tenant
	code   bool // it gets other code, or the updater is forced
	// needsMedia means that its new code can read the tables of its Media only once that wiki
	// is upgraded.
	needsMedia bool
	further    []string         // further databases
	folder     string           // of its server's databases; empty if it can't be seen
	files      map[string]int64 // bytes of each table there
	own        int              // number of Problems that concern this tenant only and block no other
}

// Blocked lists the tenants with problems.
func (p *Plan) Blocked() []Planned {
	var blocked []Planned
	for _, j := range p.Tenants {
		if len(j.Problems) > 0 {
			blocked = append(blocked, *j)
		}
	}
	return blocked
}

// stopping lists the tenants with problems that block the whole run, unless SkipBlocked is
// set. Problems that concern one tenant only do not: a fault of its own definition, an
// unreachable server or php, a wiki that does not exist.
func (p *Plan) stopping() []Planned {
	return slices.DeleteFunc(p.Blocked(), func(j Planned) bool { return len(j.Problems) == j.own })
}

// block adds a problem that concerns this tenant only.
func (j *Planned) block(problem string) {
	j.Problems = append(j.Problems, problem)
	j.own++
}

// wave lists the tenants of a wave, those with the longest expected time first.
func (p *Plan) wave(n int) []*Planned {
	var jobs []*Planned
	for _, j := range p.Tenants {
		if j.Wave == n {
			jobs = append(jobs, j)
		}
	}
	return jobs
}

// Make plans the upgrade of the tenants of list: it inspects them, the ledger, the servers
// and the disk, and changes nothing.
func Make(ctx context.Context, h *session.Host, list []*tenants.Tenant, o Options) (*Plan, error) {
	ledger, rows, err := h.ReadLedger(ctx)
	if err != nil {
		return nil, err
	}
	open, err := ledger.OpenUpgrades(ctx)
	if err != nil {
		return nil, err
	}
	seen, err := ledger.FarmSQL(ctx)
	if err != nil {
		return nil, err
	}
	p := &Plan{all: list, layout: h.Layout}
	if p.sql, err = farmsql.Read(h.Farm.Migrations); err != nil {
		return nil, err
	}
	obstacles := h.Obstacles(ctx, list, nil)
	for _, t := range list {
		j := p.planned(t, rows, open, seen, o.Force)
		if problems := obstacles[t.Name]; problems != nil {
			j = &Planned{Name: t.Name, Old: rows[t.Name].Version, New: t.Codebase.Version, tenant: t, row: rows[t.Name], Interrupted: open[t.Name].Phase}
			for _, problem := range problems {
				j.block(problem.String())
			}
		}
		if j == nil {
			p.unchanged = append(p.unchanged, t)
			continue
		}
		p.Tenants = append(p.Tenants, j)
	}
	p.Unchanged = len(p.unchanged)
	if len(p.Tenants) == 0 {
		return p, nil
	}
	p.checkFamilies(ctx, h, rows, open)
	return p, p.inspect(ctx, h, ledger, o)
}

// planned returns the plan for a tenant, or nil if there is nothing to do.
func (p *Plan) planned(t *tenants.Tenant, rows map[string]ledger.Tenant, open map[string]ledger.Upgrade, seen map[string]map[string]string, force bool) *Planned {
	row, known := rows[t.Name]
	j := &Planned{Name: t.Name, Old: row.Version, New: t.Codebase.Version, tenant: t, row: row}
	if row.State == ledger.Recovering {
		j.block(fmt.Sprintf("run %s began to restore it, or to copy another into it, and did not finish; %s", row.Run, session.Completion(p.layout, t, row)))
		return j
	}
	if row.State == ledger.Leaving || row.State == ledger.Returning {
		j.block(fmt.Sprintf("run %s began to remove it, or to bring it back, and did not finish; wikictl plan %s says what finishes it", row.Run, t.Name))
		return j
	}
	if !known || row.State != ledger.Ready {
		j.block(ledger.NotCreated(t, rows))
		return j
	}
	j.Interrupted = open[t.Name].Phase
	j.code = force || row.ComponentSet != t.ComponentSet(t.Codebase)
	names, err := p.sql.Pending(t, seen[t.Name])
	if err != nil {
		j.Problems = append(j.Problems, err.Error())
	}
	j.SQL = names
	if !j.code && j.Interrupted == "" && len(names) == 0 && err == nil {
		return nil
	}
	if row.Server != t.Server.Name || row.Database != t.Database {
		j.Problems = append(j.Problems, fmt.Sprintf("the ledger has it in database %s on server %s, the definitions in %s on %s", row.Database, row.Server, t.Database, t.Server.Name))
	}
	for _, name := range []string{"wgReadOnly", "wgSharedDB", "wgSharedTables", "wgAllowSchemaUpdates"} {
		if v, set := t.Settings[name]; set && !harmless(name, v) {
			j.Problems = append(j.Problems, fmt.Sprintf("%s: $%s is set, and with it update.php can't be run for one wiki alone; %s", t.Origins["settings."+name], name, without(name)))
		}
	}
	return j
}

// without returns what to do about a setting with which update.php can't run for one wiki.
func without(name string) string {
	if name == "wgSharedDB" || name == "wgSharedTables" {
		return "unset it, or upgrade the wikis that share tables by hand, all of them read-only: first one by update.php --doshared, which changes the shared tables for all, then each other by update.php (Manual:Shared database)"
	}
	return "unset it"
}

// harmless reports whether update.php runs with this value of a setting of which other values
// stop it.
func harmless(name string, v tenants.Value) bool {
	if name == "wgAllowSchemaUpdates" {
		return v.Data == true
	}
	return v.Data == false || v.Data == ""
}

// need returns how many bytes a dump may take: twice the last one, or a quarter of the
// database, because text compresses.
func need(j *Planned, history map[string]ledger.Upgrade) int64 {
	if h, ok := history[j.Name]; ok && h.BackupBytes > 0 {
		return 2 * h.BackupBytes
	}
	return j.Bytes / 4
}

// assign puts each tenant into a wave: canaries and interrupted tenants into the first.
func (p *Plan) assign(o Options) error {
	for _, name := range o.Canary {
		if !slices.ContainsFunc(p.Tenants, func(j *Planned) bool { return j.Name == name }) {
			return tenants.Selectf("--canary %s is not among the wikis to upgrade", name)
		}
	}
	slices.SortStableFunc(p.Tenants, func(a, b *Planned) int {
		return cmp.Or(cmp.Compare(rank(a, o), rank(b, o)), cmp.Compare(b.Seconds, a.Seconds), strings.Compare(a.Name, b.Name))
	})
	first := min(o.CanaryShare.Of(len(p.Tenants)), len(p.Tenants))
	if len(o.Canary) > 0 || first == 0 {
		first = slices.IndexFunc(p.Tenants, func(j *Planned) bool { return rank(j, o) > 1 })
		if first < 0 {
			first = len(p.Tenants)
		}
		if len(o.Canary) == 0 {
			first = 0
		}
	}
	wave := 0
	begin := func(from, to int) {
		if from < to {
			wave++
		}
		for _, j := range p.Tenants[from:max(from, to)] {
			j.Wave = wave
		}
	}
	begin(0, first)
	at := first
	for _, share := range append(slices.Clone(o.Waves), Share{100, true}) {
		to := min(first+share.Of(len(p.Tenants)-first), len(p.Tenants))
		begin(at, to)
		at = max(at, to)
	}
	p.Waves = wave
	return nil
}

func rank(j *Planned, o Options) int {
	switch {
	case j.Interrupted != "":
		return 0
	case slices.Contains(o.Canary, j.Name):
		return 1
	}
	return 2
}

// digest returns a hash of the plan: the work, the tenants and their waves.
func (p *Plan) digest() string {
	h := sha256.New()
	for _, j := range p.Tenants {
		fmt.Fprintln(h, j.Name, j.row.ComponentSet, j.tenant.ComponentSet(j.tenant.Codebase), j.Wave, j.SQL)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}
