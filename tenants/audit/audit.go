// Package audit compares what a farm's definitions want with what reads them and
// with what is there: each rule looks at one kind of mistake, risk, repetition or
// difference and says where it stands and how to mend it. It writes nothing but a
// cache of what PHP said, and knows nothing of the terminal.
package audit

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"wikictl/tenants"
	"wikictl/tenants/session"
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

	wanted *wanted // for Mends
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

// Options say what to look at.
type Options struct {
	Tenants []*tenants.Tenant // nil: all, and the farm as a whole
	Today   time.Time         // decides what is past its end of life and which ignores hold
	Quick   bool              // Live asks no wiki through the web server and reads no dump
}

// Static applies every rule that needs the definitions and the codebases only.
// The error is tenants.Problems when a [[policy]] or an [[ignore]] is wrong.
func Static(ctx context.Context, f *tenants.Farm, o Options) (Report, error) {
	return look(ctx, f, o, func(*wanted) (*there, error) { return nil, nil })
}

// Live applies every rule of Static, and those that compare the definitions with
// what is there: servers, ledger, disk, and what the wikis answer. It writes
// nothing and takes no lock, so h is best opened with session.Options.Look. What
// can't be reached is a finding.
func Live(ctx context.Context, h *session.Host, o Options) (Report, error) {
	return look(ctx, h.Farm, o, func(w *wanted) (*there, error) { return gather(ctx, h, w) })
}

func look(ctx context.Context, f *tenants.Farm, o Options, gather func(*wanted) (*there, error)) (Report, error) {
	w := &wanted{farm: f, list: o.Tenants, whole: o.Tenants == nil, quick: o.Quick, today: o.Today}
	if w.whole {
		w.list = f.Tenants
	}
	var problems tenants.Problems
	w.policies = readPolicies(f, &problems)
	r := newReporter(readIgnores(f, o.Today, &problems))
	if len(problems) > 0 {
		problems.Sort()
		return Report{}, problems
	}
	var err error
	w.code, w.unread = readCode(ctx, f, w.list)
	if w.there, err = gather(w); err != nil {
		return Report{}, err
	}
	r.compare(w)
	found := r.report(w)
	found.wanted = w
	return found, ctx.Err()
}

// wanted is what the rules look at: the definitions and what the code says of
// the settings that it reads.
type wanted struct {
	farm     *tenants.Farm
	list     []*tenants.Tenant
	whole    bool // list is every tenant
	quick    bool
	today    time.Time
	code     map[*tenants.Codebase]*code // of those that could be read
	unread   map[*tenants.Codebase]error // why the others could not be
	policies []policy
	there    *there // nil: only definitions are looked at

	hostIndex hostIndex // see hosts
}

// subject is one tenant under audit.
type subject struct {
	*wanted
	tenant *tenants.Tenant
	code   *code // nil: its codebase can't be read
}

// compare lets every rule look at what is wanted.
func (r *reporter) compare(w *wanted) {
	byName, always := settingRules()
	for _, t := range w.list {
		s := &subject{w, t, w.code[t.Codebase]}
		r.tenant = t.Name
		for name, v := range t.Settings {
			for _, rule := range always {
				r.rule = rule
				rule.setting(s, name, v, r)
			}
			for _, rule := range byName[name] {
				r.rule = rule
				rule.setting(s, name, v, r)
			}
		}
		for i := range rules {
			if r.rule = &rules[i]; r.rule.tenant != nil {
				r.rule.tenant(s, r)
			}
			if r.rule.there != nil && w.there != nil && (r.rule.busy || w.there.busy[t.Name] == "") {
				r.rule.there(s, r)
			}
		}
	}
	r.tenant = ""
	for i := range rules {
		if r.rule = &rules[i]; r.rule.farm != nil && w.whole {
			r.rule.farm(w, r)
		}
		if r.rule.allThere != nil && w.there != nil {
			r.rule.allThere(w, r)
		}
	}
}

// sortFindings puts the worst first, then by place.
func sortFindings(findings []Finding) {
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
