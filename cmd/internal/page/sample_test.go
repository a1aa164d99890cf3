package page

import (
	"bytes"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"wikictl/tenants"
	"wikictl/tenants/audit"
	"wikictl/tenants/backup"
	"wikictl/tenants/ledger"
)

const hostile = `<script>alert(1)</script>"'&`

var reportDay = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// sampleFarm is a farm of n tenants in many states; the same n gives the same.
// The tenant "wiki007" has the hostile name and one finding of its own.
func sampleFarm(n int) FarmReport {
	dice := rand.New(rand.NewPCG(1, 2))
	codebases := []*tenants.Codebase{{Name: "1.39", Version: "1.39.17"}, {Name: "1.43", Version: "1.43.9"}}
	servers := []*tenants.Server{{Name: "main"}, {Name: "north"}, {Name: "archive"}}
	r := FarmReport{
		Farm: &tenants.Farm{Dir: "/srv/farms/handbooks", Web: tenants.Web{URL: "https://{host}"}}, Made: reportDay, Program: "0.1.0",
		Ledger: map[string]ledger.Tenant{}, Sizes: map[string]map[string]int64{"main": {}, "north": {}, "archive": {}},
		Backups: map[string]*backup.Dump{}, Runs: sampleRuns(),
	}
	topics := []string{"Kernel", "Networking", "Recipes", "Botany", "Railways", "Astronomy", "Letterpress", "Harbours"}
	for i := range n {
		t := &tenants.Tenant{
			Name: fmt.Sprintf("wiki%03d", i), Codebase: codebases[min(dice.IntN(8), 1)], Server: servers[min(dice.IntN(6)/2, 2)],
			Database: fmt.Sprintf("wiki_%03d", i), Language: []string{"en", "en", "de", "fr", "ja", "pt-br"}[dice.IntN(6)],
			Sitename: topics[i%len(topics)] + " Handbook", Classes: []string{"handbook"}, Files: []string{"wikictl.toml", "classes/handbook.toml", fmt.Sprintf("tenants/wiki%03d.toml", i)},
		}
		t.Hosts = []string{t.Name + ".wiki.example.org"}
		if i == 7 {
			t.Sitename = hostile
		}
		r.Tenants = append(r.Tenants, t)
		if i%19 == 18 {
			r.Backups[t.Name] = nil
			continue // not created
		}
		version := t.Codebase.Version
		if i%11 == 3 {
			version = "1.35.14"
		}
		r.Ledger[t.Name] = ledger.Tenant{Name: t.Name, Server: t.Server.Name, Database: t.Database, Version: version, State: ledger.Ready}
		r.Sizes[t.Server.Name][t.Database] = int64(20e6 * (1 + 40*dice.ExpFloat64()*dice.Float64()))
		if r.Backups[t.Name] = nil; i%13 != 5 {
			r.Backups[t.Name] = &backup.Dump{Taken: reportDay.Add(-time.Duration(dice.IntN(40*24)) * time.Hour)}
		}
	}
	r.Upgrades = sampleUpgrades(dice, r)
	r.Audit = sampleFindings(dice, r.Tenants)
	return r
}

func sampleRuns() []ledger.Run {
	day := func(n int) time.Time { return reportDay.Add(-time.Duration(n) * 24 * time.Hour) }
	ended := func(t time.Time, d time.Duration) sql.NullTime { return sql.NullTime{Time: t.Add(d), Valid: true} }
	return []ledger.Run{
		{ID: "20261120-110000-ccc", Command: "upgrade", Holder: "ops@control1 pid 4127", Started: reportDay.Add(-time.Hour)},
		{ID: "20261113-120000-bbb", Command: "upgrade", Holder: "ops@control1 pid 811", Started: day(7), Finished: ended(day(7), time.Hour), Done: 30, Failed: 2},
		{ID: "20260811-120000-aaa", Command: "upgrade", Holder: "ops@control1 pid 90", Started: day(101), Finished: ended(day(101), 2*time.Hour), Done: 38},
		{ID: "20260701-090000-aaa", Command: "create", Holder: "ops@control1 pid 77", Started: day(142), Finished: ended(day(142), 95*time.Second), Done: 40},
	}
}

