// Package rules has the rules of an audit, one file per subject. Each rule is a pure
// function over the definitions, the code's declarations and the observed state, and
// reports one kind of mistake, risk, repetition or difference.
package rules

import (
	"iter"
	"slices"
	"strings"

	"wikictl/tenants"
	"wikictl/tenants/audit"
)

// rule is a Rule with its functions, each for one kind of subject. They are pure: they
// read the input and report findings.
type rule struct {
	audit.Rule
	names   []string // of the settings for which setting is called; nil: all
	setting func(s *subject, name string, v tenants.Value, r *reporter)
	tenant  func(s *subject, r *reporter)
	farm    func(w *wanted, r *reporter)

	// Called by Live only, for one tenant, and for the farm.
	observed     func(s *subject, r *reporter)
	observedFarm func(w *wanted, r *reporter)
	busy         bool // call observed even for tenants that a run is changing
}

// rules lists all rules.
var rules = slices.Concat(faultRules, codeRules, operationRules, debugRules, uploadRules, accessRules, webRules, ageRules, sameRules, ownRules,
	componentRules, neighbourRules, serverRules, replicaRules, ledgerRules, accountRules, schemaRules, fileRules)

// All returns all rules, by id.
func All() []audit.Rule {
	list := make([]audit.Rule, len(rules))
	for i := range rules {
		list[i] = rules[i].public()
	}
	slices.SortFunc(list, func(a, b audit.Rule) int { return strings.Compare(a.ID, b.ID) })
	return list
}

// public returns the public description of a rule.
func (r *rule) public() audit.Rule {
	public := r.Rule
	public.Live = r.observed != nil || r.observedFarm != nil
	return public
}

// Find returns a rule by its id; every policy/NAME is the rule policy.
func Find(id string) (audit.Rule, bool) {
	r := findRule(id)
	if r == nil {
		return audit.Rule{}, false
	}
	return r.public(), true
}

func findRule(id string) *rule {
	id, _, _ = strings.Cut(id, "/")
	// No index: the table's functions call Find themselves.
	for i := range rules {
		if rules[i].ID == id {
			return &rules[i]
		}
	}
	return nil
}

// ruleIDs yields the ids of all rules.
func ruleIDs() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, r := range All() {
			if !yield(r.ID) {
				return
			}
		}
	}
}

// settingRules returns the rules with a setting function by the setting's name, and those
// for all settings.
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
