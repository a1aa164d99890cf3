package ui

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"wikictl/tenants/plan"
)

// A plan is printed in one form, whatever the command: what is to be done, what blocks
// tenants, what is worth knowing, and a total.
func TestPlanText(t *testing.T) {
	change := &plan.Tenant{Name: "a", Entries: []plan.Entry{{Kind: plan.Change, What: "edit x.conf", Diff: "-1\n+2\n"}}}
	second := &plan.Tenant{Name: "b", Entries: []plan.Entry{{Kind: plan.Change, What: "edit y.conf", Diff: "-3\n+4\n"}}}
	blocked := func(name string) *plan.Tenant {
		t := &plan.Tenant{Name: name}
		t.Add(plan.Blocked, "no server\x1b[2J")
		t.Add(plan.Remark, "it is old")
		return t
	}
	whole := plan.Plan{
		Tenants: []*plan.Tenant{change, second, blocked("c"), blocked("d")}, Unchanged: 5, Notes: []string{"all in 1 wave"},
		Farm:      []plan.Entry{{Kind: plan.Change, What: "edit nginx.conf"}},
		Leftovers: []*plan.Leftover{{Name: "e", Items: []string{"database e"}, Kept: []string{"account e"}, Problem: "no dump"}},
	}
	leftovers := plan.Plan{Leftovers: []*plan.Leftover{whole.Leftovers[0], {Name: "f", Items: []string{"database f"}, Kept: []string{"account f"}, Problem: "no server"}}}
	for _, tc := range []struct {
		name  string
		plan  plan.Plan
		diffs int
		want  string
	}{
		{"nothing", plan.Plan{Unchanged: 3}, 1, "plan: no changes, 3 unchanged\n"},
		{"not all was read", plan.Plan{Unseen: []string{"the files of a"}}, 1, "not seen: the files of a\nplan: no changes in what was seen\n"},
		{"all kinds", whole, 1, "change the farm: edit nginx.conf\nchange a: edit x.conf\n-1\n+2\nchange b: edit y.conf\n" +
			"blocked c, d: no server?[2J\nremark c, d: it is old\nleft e: nothing defines it any more\n  can't be removed: no dump\n  database e\n" +
			"  stays: account e\nthe diffs of 1 more tenants are not shown; --diffs N shows those of N\n" +
			"plan: 2 to change, 2 blocked, 1 left over, 5 unchanged\nall in 1 wave\n"},
		{"many leftovers", leftovers, 1, "left e: nothing defines it any more\n  can't be removed: no dump\n  database e\n  stays: account e\n" +
			"left f: nothing defines it any more\n  can't be removed: no server\nwhat 1 more leftovers consist of is not shown; --diffs N shows it for N\n" +
			"plan: 2 left over, 0 unchanged\n"},
	} {
		var out strings.Builder
		if err := Plan(&out, "plan", &tc.plan, tc.diffs); err != nil || out.String() != tc.want {
			t.Errorf("%s: %v\n%s", tc.name, err, cmp.Diff(tc.want, out.String()))
		}
	}
}

// Lists of a plan are never null in JSON.
func TestPlanDocument(t *testing.T) {
	text, err := json.Marshal(NewPlanDocument("upgrade", &plan.Plan{Unchanged: 3}, 0))
	want := `{"command":"upgrade","counts":{"make":0,"change":0,"rename":0,"upgrade":0,"rollback":0,"undelete":0,"backup":0,"restore":0,"clone":0,"delete":0,"purge":0,"blocked":0,"left":0,"unchanged":3},` +
		`"tenants":[],"farm":[],"left":[],"unseen":[],"notes":[],"seconds":0}`
	if err != nil || string(text) != want {
		t.Errorf("%v: %s", err, cmp.Diff(want, string(text)))
	}
}