// sampleUpgrades has two runs in waves of which the second is not ended.
func sampleUpgrades(dice *rand.Rand, r FarmReport) (all []ledger.Upgrade) {
	for _, run := range []struct {
		id, from, to string
		start        time.Time
	}{{r.Runs[2].ID, "1.35.14", "1.39.17", r.Runs[2].Started}, {r.Runs[1].ID, "1.39.17", "1.43.9", r.Runs[1].Started}} {
		at := run.start
		for i, t := range r.Tenants {
			if r.Ledger[t.Name].Name == "" {
				continue
			}
			if i == 4 || i == len(r.Tenants)/3 {
				at = at.Add(5 * time.Minute) // the next wave
			}
			at = at.Add(time.Duration(dice.IntN(3000)) * time.Millisecond)
			took := time.Duration(4000+8000*dice.ExpFloat64()) * time.Millisecond
			u := ledger.Upgrade{Run: run.id, Tenant: t.Name, Phase: ledger.Upgraded, OldVersion: run.from, NewVersion: run.to,
				Started: sql.NullTime{Time: at, Valid: true}, Opened: sql.NullTime{Time: at.Add(took - time.Second), Valid: true}, Ended: sql.NullTime{Time: at.Add(took), Valid: true}}
			if run.to == "1.43.9" && i%17 == 11 {
				u.Phase, u.Error = ledger.PutBack, "update.php: Error 1213: Deadlock found when trying to get lock"
			}
			all = append(all, u)
		}
	}
	return all
}

func sampleFindings(dice *rand.Rand, list []*tenants.Tenant) *audit.Report {
	r := &audit.Report{Ignored: 2}
	kinds := []audit.Finding{
		{Rule: "raw-html", Severity: audit.Error, Key: "wgRawHtml", Message: "pages may hold any HTML, and whoever may edit runs scripts in readers' browsers", Hint: "unset wgRawHtml"},
		{Rule: "setting-unknown", Severity: audit.Warning, Key: "wgEnableUpload", Message: "$wgEnableUpload is read by no code of this tenant", Hint: `did you mean "wgEnableUploads"?`},
		{Rule: "end-of-life", Severity: audit.Warning, Message: "MediaWiki 1.39 gets no security fixes any more", Hint: "upgrade to 1.43"},
		{Rule: "same-as-default", Severity: audit.Note, Key: "wgUseImageMagick", Message: "is set to what it is without it"},
	}
	for i, f := range kinds {
		if i == 2 {
			f.Position = tenants.Position{File: "wikictl.toml", Line: 30, Column: 1}
			for _, t := range list {
				if t.Codebase.Name == "1.39" {
					f.Tenants = append(f.Tenants, t.Name)
				}
			}
			r.Findings = append(r.Findings, f)
			continue
		}
		for _, t := range list {
			if dice.IntN(4+4*i%9) == 0 && t.Name != "wiki007" {
				f.Tenants, f.Position = []string{t.Name}, tenants.Position{File: t.Files[2], Line: 9 + i, Column: 1}
				r.Findings = append(r.Findings, f)
			}
		}
	}
	r.Findings = append(r.Findings,
		audit.Finding{Rule: "code-unused", Severity: audit.Note, Position: tenants.Position{File: "classes/old.toml"}, Message: `no tenant joins the class "old"`, Hint: "delete the file"},
		audit.Finding{Rule: "image-type", Severity: audit.Note, Tenants: []string{"wiki007"}, Position: tenants.Position{File: "tenants/wiki007.toml", Line: 9, Column: 3}, Message: hostile + " is not a file type", Hint: "take it out"})
	return r
}

func writtenReport(t testing.TB, r FarmReport) string {
	t.Helper()
	var out bytes.Buffer
	if err := WriteReport(&out, r); err != nil {
		t.Fatal(err)
	}
	return out.String()
}
