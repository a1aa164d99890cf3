package deploy

import (
	"slices"
	"testing"
)

func TestPruneKeepsCurrentAndHighest(t *testing.T) {
	d := deployer(t, "", "")
	for _, text := range []string{"1", "2", "3", "4", "5"} {
		apply(t, d, wanted("a", text))
	}
	if got, _ := d.Releases("a"); !slices.Equal(got, []int{3, 4, 5}) {
		t.Errorf("releases are %v", got)
	}
	if err := d.Switch(t.Context(), "a", 3); err != nil {
		t.Fatal(err)
	}
	if err := d.Prune(t.Context(), "a", 1); err != nil {
		t.Fatal(err)
	}
	if got, _ := d.Releases("a"); !slices.Equal(got, []int{3, 5}) {
		t.Errorf("releases are %v", got)
	}
}

// A release that a rollback needs stays, however many come after it.
func TestKeepBefore(t *testing.T) {
	d := deployer(t, "", "")
	apply(t, d, wanted("a", "1"))
	if err := d.KeepBefore("a", 1); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"2", "3", "4", "5"} {
		apply(t, d, wanted("a", text))
	}
	if got, _ := d.Releases("a"); !slices.Equal(got, []int{1, 3, 4, 5}) {
		t.Errorf("releases are %v", got)
	}
	if err := d.Prune(t.Context(), "a", 1); err != nil {
		t.Fatal(err)
	}
	if got, _ := d.Releases("a"); !slices.Equal(got, []int{5}) {
		t.Errorf("releases are %v", got)
	}
}
