package upgrade

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"wikictl/migrations/upgrade/forecast"
	"wikictl/tenants"
	"wikictl/tenants/ledger"
)

func TestShareOf(t *testing.T) {
	cases := []struct {
		share       Share
		total, want int
	}{
		{Share{N: 3}, 10, 3}, {Share{N: 0, Percent: true}, 10, 0}, {Share{N: 1, Percent: true}, 10, 1}, {Share{N: 25, Percent: true}, 10, 3},
		{Share{N: 100, Percent: true}, 7, 7}, {Share{N: 50, Percent: true}, 0, 0}, {Share{N: 33, Percent: true}, 100, 33},
	}
	for _, tc := range cases {
		if got := tc.share.Of(tc.total); got != tc.want {
			t.Errorf("%+v of %d: %d, want %d", tc.share, tc.total, got, tc.want)
		}
	}
}

// Canaries and what was interrupted come first, then the waves, each counted from the
// first of the others; within a wave the longest come first.
func TestAssign(t *testing.T) {
	percent := func(n int) Share { return Share{N: n, Percent: true} }
	cases := []struct {
		name        string
		n           int      // wikis a, b, …; b takes the longest
		interrupted []string // of them
		o           Options
		want        [][]string
	}{
		{"one wave", 3, nil, Options{}, [][]string{{"b", "a", "c"}}},
		{"named canaries", 4, nil, Options{Canary: []string{"d", "c"}}, [][]string{{"c", "d"}, {"b", "a"}}},
		{"a canary and what was interrupted", 4, []string{"d"}, Options{Canary: []string{"a"}}, [][]string{{"d", "a"}, {"b", "c"}}},
		{"canaries by share", 4, nil, Options{CanaryShare: percent(25)}, [][]string{{"b"}, {"a", "c", "d"}}},
		{"canaries by number, more than there are", 2, nil, Options{CanaryShare: Share{N: 5}}, [][]string{{"b", "a"}}},
		{"waves", 10, nil, Options{Waves: []Share{percent(10), percent(50)}}, [][]string{{"b"}, {"a", "c", "d", "e"}, {"f", "g", "h", "i", "j"}}},
		{"waves by number", 5, nil, Options{Waves: []Share{{N: 1}, {N: 3}}}, [][]string{{"b"}, {"a", "c"}, {"d", "e"}}},
		{"waves beyond the end", 2, nil, Options{Waves: []Share{{N: 1}, {N: 9}}}, [][]string{{"b"}, {"a"}}},
		{"canary, then waves of the others", 5, nil, Options{Canary: []string{"e"}, Waves: []Share{percent(50), percent(100)}}, [][]string{{"e"}, {"b", "a"}, {"c", "d"}}},
		{"what was interrupted, without canaries", 3, []string{"c"}, Options{}, [][]string{{"c", "b", "a"}}},
		{"all are canaries", 2, nil, Options{Canary: []string{"a", "b"}}, [][]string{{"b", "a"}}},
		{"waves that round to nothing new", 2, nil, Options{Waves: []Share{percent(10), percent(20), percent(50)}}, [][]string{{"b"}, {"a"}}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			p := &Plan{}
			for i := range tc.n {
				j := &Planned{Name: string(rune('a' + i)), Seconds: 1}
				if j.Name == "b" {
					j.Seconds = 9
				}
				if slices.Contains(tc.interrupted, j.Name) {
					j.Interrupted = ledger.Changing
				}
				p.Tenants = append(p.Tenants, j)
			}
			if err := p.assign(tc.o); err != nil {
				t.Fatal(err)
			}
			var got [][]string
			for wave := 1; wave <= p.Waves; wave++ {
				var names []string
				for _, j := range p.wave(wave) {
					names = append(names, j.Name)
				}
				got = append(got, names)
			}
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Error(d)
			}
		})
	}
	if err := (&Plan{}).assign(Options{Canary: []string{"x"}}); !errors.Is(err, tenants.ErrSelect) {
		t.Errorf("a canary that is not to be upgraded: %v", err)
	}
}

// The size of a dump is estimated from the latest dump, or from the size of the database.
func TestNeed(t *testing.T) {
	history := map[string]ledger.Upgrade{"known": {BackupBytes: 7}, "dumpless": {}}
	for name, want := range map[string]int64{"known": 14, "dumpless": 10e6, "new": 10e6} {
		if got := need(&Planned{Name: name, Bytes: 40e6}, history); got != want {
			t.Errorf("%s: %d, want %d", name, got, want)
		}
	}
}

// Rates are learned from what the ledger has of earlier upgrades, as far as it can be read.
func TestPastOf(t *testing.T) {
	past := pastOf([]ledger.Took{
		{Old: "1.39.17", New: "1.43.9", Census: []byte(`{"rows":{"page":7},"columns":{},"counts":{},"bytes":9}`), Backup: 1, Update: 2, Others: 3},
		{Census: []byte("?")},
	})
	want := []forecast.Past{{
		Wiki: forecast.Wiki{Old: "1.39.17", New: "1.43.9", Bytes: 9, Rows: map[string]int64{"page": 7}},
		Took: forecast.Phases{Backup: 1, Update: 2, Rest: 3},
	}}
	if d := cmp.Diff(want, past); d != "" {
		t.Error(d)
	}
}

// The expected duration of a run is that of the wikis that it upgrades, as many at once as --jobs
// says; it is 0 if all are blocked.
func TestAddUp(t *testing.T) {
	open := func(ahead, seconds float64) *Planned {
		return &Planned{Seconds: seconds, Forecast: forecast.Phases{Ahead: ahead}}
	}
	blocked := &Planned{Seconds: 100, Problems: []string{"it is locked"}}
	for _, tc := range []struct {
		name    string
		tenants []*Planned
		want    float64
	}{
		{"all are blocked", []*Planned{blocked, blocked}, 0},
		{"one is not", []*Planned{blocked, open(2, 3), blocked}, 5},
		{"two at once", []*Planned{open(0, 4), blocked, open(0, 4), open(0, 4)}, 6},
		{"one takes longest", []*Planned{open(0, 1), open(8, 1), open(0, 1)}, 9},
	} {
		p := &Plan{Tenants: tc.tenants}
		if p.addUp(2); p.Seconds != tc.want {
			t.Errorf("%s: %g s, want %g s", tc.name, p.Seconds, tc.want)
		}
	}
}

// The plan has one remark about servers whose disks can't be seen, and none of its remarks speak of a
// run in which no wiki is upgraded.
func TestNotes(t *testing.T) {
	p := &Plan{Waves: 1, Seconds: 8, Space: 5 << 20, Free: 90 << 20, DataFolders: []DataFolder{{"/data/", 7 << 20, 60 << 20}}, Unseen: []string{"a", "b"}, Tenants: []*Planned{{}, {Problems: []string{"it is locked"}}}}
	want := []string{
		"all in 1 wave, in about 8 s; the dumps may need 6 MB of the 90 MB that are free",
		"copies of tables and ways back may need 8 MB of the 60 MB that are free in /data/",
		"the disk of server a and server b can't be seen from here: make sure that it has room for copies of the largest tables",
	}
	if d := cmp.Diff(want, p.Outline().Notes); d != "" {
		t.Error(d)
	}
	p.Tenants = p.Tenants[1:]
	if notes := p.Outline().Notes; len(notes) > 0 {
		t.Errorf("all are blocked: %q", notes)
	}
}
