// Package audit has the words of an audit: rules as they are described, findings, reports
// and the formats that other programs read. The rules are in audit/rules, what they look
// at in audit/observe, and what corrects their findings in audit/repair.
package audit

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"wikictl/tenants"
)

// Severity is how much a finding matters.
type Severity int

// The severities, least first.
const (
	Note    Severity = iota + 1 // worth a look
	Warning                     // wrong or risky
	Error                       // broken or dangerous
)

var severityNames = map[Severity]string{Note: "note", Warning: "warning", Error: "error"}

// String is "note", "warning" or "error".
func (s Severity) String() string { return severityNames[s] }

// MarshalText is String, for JSON.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// ParseSeverity reads what String gives.
func ParseSeverity(name string) (Severity, error) {
	for s, known := range severityNames {
		if known == name {
			return s, nil
		}
	}
	return 0, fmt.Errorf("%q is none of error, warning, note", name)
}

// Finding is one thing that a rule found, in one place, for all the tenants
// that have it from there.
type Finding struct {
	Rule     string // id; the farm's own are policy/NAME
	Severity Severity
	Tenants  []string         // sorted; none: the farm as a whole
	Position tenants.Position // of the value that causes it
	Key      string           // such as "wgGroupPermissions.*.edit"; may be empty
	Message  string
	Hint     string // what to do; may be empty
}

// Report is what an audit found, worst first.
type Report struct {
	Findings []Finding
	Ignored  int      // findings that [[ignore]] took out
	Tenants  []string // that were looked at
}

// Count is how many findings are of that severity.
func (r Report) Count(s Severity) int {
	n := 0
	for _, f := range r.Findings {
		if f.Severity == s {
			n++
		}
	}
	return n
}

// Reaches says whether a finding is at least that severe.
func (r Report) Reaches(s Severity) bool {
	return slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Severity >= s })
}

// SortFindings puts the worst first, then by place.
func SortFindings(findings []Finding) {
	slices.SortFunc(findings, func(a, b Finding) int {
		return cmp.Or(
			-cmp.Compare(a.Severity, b.Severity),
			strings.Compare(a.Rule, b.Rule),
			strings.Compare(a.Position.File, b.Position.File),
			cmp.Compare(a.Position.Line, b.Position.Line),
			cmp.Compare(a.Position.Column, b.Position.Column),
			strings.Compare(a.Message, b.Message),
		)
	})
}

// Rule is what `wikictl explain` says of a rule.
type Rule struct {
	ID        string   `json:"id"`
	Severity  Severity `json:"severity"`
	What      string   `json:"what"`      // one sentence: what is found
	Why       string   `json:"why"`       // what may happen
	Repair    string   `json:"repair"`    // how to repair it
	Reference string   `json:"reference"` // a page of the manual, by name
	Live      bool     `json:"live"`      // it needs what is observed, not the definitions alone
}
