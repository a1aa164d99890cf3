package plan

import "testing"

func TestPlan(t *testing.T) {
	tenant := func(kinds ...Kind) *Tenant {
		t := &Tenant{Name: "a"}
		for _, k := range kinds {
			t.Add(k, "%s it", k)
		}
		return t
	}
	for _, tc := range []struct {
		name                    string
		plan                    Plan
		empty, differs, blocked bool
	}{
		{"nothing", Plan{Unchanged: 3}, true, false, false},
		{"a remark only", Plan{Tenants: []*Tenant{tenant(Remark)}}, true, false, false},
		{"something to do", Plan{Tenants: []*Tenant{tenant(Remark), tenant(Rollback)}}, false, true, false},
		{"blocked", Plan{Tenants: []*Tenant{tenant(Blocked, Remark)}}, false, true, true},
		{"of the farm", Plan{Farm: []Entry{{Kind: Change}}}, false, true, false},
		{"left over", Plan{Leftovers: []*Leftover{{Name: "b"}}}, false, true, false},
		{"not read", Plan{Unseen: []string{"files"}}, true, true, false},
	} {
		p := tc.plan
		if p.Empty() != tc.empty || p.Differs() != tc.differs || p.Blocked() != tc.blocked || p.Stuck() {
			t.Errorf("%s: empty %t, differs %t, blocked %t", tc.name, p.Empty(), p.Differs(), p.Blocked())
		}
	}
	if !(&Plan{Leftovers: []*Leftover{{}, {Problem: "no server"}}}).Stuck() {
		t.Error("a leftover that can't be removed is not stuck")
	}
	if err := tenant(Make, Blocked, Remark, Blocked).Err(); err == nil || err.Error() != "blocked it\nblocked it" {
		t.Errorf("got %v", err)
	}
	if err := tenant(Make, Remark).Err(); err != nil {
		t.Error(err)
	}
}
