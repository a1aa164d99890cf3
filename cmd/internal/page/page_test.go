package page

import (
	"database/sql"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"wikictl/tenants"
	"wikictl/tenants/ledger"
)

// Without JavaScript the first rows are there to read, and a sitename is text.
func TestReportWithoutScript(t *testing.T) {
	html := writtenReport(t, sampleFarm(120))
	before, _, _ := strings.Cut(html, `<script type="application/json"`)
	if rows := strings.Count(before, `<th scope="row">`); rows != staticRows {
		t.Errorf("%d rows", rows)
	}
	for _, want := range []string{"The first 100 of 120 by name", `1.35.14</span> <span class="wanted">→ 1.43.9`, "&lt;script&gt;alert(1)&lt;/script&gt;&#34;&#39;&amp;"} {
		if !strings.Contains(before, want) {
			t.Errorf("lacks %s", want)
		}
	}
}

// Figures that could not be read are shown as missing, and never as zero.
func TestReportOfUnreadFigures(t *testing.T) {
	r := sampleFarm(3)
	r.Ledger, r.Upgrades, r.Runs, r.Sizes, r.Backups, r.Audit = nil, nil, nil, nil, nil, nil
	r.Missing = []string{"the ledger was not read: no <socket>"}
	p := newReportPage(r)
	for _, row := range p.Rows {
		for _, c := range []cell{row.Version, row.Size, row.Backup, row.Findings, row.Upgrade} {
			if c.Text != "not known" || c.Key != -1 {
				t.Errorf("%s: %+v", row.Name, c)
			}
		}
	}
	got := p.Totals
	want := []total{
		{Label: "Wikis", Value: "3", More: "as the definitions have them"},
		{Label: "Databases", Value: "–", More: "no size is known"},
		{Label: "Findings", Value: "–", More: "the audit did not run"},
		{Label: "Oldest backup", Value: "–", More: "3 not read"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	html := writtenReport(t, r)
	for _, want := range []string{"This page is not complete", "the ledger was not read: no &lt;socket&gt;", "MediaWiki that is wanted", "Not known."} {
		if !strings.Contains(html, want) {
			t.Errorf("lacks %s", want)
		}
	}
	if complete := writtenReport(t, sampleFarm(3)); strings.Contains(complete, "This page is not complete") {
		t.Error("a complete page says that it is not")
	}
}

// A tenant's database is measured where the ledger has it.
func TestSizesOfTheRecordedDatabase(t *testing.T) {
	r := sampleFarm(1)
	row := r.Ledger["wiki000"]
	row.Server, row.Database = "archive", "wiki_old"
	r.Ledger["wiki000"] = row
	r.Sizes["archive"]["wiki_old"] = 5 << 20
	rows, _ := reportRows(r, nil)
	if rows[0].Size.Text != "5.0 MB" {
		t.Errorf("got %+v", rows[0].Size)
	}
}

func TestUpgradeCells(t *testing.T) {
	at := func(seconds int) time.Time { return reportDay.Add(time.Duration(seconds) * time.Second) }
	null := func(seconds int) sql.NullTime { return sql.NullTime{Time: at(seconds), Valid: seconds > 0} }
	for _, tc := range []struct {
		name          string
		phase         ledger.Phase
		opened, ended int
		err           error
		runEnded      time.Time
		took, ro      int
		outcome       string
	}{
		{"upgraded", ledger.Upgraded, 8, 9, nil, at(20), 9, 8, "upgraded"},
		{"failed and restored", ledger.PutBack, 9, 9, errors.New("x"), at(20), 9, 9, "restored"},
		{"killed and put back by the next run", ledger.PutBack, 70, 70, nil, time.Time{}, 70, 70, "restored"},
		{"rolled back", ledger.PutBack, 90, 90, nil, at(20), 90, 90, "rolled back"},
		{"kept", ledger.Kept, 0, 0, errors.New("x"), at(20), 100, 100, "kept read-only"},
		{"going on", ledger.Changing, 0, 0, nil, time.Time{}, 100, 100, "not ended"},
	} {
		u := ledger.Upgrade{Phase: tc.phase, Started: sql.NullTime{Time: reportDay, Valid: true}, Opened: null(tc.opened), Ended: null(tc.ended)}
		if tc.err != nil {
			u.Error = tc.err.Error()
		}
		p := checkUpgrade(u, tc.runEnded, at(100))
		if int(p.took.Seconds()) != tc.took || int(p.readOnly.Seconds()) != tc.ro || p.outcome != tc.outcome || p.rolledBack != (tc.name == "rolled back") {
			t.Errorf("%s: %s, %s, %s, %v", tc.name, p.took, p.readOnly, p.outcome, p.rolledBack)
		}
	}
}

func past(tenant string, start, took int, tone string) pastUpgrade {
	p := pastUpgrade{took: time.Duration(took) * time.Second, tone: tone, outcome: upgraded}
	p.readOnly = p.took
	p.Tenant, p.Run = tenant, "r"
	p.Started.Time = reportDay.Add(time.Duration(start) * time.Second)
	return p
}

func TestRunChart(t *testing.T) {
	list := []pastUpgrade{past("a", 0, 10, ""), past("b", 5, 40, "error"), past("c", 50, 20, ""), past("d", 55, 20, "")}
	c := newRunChart(list)
	var heights []float64
	for _, column := range c.Columns {
		heights = append(heights, column.Height)
	}
	if want := []float64{25, 100, 50, 50}; !slices.Equal(heights, want) {
		t.Errorf("heights %v, want %v", heights, want)
	}
	if !slices.Equal(c.Gaps, []int{2}) || c.Top != "40 s" || c.Each != 1 || c.Columns[1].Bad != 100 || c.Columns[0].Bad != 0 {
		t.Errorf("%+v", c)
	}
	if want := (spread{"median 20 s, 95 % within 20 s, longest 40 s", 25, 25, 50}); c.ReadOnly != want {
		t.Errorf("%+v", c.ReadOnly)
	}
	var many []pastUpgrade
	for i := range 2 * mostColumns {
		tone := ""
		if i%2 == 1 {
			tone = "error"
		}
		many = append(many, past("w", i, 10*(1+i%2), tone))
	}
	c = newRunChart(many)
	if len(c.Columns) != mostColumns || c.Each != 2 || c.Columns[3].Height != 100 || c.Columns[3].Bad != 50 {
		t.Errorf("%d columns of %d, %+v", len(c.Columns), c.Each, c.Columns[3])
	}
	rolledBack := past("a", 0, 10, "warning")
	rolledBack.rolledBack = true
	if charts := runCharts([]pastUpgrade{rolledBack}); charts != nil {
		t.Errorf("what was rolled back is pictured: %+v", charts)
	}
}

func TestReportTexts(t *testing.T) {
	const hour, day = time.Hour, 24 * time.Hour
	for _, tc := range []struct{ got, want string }{
		{byteSize(0), "0 B"}, {byteSize(999), "999 B"}, {byteSize(1000), "1.0 kB"}, {byteSize(5 << 20), "5.0 MB"}, {byteSize(345 << 20), "345 MB"}, {byteSize(1 << 50), "1024 TB"},
		{durationText(840 * time.Millisecond), "0.8 s"}, {durationText(12400 * time.Millisecond), "12 s"}, {durationText(200 * time.Second), "3 min 20 s"}, {durationText(65 * time.Minute), "1 h 05 min"}, {durationText(-1), "0.0 s"},
		{ageText(30 * time.Minute), "30 min"}, {ageText(47 * hour), "47 h"}, {ageText(3 * day), "3 days"}, {ageText(400 * day), "13 months"}, {ageText(1500 * day), "4 years"},
		{tenants.Grouped(999), "999"}, {tenants.Grouped(1234567), "1,234,567"}, {groupedPlural(1, "error"), "1 error"}, {groupedPlural(2483, "error"), "2,483 errors"},
	} {
		if tc.got != tc.want {
			t.Errorf("got %q, want %q", tc.got, tc.want)
		}
	}
	if versionKey("1.43.9") >= versionKey("1.43.10") || versionKey("1.39.17") >= versionKey("1.43.0") {
		t.Error("versions are out of order")
	}
}
