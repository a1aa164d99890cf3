package session

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"wikictl/templates"
	"wikictl/templates/deploy"
	"wikictl/tenants"
)

// A name answers 410 once, and not where a wiki has it again, unless that is only defined.
// All names stay known, for removed wikis below a path of a host that others share.
func TestGoneOf(t *testing.T) {
	f := &tenants.Farm{Tenants: []*tenants.Tenant{{Name: "a", Hosts: []string{"a.test"}, Aliases: []string{"old.test"}}, {Name: "d", Hosts: []string{"d.test"}}}}
	removed := []deploy.Gone{
		{Name: "b", Hosts: []string{"b.test", "old.test"}}, {Name: "a", Hosts: []string{"a.test"}}, {Name: "c", Hosts: []string{"b.test", "c.test"}},
		{Name: "d", Hosts: []string{"d.test"}},
	}
	want := []templates.Gone{
		{Name: "b", All: []string{"b.test", "old.test"}, Hosts: []string{"b.test"}},
		{Name: "a", All: []string{"a.test"}},
		{Name: "c", All: []string{"b.test", "c.test"}, Hosts: []string{"c.test"}},
		{Name: "d", All: []string{"d.test"}, Hosts: []string{"d.test"}, Awaited: true},
	}
	made := func(tenant string) bool { return tenant == "a" }
	if diff := cmp.Diff(want, goneOf(f, removed, made)); diff != "" {
		t.Error(diff)
	}
	if got := goneOf(f, nil, made); got != nil {
		t.Errorf("nothing was removed: %v", got)
	}
}
