package page

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"wikictl/cmd/internal/ui"
	"wikictl/tenants"
	"wikictl/tenants/audit"
	"wikictl/tenants/ledger"
)

// cell is a value to display, with a key to sort by. A negative key is unknown and sorts
// last in both directions.
type cell struct {
	Key  float64 `json:"k"`
	Text string  `json:"t"`
	Tone string  `json:"c,omitempty"` // error, warning or quiet
}

// unknown returns a cell for a value that was not read or does not exist.
func unknown(text string) cell { return cell{-1, text, "quiet"} }

// pageRow is one tenant.
type pageRow struct {
	Name     string        `json:"name"`
	URL      string        `json:"-"`
	Sitename string        `json:"sitename"`
	Hosts    []string      `json:"hosts"`
	Classes  []string      `json:"classes,omitempty"`
	Files    []string      `json:"files"`
	Version  cell          `json:"version"`          // the one that it runs
	Wanted   string        `json:"wanted,omitempty"` // version, if different
	Server   string        `json:"server"`
	Database string        `json:"database"`
	Language string        `json:"language"`
	Size     cell          `json:"size"`
	Backup   cell          `json:"backup"`
	Findings cell          `json:"findings"`
	Also     int           `json:"also,omitempty"`  // findings below the worst severity
	Found    []int         `json:"found,omitempty"` // indexes in pageData.Findings, worst first
	Upgrade  cell          `json:"upgrade"`
	Upgrades []pageUpgrade `json:"upgrades,omitempty"` // newest first
	Older    int           `json:"older,omitempty"`    // number of omitted upgrades
}

// pageUpgrade is one upgrade of a tenant. JSON omits the usual values, as there may be
// 50,000 upgrades.
type pageUpgrade struct {
	Of       int    `json:"of"` // index in pageData.Runs
	Started  string `json:"started"`
	Took     string `json:"took"`               // empty if unknown
	ReadOnly string `json:"readonly,omitempty"` // empty: same as Took
	Outcome  string `json:"outcome,omitempty"`  // empty: upgraded
	Tone     string `json:"c,omitempty"`
	Error    string `json:"error,omitempty"`
}

// pageRun is a run with the versions that it upgraded from and to.
type pageRun struct {
	ID   string `json:"run"`
	From string `json:"from"`
	To   string `json:"to"`
}

// pageRuns numbers the runs of upgrades.
type pageRuns struct {
	list []pageRun
	at   map[pageRun]int
}

func (p *pageRuns) number(r pageRun) int {
	n, known := p.at[r]
	if !known {
		n = len(p.list)
		p.at[r] = n
		p.list = append(p.list, r)
	}
	return n
}

// reportRows returns a row per tenant, in the order of r.Tenants, and the runs of their
// upgrades.
func reportRows(r FarmReport, past []pastUpgrade) ([]pageRow, []pageRun) {
	found := foundAt(r.Audit)
	upgrades := map[string][]pastUpgrade{}
	for _, u := range past {
		upgrades[u.Tenant] = append(upgrades[u.Tenant], u)
	}
	rows, runs := make([]pageRow, len(r.Tenants)), pageRuns{at: map[pageRun]int{}}
	for i, t := range r.Tenants {
		row := pageRow{
			Name: t.Name, URL: strings.ReplaceAll(r.Farm.Web.URL, "{host}", t.Hosts[0]) + t.Path, Sitename: t.Sitename,
			Hosts: t.Places(), Classes: t.Classes, Files: t.Files, Server: t.Server.Name, Database: t.Database, Language: t.Language,
			Backup: backupCell(r, t.Name), Found: found[t.Name],
		}
		row.Version, row.Wanted = versionCell(r, t)
		row.Size = sizeCell(r, t)
		row.Findings, row.Also = findingsCell(r.Audit, found[t.Name])
		row.setUpgrades(r.Ledger != nil, upgrades[t.Name], &runs)
		rows[i] = row
	}
	return rows, runs.list
}

// foundAt returns the indexes of the findings of each tenant.
func foundAt(r *audit.Report) map[string][]int {
	found := map[string][]int{}
	if r == nil {
		return found
	}
	for i, f := range r.Findings {
		for _, name := range f.Tenants {
			found[name] = append(found[name], i)
		}
	}
	return found
}

