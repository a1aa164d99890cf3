package audit

import (
	"iter"
	"slices"
	"strings"

	"wikictl/tenants"
)

// Rule is what `wikictl explain` says of a rule.
type Rule struct {
	ID        string   `json:"id"`
	Severity  Severity `json:"severity"`
	What      string   `json:"what"`      // one sentence: what is found
	Why       string   `json:"why"`       // what may happen
	Mend      string   `json:"mend"`      // how to mend it
	Reference string   `json:"reference"` // a page of the manual, by name
	There     bool     `json:"live"`      // it is about what is there, not about the definitions alone
}

// rule is a Rule with the functions that look. They are pure: they see what is
// wanted and report findings.
type rule struct {
	Rule
	names   []string // of settings that setting looks at; none: all
	setting func(s *subject, name string, v tenants.Value, r *reporter)
	tenant  func(s *subject, r *reporter)
	farm    func(w *wanted, r *reporter)

	// What is there, which only Live looks at: of one tenant, and of the farm.
	there    func(s *subject, r *reporter)
	allThere func(w *wanted, r *reporter)
	busy     bool // there looks at tenants that a run works on, too
}

// rules is every rule there is.
var rules = slices.Concat(faultRules, codeRules, debugRules, uploadRules, accessRules, webRules, ageRules, sameRules, ownRules,
	serverRules, ledgerRules, accountRules, schemaRules, fileRules)

// Rules lists every rule, by id.
func Rules() []Rule {
	list := make([]Rule, len(rules))
	for i := range rules {
		list[i] = rules[i].told()
	}
	slices.SortFunc(list, func(a, b Rule) int { return strings.Compare(a.ID, b.ID) })
	return list
}

// told is the rule as others see it.
func (r *rule) told() Rule {
	told := r.Rule
	told.There = r.there != nil || r.allThere != nil
	return told
}

// Find returns a rule by its id; every policy/NAME is the rule policy.
func Find(id string) (Rule, bool) {
	r := findRule(id)
	if r == nil {
		return Rule{}, false
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
		for _, r := range Rules() {
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
