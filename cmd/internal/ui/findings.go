package ui

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/mattn/go-isatty"

	"wikictl/tenants/audit"
	"wikictl/tenants/audit/rules"
)

// AuditDocument is the result of an audit, for text and JSON.
type AuditDocument struct {
	Command  string         `json:"command"`
	Counts   AuditCounts    `json:"counts"`
	Tenants  []AuditTenant  `json:"tenants"`
	Findings []AuditFinding `json:"findings"`
	Seconds  float64        `json:"seconds"`
}

// AuditCounts counts findings by severity, and those suppressed by an [[ignore]].
type AuditCounts struct {
	Error   int `json:"error"`
	Warning int `json:"warning"`
	Note    int `json:"note"`
	Ignored int `json:"ignored"`
}

// AuditTenant is one tenant of an AuditDocument; its status is its worst severity, or
// "ok".
type AuditTenant struct {
	Name     string `json:"name"`
	Status   string `json:"status"`
	Findings int    `json:"findings"`
}

// AuditFinding is one finding in JSON; without tenants it concerns the farm as a whole.
type AuditFinding struct {
	Rule     string         `json:"rule"`
	Severity audit.Severity `json:"severity"`
	Tenants  []string       `json:"tenants"`
	File     string         `json:"file"`
	Line     int            `json:"line,omitempty"`
	Column   int            `json:"column,omitempty"`
	Key      string         `json:"key,omitempty"`
	Message  string         `json:"message"`
	Hint     string         `json:"hint,omitempty"`
}

// NewAuditDocument returns the document of a report.
func NewAuditDocument(r audit.Report, elapsed time.Duration) AuditDocument {
	d := AuditDocument{
		Command: "audit", Seconds: elapsed.Seconds(), Findings: []AuditFinding{},
		Counts: AuditCounts{r.Count(audit.Error), r.Count(audit.Warning), r.Count(audit.Note), r.Ignored},
	}
	worst, number := map[string]audit.Severity{}, map[string]int{}
	for _, f := range r.Findings {
		d.Findings = append(d.Findings, AuditFinding{
			f.Rule, f.Severity, append([]string{}, f.Tenants...), f.Position.File, f.Position.Line, f.Position.Column, f.Key, f.Message, f.Hint,
		})
		for _, name := range f.Tenants {
			worst[name] = max(worst[name], f.Severity)
			number[name]++
		}
	}
	for _, name := range r.Tenants {
		status := "ok"
		if s := worst[name]; s > 0 {
			status = s.String()
		}
		d.Tenants = append(d.Tenants, AuditTenant{name, status, number[name]})
	}
	return d
}

// IsTerminal reports whether out is a terminal.
func IsTerminal(out io.Writer) bool {
	f, ok := out.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}

// Findings prints a report for a person, in groups, the worst first.
func Findings(out io.Writer, r audit.Report, byRule, color bool) error {
	var b strings.Builder
	p := painter{color}
	for _, g := range groups(r.Findings, byRule) {
		b.WriteString(p.bold(Clean(g.title)) + "\n")
		for _, f := range g.findings {
			where := f.Position.String()
			if byRule {
				where += "  " + who(f.Tenants)
			}
			fmt.Fprintf(&b, "  %s  %s  [%s]\n", p.severity(f.Severity), Clean(where), Clean(f.Rule))
			fmt.Fprintf(&b, "           %s\n", Clean(f.Sentence()))
		}
		b.WriteString("\n")
	}
	c := NewAuditDocument(r, 0).Counts
	fmt.Fprintf(&b, "audit: %s, %s, %s in %s", Plural(c.Error, "error"), Plural(c.Warning, "warning"), Plural(c.Note, "note"), Plural(len(r.Tenants), "tenant"))
	if c.Ignored > 0 {
		fmt.Fprintf(&b, "; %d ignored", c.Ignored)
	}
	b.WriteString("\n")
	_, err := io.WriteString(out, b.String())
	return err
}

// group is a list of findings under a title.
type group struct {
	title    string
	findings []audit.Finding
}

// groups groups findings by tenants or rules; groups are in the order of their worst
// findings.
func groups(findings []audit.Finding, byRule bool) []*group {
	var list []*group
	byTitle := map[string]*group{}
	for _, f := range findings {
		title := who(f.Tenants)
		if byRule {
			rule, _ := rules.Find(f.Rule)
			title = f.Rule + ": " + rule.What
		}
		g := byTitle[title]
		if g == nil {
			g = &group{title: title}
			byTitle[title] = g
			list = append(list, g)
		}
		g.findings = append(g.findings, f)
	}
	slices.SortStableFunc(list, func(a, b *group) int { return int(b.findings[0].Severity) - int(a.findings[0].Severity) })
	return list
}

// who lists a few tenants and counts the others.
func who(names []string) string {
	const most = 5
	switch {
	case len(names) == 0:
		return "the farm"
	case len(names) == 1:
		return names[0]
	case len(names) > most:
		return fmt.Sprintf("%d tenants: %s and %d more", len(names), strings.Join(names[:most], ", "), len(names)-most)
	}
	return fmt.Sprintf("%d tenants: %s", len(names), strings.Join(names, ", "))
}

// Plural returns a text such as "1 error" or "2 errors".
func Plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// painter colours text for a terminal (ECMA-48, Select Graphic Rendition).
type painter struct{ on bool }

func (p painter) paint(code, text string) string {
	if !p.on {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (p painter) bold(text string) string { return p.paint("1", text) }

func (p painter) severity(s audit.Severity) string {
	code := map[audit.Severity]string{audit.Error: "31", audit.Warning: "33", audit.Note: "36"}[s]
	return p.paint(code, fmt.Sprintf("%-7s", s))
}
