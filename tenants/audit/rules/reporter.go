package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"wikictl/tenants"
	"wikictl/tenants/audit"
	"wikictl/tenants/mask"
)

// reporter collects findings, and merges equal findings of several tenants.
type reporter struct {
	all     []rule
	rule    *rule  // current rule
	tenant  string // current tenant; empty: the farm
	found   map[place]*audit.Finding
	ignores []ignore
	ignored map[place]bool
}

// place identifies a finding.
type place struct {
	rule, key string
	at        tenants.Position
	message   string
}

func newReporter(ignores []ignore) *reporter {
	return &reporter{all: rules, found: map[place]*audit.Finding{}, ignored: map[place]bool{}, ignores: ignores}
}

// say reports a finding of the current rule at a tenant, or at the farm.
func (r *reporter) say(at tenants.Position, key, hint, format string, args ...any) {
	r.sayAs(r.rule.Severity, at, key, hint, format, args...)
}

// sayAs reports a finding with another severity than the rule's.
func (r *reporter) sayAs(severity audit.Severity, at tenants.Position, key, hint, format string, args ...any) {
	var names []string
	if r.tenant != "" {
		names = []string{r.tenant}
	}
	r.add(audit.Finding{
		Rule: r.rule.ID, Severity: severity, Tenants: names,
		Position: at, Key: key, Message: fmt.Sprintf(format, args...), Hint: hint,
	})
}

// add adds a finding unless an ignore suppresses it.
func (r *reporter) add(f audit.Finding) {
	p := place{f.Rule, f.Key, f.Position, f.Message}
	if len(f.Tenants) == 0 && r.accepted(f.Rule, "") {
		r.ignored[p] = true
		return
	}
	left := f.Tenants[:0:0]
	for _, name := range f.Tenants {
		if r.accepted(f.Rule, name) {
			r.ignored[p] = true
		} else {
			left = append(left, name)
		}
	}
	if len(left) < len(f.Tenants) && len(left) == 0 {
		return
	}
	if known := r.found[p]; known != nil {
		known.Tenants = append(known.Tenants, left...)
		return
	}
	f.Tenants = left
	r.found[p] = &f
}

// accepted reports whether an ignore covers a rule's finding at a tenant.
func (r *reporter) accepted(rule, tenant string) bool {
	taken := false
	for i := range r.ignores {
		if g := &r.ignores[i]; !g.expired && g.takes(rule, tenant) {
			g.used, taken = true, true
		}
	}
	return taken
}

// report returns the report, including the ignores that suppressed nothing.
func (r *reporter) report(w *wanted) audit.Report {
	r.reportIgnores(w)
	done := audit.Report{Findings: make([]audit.Finding, 0, len(r.found)), Ignored: len(r.ignored)}
	byName := map[string]*tenants.Tenant{}
	for _, t := range w.List {
		byName[t.Name] = t
	}
	for _, f := range r.found {
		slices.Sort(f.Tenants)
		f.Tenants = slices.Compact(f.Tenants)
		conceal(f, w, byName)
		done.Findings = append(done.Findings, *f)
	}
	audit.SortFindings(done.Findings)
	for _, t := range w.List {
		done.Tenants = append(done.Tenants, t.Name)
	}
	return done
}

// valueInWords matches a value in the words of kind.
var valueInWords = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|(integer |number )-?[0-9][^ ,]*`)

// conceal hides secrets in a finding's text: those of its tenants, and the value of a
// setting whose name marks it as a secret.
func conceal(f *audit.Finding, w *wanted, byName map[string]*tenants.Tenant) {
	if slices.ContainsFunc(strings.Split(f.Key, "."), mask.Name) {
		f.Message = valueInWords.ReplaceAllString(f.Message, "$1[secret]")
		f.Hint = valueInWords.ReplaceAllString(f.Hint, "$1[secret]")
	}
	if len(f.Tenants) == 0 {
		return
	}
	// All tenants have the value from one place, so one tenant's secrets suffice.
	var known []string
	if t := byName[f.Tenants[0]]; t != nil {
		known = mask.Values(t.Settings)
	}
	if w.observed != nil && w.observed.Wikis[f.Tenants[0]] != nil {
		known = append(known, w.observed.Wikis[f.Tenants[0]].Known...)
	}
	m := mask.New(known...)
	f.Message, f.Hint = m.Text(f.Message), m.Text(f.Hint)
}
