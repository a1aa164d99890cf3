package provision

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"wikictl/tenants"
	"wikictl/tenants/ledger"
	"wikictl/tenants/plan"
)

// Only a tenant that the ledger does not know, on the very database of one that
// nothing defines any more, is a renamed one.
func TestRenames(t *testing.T) {
	main, second := &tenants.Server{Name: "main"}, &tenants.Server{Name: "second"}
	rows := map[string]ledger.Tenant{}
	for name, database := range map[string]string{"a": "wiki_a", "b": "wiki_b", "gone": "wiki_gone"} {
		rows[name] = ledger.Tenant{Name: name, Server: "main", Database: database}
	}
	for _, tc := range []struct {
		name string
		all  []*tenants.Tenant
		want map[string]string
	}{
		{"nothing changed", []*tenants.Tenant{{Name: "a", Server: main, Database: "wiki_a"}, {Name: "b", Server: main, Database: "wiki_b"}}, nil},
		{"another name", []*tenants.Tenant{{Name: "a2", Server: main, Database: "wiki_a"}, {Name: "b", Server: main, Database: "wiki_b"}}, map[string]string{"a2": "a"}},
		{"another server", []*tenants.Tenant{{Name: "a2", Server: second, Database: "wiki_a"}}, nil},
		{"another database", []*tenants.Tenant{{Name: "a2", Server: main, Database: "wiki_a2"}}, nil},
		{"a database that is in use", []*tenants.Tenant{{Name: "a", Server: main, Database: "wiki_a"}, {Name: "a2", Server: main, Database: "wiki_A"}}, nil},
		{"a known tenant on another's", []*tenants.Tenant{{Name: "a", Server: main, Database: "wiki_gone"}}, nil},
		{"two at once", []*tenants.Tenant{{Name: "x", Server: main, Database: "wiki_b"}, {Name: "y", Server: main, Database: "wiki_a"}}, map[string]string{"x": "b", "y": "a"}},
	} {
		got := map[string]string{}
		for name, row := range renames(tc.all, rows) {
			got[name] = row.Name
		}
		if len(got)+len(tc.want) > 0 && !cmp.Equal(got, tc.want) {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
	if got := owner([]*tenants.Tenant{{Name: "a", Server: main, Database: "wiki_A"}}, "main", "wiki_a"); got == nil {
		t.Error("a server may not tell wiki_A from wiki_a")
	}
	if got := owner([]*tenants.Tenant{{Name: "a", Server: second, Database: "wiki_a"}}, "main", "wiki_a"); got != nil {
		t.Error("another server's database is another")
	}
}

// An upgrade and what is left over are nothing that Apply does by itself.
func TestJobs(t *testing.T) {
	tenant := func(name string, kinds ...plan.Kind) (*tenants.Tenant, *Planned) {
		p := &Planned{Tenant: plan.Tenant{Name: name}, tenant: &tenants.Tenant{Name: name}}
		for _, k := range kinds {
			p.Add(k, "something")
		}
		return p.tenant, p
	}
	p := &Plan{}
	for name, kinds := range map[string][]plan.Kind{
		"new": {plan.Make}, "edited": {plan.Change, plan.Change, plan.Upgrade}, "old code": {plan.Upgrade}, "moved": {plan.Rename}, "broken": {plan.Blocked}, "same": nil,
	} {
		t, planned := tenant(name, kinds...)
		p.all = append(p.all, t)
		if kinds != nil {
			p.Tenants = append(p.Tenants, planned)
		}
	}
	p.Leftovers = []*Leftover{{Leftover: plan.Leftover{Name: "left"}, tenant: &tenants.Tenant{Name: "left"}}, {Leftover: plan.Leftover{Name: "stuck", Problem: "no server"}, tenant: &tenants.Tenant{Name: "stuck"}}}
	want := map[string]string{"new": "make", "edited": "change", "moved": "rename", "old code": "unchanged", "same": "unchanged", "broken": "blocked"}
	for _, prune := range []bool{false, true} {
		if prune {
			want["left"], want["stuck"] = "left", "failed"
		}
		got := map[string]string{}
		jobs, outcomes := jobsOf(p, prune)
		for _, j := range jobs {
			got[j.tenant.Name] = string(j.kind)
		}
		for name, o := range outcomes {
			got[name] = string(o.Status)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("prune %v: %s", prune, d)
		}
	}
	if n := p.Outline().Count(plan.Upgrade); n != 2 {
		t.Errorf("%d upgrades are counted", n)
	}
}
