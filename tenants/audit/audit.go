// Package audit defines rules, findings and reports of an audit, and the formats in which
// other programs read them. audit/observe reads the farm's state, audit/rules has the
// rules, and audit/repair corrects findings.
package audit

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"wikictl/tenants"
)

// Severity is the importance of a finding.
type Severity int

// The severities, lowest first.
const (
	Note    Severity = iota + 1 // worth knowing
	Warning                     // wrong or risky
	Error                       // broken or dangerous
)

var severityNames = map[Severity]string{Note: "note", Warning: "warning", Error: "error"}

// String returns "note", "warning" or "error".
func (s Severity) String() string { return severityNames[s] }

// MarshalText returns String, for JSON.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// ParseSeverity parses the result of Severity.String.
func ParseSeverity(name string) (Severity, error) {
	for s, known := range severityNames {
		if known == name {
			return s, nil
		}
	}
	return 0, fmt.Errorf("%q is not error, warning or note", name)
}

// Finding is a problem that a rule found in one place, for all tenants that get it from
// there.
type Finding struct {
	Rule     string // id; policy/NAME for the farm's own
	Severity Severity
	Tenants  []string         // sorted; empty: the farm as a whole
	Position tenants.Position // of the value that causes it
	Key      string           // such as "wgGroupPermissions.*.edit"; may be empty
	Message  string
	Hint     string // the next step; may be empty
}

// Report is the result of an audit, worst findings first.
type Report struct {
	Findings []Finding
	Ignored  int      // number of findings suppressed by [[ignore]]
	Tenants  []string // the audited tenants
}

// Count returns the number of findings of a severity.
func (r Report) Count(s Severity) int {
	n := 0
	for _, f := range r.Findings {
		if f.Severity == s {
			n++
		}
	}
	return n
}

// Reaches reports whether a finding is at least as severe as s.
func (r Report) Reaches(s Severity) bool {
	return slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Severity >= s })
}

// SortFindings sorts findings by severity, worst first, then by place.
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

// Rule describes a rule for `wikictl explain`.
type Rule struct {
	ID        string   `json:"id"`
	Severity  Severity `json:"severity"`
	What      string   `json:"what"`      // the problem, in one sentence
	Why       string   `json:"why"`       // its consequences
	Repair    string   `json:"repair"`    // how to repair it
	Reference string   `json:"reference"` // name of a page in a manual
	Live      bool     `json:"live"`      // requires the observed state, not only definitions
}