// versionCell returns the version that a tenant runs, and the wanted one if it differs.
func versionCell(r FarmReport, t *tenants.Tenant) (cell, string) {
	wanted := t.Codebase.Version
	if r.Ledger == nil {
		return unknown("not known"), wanted
	}
	row, known := r.Ledger[t.Name]
	if !known {
		return cell{0, "not created", "quiet"}, wanted
	}
	actual := cell{Key: versionKey(row.Version), Text: row.Version}
	if row.State != ledger.Ready {
		actual.Text, actual.Tone = actual.Text+", "+string(row.State), "warning"
	}
	if row.Version == wanted {
		wanted = ""
	}
	return actual, wanted
}

// versionKey sorts 1.43.9 before 1.43.10.
func versionKey(version string) float64 {
	var major, minor, patch int
	fmt.Sscanf(version, "%d.%d.%d", &major, &minor, &patch)
	return float64(major*1e6 + minor*1e3 + patch)
}

// sizeCell returns the size of the tenant's database at its place in the ledger, which
// may differ from the definitions.
func sizeCell(r FarmReport, t *tenants.Tenant) cell {
	server, database := t.Server.Name, t.Database
	if row, known := r.Ledger[t.Name]; known {
		server, database = row.Server, row.Database
	}
	read, ok := r.Sizes[server]
	if !ok {
		return unknown("not known")
	}
	bytes, found := read[database]
	if !found {
		return unknown("no tables")
	}
	return cell{Key: float64(bytes), Text: byteSize(bytes)}
}

// never is the age of a missing backup: the oldest.
const never = 1e12

// oldBackup is the age from which a backup is marked as old.
const oldBackup = 30 * 24 * time.Hour

func backupCell(r FarmReport, name string) cell {
	b, read := r.Backups[name]
	if !read {
		return unknown("not known")
	}
	if b == nil {
		return cell{never, "none", "warning"}
	}
	age := r.Made.Sub(b.Taken)
	c := cell{Key: max(age.Seconds(), 0), Text: ageText(age)}
	if age > oldBackup {
		c.Tone = "warning"
	}
	return c
}

// findingsCell counts a tenant's worst findings, and the others.
func findingsCell(r *audit.Report, found []int) (c cell, also int) {
	if r == nil {
		return unknown("not known"), 0
	}
	if len(found) == 0 {
		return cell{Text: "none", Tone: "quiet"}, 0
	}
	counts := map[audit.Severity]int{}
	for _, i := range found {
		counts[r.Findings[i].Severity]++
	}
	worst := r.Findings[found[0]].Severity
	key := float64(counts[audit.Error])*1e8 + float64(counts[audit.Warning])*1e4 + float64(counts[audit.Note])
	return cell{key, ui.Plural(counts[worst], worst.String()), worst.String()}, len(found) - counts[worst]
}

// shownUpgrades is the number of upgrades per tenant on the page.
const shownUpgrades = 5

// setUpgrades fills in a tenant's upgrades from all, oldest first.
func (row *pageRow) setUpgrades(ledgerRead bool, all []pastUpgrade, runs *pageRuns) {
	switch {
	case !ledgerRead:
		row.Upgrade = unknown("not known")
		return
	case len(all) == 0:
		row.Upgrade = unknown("never")
		return
	}
	last := all[len(all)-1]
	row.Upgrade = cell{last.took.Seconds(), durationText(last.took), last.tone}
	if last.tone != "" {
		row.Upgrade.Text += ", " + last.outcome
	}
	if last.rolledBack {
		row.Upgrade = cell{-1, last.outcome, last.tone}
	}
	row.Older = max(len(all)-shownUpgrades, 0)
	for _, u := range slices.Backward(all[row.Older:]) {
		row.Upgrades = append(row.Upgrades, newPageUpgrade(u, runs))
	}
}

func newPageUpgrade(u pastUpgrade, runs *pageRuns) pageUpgrade {
	shown := pageUpgrade{
		Of: runs.number(pageRun{u.Run, u.OldVersion, u.NewVersion}), Started: dateTime(u.Started.Time), Error: u.Error, Tone: u.tone,
	}
	if u.rolledBack {
		shown.Outcome = u.outcome + " " + dateTime(u.Ended.Time)
		return shown
	}
	shown.Took = durationText(u.took)
	if text := durationText(u.readOnly); text != shown.Took {
		shown.ReadOnly = text
	}
	if u.outcome != upgraded {
		shown.Outcome = u.outcome
	}
	return shown
}
