package audit

import (
	"maps"
	"slices"
	"strings"

	"wikictl/tenants"
)

// faultRules are about what blocks tenants: no command makes or changes them.
var faultRules = []rule{
	{Rule: Rule{
		ID: "tenant-blocked", Severity: Error,
		What:      "A fault of its own blocks a tenant: something that it wants is missing in its codebase, or it can't be rendered.",
		Why:       "No command makes or changes it until that is mended; other tenants are not held up.",
		Mend:      "Do what the message says.",
		Reference: "wikictl help troubleshooting",
	}, tenant: blocked},
	{Rule: Rule{
		ID: "codebase-broken", Severity: Error,
		What:      "A codebase is no MediaWiki that wikictl can run, or its php does not run.",
		Why:       "It blocks every tenant on it.",
		Mend:      "Correct its path or its php in [codebases], or mend what is there.",
		Reference: "wikictl help troubleshooting",
	}, tenant: onBrokenCode, farm: brokenCode},
}

func blocked(s *subject, r *reporter) {
	for _, p := range s.tenant.Faults {
		if !slices.Contains(s.tenant.Codebase.Faults, p) {
			r.say(p.Position, p.Key, p.Hint, "%s", p.Message)
		}
	}
}

// onBrokenCode names the tenants that a broken codebase blocks.
func onBrokenCode(s *subject, r *reporter) { s.sayBroken(s.tenant.Codebase, r) }

// brokenCode finds broken codebases that no tenant uses.
func brokenCode(w *wanted, r *reporter) {
	used := map[*tenants.Codebase]bool{}
	for _, t := range w.list {
		used[t.Codebase] = true
	}
	for _, name := range slices.SortedFunc(maps.Keys(w.farm.Codebases), strings.Compare) {
		if c := w.farm.Codebases[name]; !used[c] {
			w.sayBroken(c, r)
		}
	}
}

func (w *wanted) sayBroken(c *tenants.Codebase, r *reporter) {
	for _, p := range c.Faults {
		r.say(p.Position, p.Key, p.Hint, "%s", p.Message)
	}
	err := w.unread[c]
	if err == nil && w.there != nil {
		err = w.there.farm.mute[c]
	}
	if err != nil {
		r.say(c.Position, "codebases."+c.Name, "", "%s", err)
	}
}
