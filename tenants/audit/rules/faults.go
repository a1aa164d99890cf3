package rules

import (
	"maps"
	"slices"
	"strings"

	"wikictl/tenants"
	"wikictl/tenants/audit"
)

// faultRules report faults that block tenants: no command makes or changes them.
var faultRules = []rule{
	{Rule: audit.Rule{
		ID: "tenant-blocked", Severity: audit.Error,
		What:      "A fault of its own blocks a tenant: a component is missing in its codebase, or it can't be rendered.",
		Why:       "No command creates or changes it until the fault is repaired; other tenants are not affected.",
		Repair:    "Follow the message.",
		Reference: "wikictl help troubleshooting",
	}, tenant: blocked},
	{Rule: audit.Rule{
		ID: "media-denied", Severity: audit.Error,
		What:      "A wiki is to show the files of another that is not open to all readers.",
		Why:       "It would show them to its own readers. Until the next apply it still does, and its accounts still read the other's tables.",
		Repair:    "Run wikictl apply for it, which removes the files and the rights; then remove media from its definition.",
		Reference: "wikictl help files",
	}, tenant: mediaDenied},
	{Rule: audit.Rule{
		ID: "codebase-broken", Severity: audit.Error,
		What:      "A codebase is not a MediaWiki that wikictl supports, or its php does not run.",
		Why:       "It blocks every tenant on it.",
		Repair:    "Correct its path or its php in [codebases], or repair that tree or program.",
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

func mediaDenied(s *subject, r *reporter) {
	if p := s.tenant.MediaDenied; p != nil {
		r.say(p.Position, p.Key, "wikictl apply "+s.tenant.Name, "%s", p.Message)
	}
}

// onBrokenCode names the tenants that a broken codebase blocks.
func onBrokenCode(s *subject, r *reporter) { s.sayBroken(s.tenant.Codebase, r) }

// brokenCode reports broken codebases that no tenant uses.
func brokenCode(w *wanted, r *reporter) {
	used := map[*tenants.Codebase]bool{}
	for _, t := range w.List {
		used[t.Codebase] = true
	}
	for _, name := range slices.SortedFunc(maps.Keys(w.Farm.Codebases), strings.Compare) {
		if c := w.Farm.Codebases[name]; !used[c] {
			w.sayBroken(c, r)
		}
	}
}

func (w *wanted) sayBroken(c *tenants.Codebase, r *reporter) {
	for _, p := range c.Faults {
		r.say(p.Position, p.Key, p.Hint, "%s", p.Message)
	}
	err := w.unread[c]
	if err == nil && w.observed != nil {
		err = w.observed.Farm.Silent[c]
	}
	if err != nil {
		r.say(c.Position, "codebases."+c.Name, "", "%s", err)
	}
}
