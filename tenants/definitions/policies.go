package definitions

import "wikictl/tenants"

// policyTests are the conditions that a policy can put on a setting.
var policyTests = []string{"must", "must_not", "one_of", "matches", "range"}

func (l *loader) readPolicies(s *section) {
	s.list("policy", func(at tenants.Position, sub *section) {
		p := tenants.Policy{Position: at, Test: map[string]tenants.Value{}}
		p.Name, p.Where = sub.text("name").value, sub.text("where").value
		p.Setting, p.Reason = sub.text("setting").value, sub.text("reason").value
		p.Severity = l.oneOf(sub, "severity", "error", "warning", "note")
		for _, test := range policyTests {
			if v, ok := sub.table[test]; ok {
				p.Test[test] = v
			}
		}
		sub.end()
		if p.Setting == "" || len(p.Test) == 0 {
			l.report(at, "policy", "such as must = false", "needs a setting and one of must, must_not, one_of, matches, range")
		}
		l.farm.Policies = append(l.farm.Policies, p)
	})
	s.list("ignore", func(at tenants.Position, sub *section) {
		i := tenants.Ignore{Position: at, Tenants: values(sub.texts("tenants"))}
		i.Rule, i.Reason, i.Until = sub.text("rule").value, sub.text("reason").value, sub.text("until").value
		sub.end()
		if i.Rule == "" || i.Reason == "" || i.Until == "" {
			l.report(at, "ignore", "", "needs a rule, a reason and until, a date")
		}
		l.farm.Ignores = append(l.farm.Ignores, i)
	})
}
