package machine

import (
	"slices"
	"testing"

	"wikictl/tenants"
)

// A farm needs git where it fetches from repositories; doctor says what installs it.
func TestNeedsGit(t *testing.T) {
	f := &tenants.Farm{Sources: []tenants.Source{{Name: "Foo", Archive: "/a.zip"}}}
	if slices.Contains(needed(f), "git") {
		t.Error("archives need git")
	}
	f.Sources = append(f.Sources, tenants.Source{Name: "Bar", Git: "/bar"})
	if !slices.Contains(needed(f), "git") {
		t.Error("repositories need no git")
	}
	f.Origins = tenants.Origins{"extensions": {File: tenants.FarmFile, Line: 7}}
	j := checker{farm: f, facts: Facts{Apt: true, Programs: map[string]string{"git": ""}}}
	j.programs()
	if found := j.found[0]; found.Level != Error || found.Position.Line != 7 || !slices.Equal(found.Repair, []string{"apt-get install git"}) {
		t.Errorf("%+v", found)
	}
}
