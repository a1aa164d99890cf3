// Package rules has the rules of an audit, a file a subject: each is a pure function that
// looks at one kind of mistake, risk, repetition or difference in the definitions, in what
// the code declares and in what was observed.
package rules

import (
	"iter"
	"slices"
	"strings"

	"wikictl/tenants"
	"wikictl/tenants/audit"
)

// rule is a Rule with its functions, each for one kind of subject. They are pure: they
// see what is wanted and observed, and report findings.
type rule struct {
	audit.Rule
	names   []string // of settings that setting looks at; none: all
	setting func(s *subject, name string, v tenants.Value, r *reporter)
	tenant  func(s *subject, r *reporter)
	farm    func(w *wanted, r *reporter)

	// Of what was observed, in Live only: of one tenant, and of the farm.
	observed     func(s *subject, r *reporter)
	observedFarm func(w *wanted, r *reporter)
	busy         bool // observed looks at tenants that a run works on, too
}

// rules is every rule there is.
var rules = slices.Concat(faultRules, codeRules, debugRules, uploadRules, accessRules, webRules, ageRules, sameRules, ownRules,
	serverRules, ledgerRules, accountRules, schemaRules, fileRules)

// All lists every rule, by id.
func All() []audit.Rule {
	list := make([]audit.Rule, len(rules))
	for i := range rules {
		list[i] = rules[i].told()
	}
	slices.SortFunc(list, func(a, b audit.Rule) int { return strings.Compare(a.ID, b.ID) })
	return list
}

// told is the rule as others see it.
func (r *rule) told() audit.Rule {
	told := r.Rule
	told.Live = r.observed != nil || r.observedFarm != nil
	return told
}

// Find returns a rule by its id; every policy/NAME is the rule policy.
func Find(id string) (audit.Rule, bool) {
	r := findRule(id)
	if r == nil {
		return audit.Rule{}, false
	}
	return r.told(), true
}

func findRule(id string) *rule {
	id, _, _ = strings.Cut(id, "/")
	// The table's functions look rules up themselves, so this is no index.
	for i := range rules {
		if rules[i].ID == id {
			return &rules[i]
		}
	}
	return nil
}

// ruleIDs are the ids of all rules.
func ruleIDs() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, r := range All() {
			if !yield(r.ID) {
				return
			}
		}
	}
}

// settingRules are the rules that look at settings, by the setting's name, and
// those that look at all of them.
func settingRules() (byName map[string][]*rule, always []*rule) {
	byName = map[string][]*rule{}
	for i := range rules {
		r := &rules[i]
		if r.setting == nil {
			continue
		}
		if len(r.names) == 0 {
			always = append(always, r)
		}
		for _, name := range r.names {
			byName[name] = append(byName[name], r)
		}
	}
	return byName, always
}
