package repair

import (
	"testing"

	"wikictl/tenants"
	"wikictl/tenants/audit"
	"wikictl/tenants/audit/observe"
	"wikictl/tenants/audit/rules"
)

// Only rules that exist have repairs, and a report without findings has none.
func TestRepairsAreOfRules(t *testing.T) {
	for id := range repairs {
		if _, known := rules.Find(id); !known {
			t.Errorf("there is no rule %s", id)
		}
	}
	if list := Of(&tenants.Farm{}, &observe.Observed{}, audit.Report{}); len(list) != 0 {
		t.Error(list)
	}
}
