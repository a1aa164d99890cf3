// Package page writes the report of a farm as one HTML page.
package page

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html/template"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"wikictl/tenants"
	"wikictl/tenants/audit"
	"wikictl/tenants/backup"
	"wikictl/tenants/ledger"
)

// FarmReport is the content of a page about a farm. Values that could not be read are nil
// or absent, with a reason in Missing.
type FarmReport struct {
	Farm     *tenants.Farm
	Tenants  []*tenants.Tenant // of the page, sorted by name
	Made     time.Time
	Program  string                      // wikictl's version
	Ledger   map[string]ledger.Tenant    // by tenant
	Upgrades []ledger.Upgrade            // oldest first
	Runs     []ledger.Run                // newest first
	Sizes    map[string]map[string]int64 // bytes, by server and database
	Backups  map[string]*backup.Dump     // the latest, by tenant; nil: none
	Audit    *audit.Report
	Missing  []string // sentences
}

//go:embed page.html.tmpl page.css page.js
var reportFiles embed.FS

// staticRows is the number of tenants visible without JavaScript.
const staticRows = 100

// reportPage is the data of page.html.tmpl. Its texts are ready for display.
type reportPage struct {
	Title, Folder, Made, Program string
	Policy                       string // Content-Security-Policy
	Style                        template.CSS
	Script                       template.JS
	Missing                      []string
	Totals                       []total
	Versions                     []share
	VersionsAre                  string // "run" or "wanted"
	Servers                      []share
	Audited                      bool
	Rules                        []ruleCount
	FarmWide                     []pageFinding
	Charts                       []runChart
	Runs                         []runLine
	Rows                         []pageRow // the first of Data.Rows
	Count                        int
	Data                         pageData
}

// pageData is the data that page.js sorts, filters and opens.
type pageData struct {
	URL      string        `json:"url"` // of a tenant, with {host}
	Rows     []pageRow     `json:"rows"`
	Findings []pageFinding `json:"findings"`
	Runs     []pageRun     `json:"runs"`
}

// WriteReport writes a self-contained HTML page.
func WriteReport(out io.Writer, r FarmReport) error {
	t, err := template.ParseFS(reportFiles, "page.html.tmpl")
	if err != nil {
		return err
	}
	p := newReportPage(r)
	if err := p.dress(); err != nil {
		return err
	}
	return t.Execute(out, p)
}

// newReportPage turns the report into texts and charts.
func newReportPage(r FarmReport) reportPage {
	var findings []audit.Finding
	if r.Audit != nil {
		findings = r.Audit.Findings
	}
	past := pastUpgrades(r)
	rows, runs := reportRows(r, past)
	p := reportPage{
		Title: filepath.Base(r.Farm.Dir), Folder: r.Farm.Dir, Made: dateTime(r.Made), Program: r.Program,
		Missing: r.Missing, Audited: r.Audit != nil,
		Totals:  totals(r, rows),
		Servers: serverShares(r, rows),
		Rules:   ruleCounts(findings),
		Charts:  runCharts(past),
		Runs:    runLines(r.Runs, r.Made),
		Rows:    rows[:min(staticRows, len(rows))],
		Count:   len(rows),
		Data:    pageData{URL: r.Farm.Web.URL, Rows: rows, Findings: []pageFinding{}, Runs: runs},
	}
	p.Versions, p.VersionsAre = versionShares(r.Ledger != nil, rows)
	for _, f := range findings {
		shown := newPageFinding(f)
		p.Data.Findings = append(p.Data.Findings, shown)
		if len(f.Tenants) == 0 {
			p.FarmWide = append(p.FarmWide, shown)
		}
	}
	return p
}

// dress adds style and script, and a policy under which a browser runs only these two and
// loads nothing (Content Security Policy Level 3, hash-source).
func (p *reportPage) dress() error {
	style, err := reportFiles.ReadFile("page.css")
	if err != nil {
		return err
	}
	script, err := reportFiles.ReadFile("page.js")
	if err != nil {
		return err
	}
	p.Style, p.Script = template.CSS(style), template.JS(script)
	p.Policy = "default-src 'none'; img-src data:; style-src " + hashSource(style) + "; script-src " + hashSource(script) + "; base-uri 'none'; form-action 'none'"
	return nil
}

func hashSource(text []byte) string {
	sum := sha256.Sum256(text)
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// pageFinding is one finding of the audit.
type pageFinding struct {
	Rule     string `json:"rule"`
	Severity string `json:"severity"`
	Message  string `json:"message"`
	Place    string `json:"place,omitempty"`
	Key      string `json:"key,omitempty"`
	Hint     string `json:"hint,omitempty"`
}

func newPageFinding(f audit.Finding) pageFinding {
	return pageFinding{f.Rule, f.Severity.String(), f.Message, f.Position.String(), f.Key, f.Hint}
}

// More joins the place, the key and the hint of a finding, as far as present.
func (f pageFinding) More() string {
	parts := slices.DeleteFunc([]string{f.Place, f.Key, f.Hint}, func(s string) bool { return s == "" })
	return strings.Join(parts, " · ")
}
