package rules

import (
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"wikictl/tenants"
)

// ignore is one [[ignore]], and whether it has suppressed a finding.
type ignore struct {
	tenants.Ignore
	expired, used bool
}

// readIgnores checks the farm's ignores.
func readIgnores(f *tenants.Farm, today time.Time, problems *tenants.Problems) []ignore {
	list := make([]ignore, 0, len(f.Ignores))
	for _, i := range f.Ignores {
		report := func(key, hint, message string) {
			*problems = append(*problems, tenants.Problem{Position: i.Position, Key: "ignore." + key, Message: message, Hint: hint})
		}
		until, err := time.Parse(time.DateOnly, i.Until)
		if err != nil {
			report("until", "such as 2027-01-31", `"`+i.Until+`" is not a date`)
		}
		if _, known := Find(i.Rule); !known {
			report("rule", tenants.DidYouMean(i.Rule, ruleIDs()), `there is no rule "`+i.Rule+`"`)
		}
		for _, pattern := range i.Tenants {
			if !doublestar.ValidatePattern(pattern) {
				report("tenants", "a name or a glob", `"`+pattern+`" is not a glob`)
			}
		}
		list = append(list, ignore{Ignore: i, expired: today.After(until.AddDate(0, 0, 1))})
	}
	return list
}

// takes reports whether an ignore covers a rule's finding at a tenant; an ignore without
// tenants covers all, and the farm as a whole.
func (i *ignore) takes(rule, tenant string) bool {
	if i.Rule != rule && !strings.HasPrefix(rule, i.Rule+"/") {
		return false
	}
	for _, pattern := range i.Tenants {
		if ok, err := doublestar.Match(pattern, tenant); ok && err == nil {
			return true
		}
	}
	return len(i.Tenants) == 0
}

// reportIgnores reports expired ignores and, after an audit of the whole farm, ignores
// that have suppressed nothing.
func (r *reporter) reportIgnores(w *wanted) {
	expired, unused := findRule("ignore-expired"), findRule("ignore-unused")
	for i := range r.ignores {
		switch g := &r.ignores[i]; {
		case g.expired:
			r.rule = expired
			r.say(g.Position, "ignore", "", "the ignore of %s ended on %s", g.Rule, g.Until)
		case !g.used && w.Whole:
			r.rule = unused
			r.say(g.Position, "ignore", "", "the ignore of %s suppresses nothing", g.Rule)
		}
	}
}
