package deploy

import (
	"slices"
	"testing"
)

func TestPruneKeepsCurrentAndHighest(t *testing.T) {
	d := deployer(t, "", "")
	for _, text := range []string{"1", "2", "3", "4", "5"} {
		apply(t, d, wanted("a", text))
		see(t, d, "a")
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
		see(t, d, "a")
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

// see notes that a tenant answers from its current release.
func see(t *testing.T, d *Deployer, tenant string) {
	t.Helper()
	current, err := d.Current(tenant)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.NoteSeen(tenant, Seen{Release: current}); err != nil {
		t.Fatal(err)
	}
}

// The release that was last seen to answer stays, however many that were not come
// after it, and also where nothing was noted before the first of them.
func TestSeenStays(t *testing.T) {
	d := deployer(t, "", "")
	for _, text := range []string{"1", "2", "3", "4", "5"} {
		apply(t, d, wanted("a", text))
	}
	if got, _ := d.Releases("a"); !slices.Equal(got, []int{1, 3, 4, 5}) {
		t.Errorf("releases are %v", got)
	}
	i, err := d.Inspect("a")
	if err != nil || i.Seen != 1 || slices.Contains(Unused(i), 1) {
		t.Errorf("%+v, %v", i, err)
	}
	if err := d.Discard(t.Context(), "a", []int{1}); err == nil {
		t.Error("the release that was last seen was discarded")
	}
}
