package forecast

import (
	"fmt"
	"strings"
	"testing"
)

// big is the wiki that was upgraded by plain update.php in about 940 seconds, and crowded
// one of few pages and many links that took 1,935 seconds.
var (
	big = Wiki{Old: "1.39.17", New: "1.43.9", Bytes: 400e6, Rows: map[string]int64{"page": 100_000, "revision": 300_000, "revision_comment_temp": 300_000,
		"pagelinks": 400_000, "templatelinks": 200_000, "categorylinks": 200_000, "externallinks": 200_000, "logging": 100_000, "searchindex": 100_000, "recentchanges": 50_000}}
	crowded = Wiki{Old: "1.39.17", New: "1.43.9", Bytes: 100e6, Rows: map[string]int64{"page": 5_000, "revision": 5_000, "revision_comment_temp": 5_000, "pagelinks": 300_000}}
	tiny    = Wiki{Old: "1.39.17", New: "1.43.9", Bytes: 10e6, Rows: map[string]int64{"page": 1, "revision": 1, "revision_comment_temp": 1}}
)

func within(t *testing.T, what string, got, want, factor float64) {
	t.Helper()
	if got < want/factor || got > want*factor {
		t.Errorf("%s: %.1f s, want %.1f s within a factor of %.1f", what, got, want, factor)
	}
}

func TestUsualRates(t *testing.T) {
	r := Learn(nil)
	within(t, "big", r.Of(big, true).Update, 940, 1.5)
	within(t, "crowded", r.Of(crowded, true).Update, 1935, 1.5)
	within(t, "tiny", r.Of(tiny, true).Total(), 2.6, 1.2)
	if p := r.Of(tiny, false); p.Backup != 0 {
		t.Errorf("without a dump: %+v", p)
	}
	done := big
	done.Old = "1.43.8"
	within(t, "a wiki whose rows are as wanted", r.Of(done, true).Update, 1.2, 1.01)
	half := big
	half.Old = "1.41.0"
	if got, all := r.Of(half, true).Update, r.Of(big, true).Update; got >= all || got < 400 {
		t.Errorf("from 1.41: %.0f s of %.0f", got, all)
	}
}

func TestLearn(t *testing.T) {
	past := func(w Wiki, backup, update float64) Past {
		return Past{w, Phases{Backup: backup, Update: update, Rest: 0.5}}
	}
	for _, tc := range []struct {
		name string
		past []Past
		of   Wiki
		want float64
	}{
		{"a machine twice as slow, of which small wikis are known", []Past{past(tiny, 1, 2.4), past(tiny, 1, 2.4), past(tiny, 1, 99)}, big, 2 * 850},
		{"a machine whose rows are slow", []Past{past(tiny, 1, 1.2), past(crowded, 5, 4000)}, big, 1800},
		{"and of which a small one is asked", []Past{past(tiny, 1, 1.2), past(crowded, 5, 4000)}, tiny, 1.2},
		{"one wiki was disturbed", []Past{past(tiny, 1, 1.2), past(tiny, 1, 1.3), past(tiny, 1, 400)}, tiny, 1.3},
		{"moving rows takes no time any more", []Past{past(tiny, 1, 1.2), past(crowded, 5, 20)}, crowded, 200},
	} {
		t.Run(tc.name, func(t *testing.T) {
			within(t, "update.php", Learn(tc.past).Of(tc.of, true).Update, tc.want, 1.35)
		})
	}
	slow := Learn([]Past{past(tiny, 4, 1.2), past(big, 80, 900)})
	within(t, "dumps of a slow disk", slow.Of(big, true).Backup, 80, 1.5)
}

func TestRemarks(t *testing.T) {
	got := strings.Join(Learn(nil).Remarks(crowded), "; ")
	if !strings.HasPrefix(got, "update.php goes through 300,000 rows of pagelinks one by one, for about ") || strings.Contains(got, ";") {
		t.Error(got)
	}
	if got := Learn(nil).Remarks(tiny); got != nil {
		t.Errorf("of a small wiki: %q", got)
	}
}

func TestText(t *testing.T) {
	for seconds, want := range map[float64]string{0: "1 s", 7.6: "8 s", 99: "99 s", 100: "2 min", 1935: "32 min", 5940: "99 min", 9000: "2.5 h"} {
		if got := Text(seconds); got != want {
			t.Errorf("%g: %q, want %q", seconds, got, want)
		}
	}
}

func TestMeter(t *testing.T) {
	m := NewMeter(big)
	for _, step := range []struct{ printed, want string }{
		{"MediaWiki 1.43.9 Updater\nUpdated 7 rows\n", ""},
		{"Merging the revision_comment_temp table into the revision table...\n", "0 of 300,000 rows of revision_comment_temp"},
		{"... rev_id=2000, updated 2000\n... rev_id=40", "2,000 of 300,000 rows of revision_comment_temp"},
		{"00, updated 4000\n", "4,000 of 300,000 rows of revision_comment_temp"},
		{"Completed merge of revision_comment_temp into the revision table, 4000 rows updated.\n", ""},
		{"Populating the pl_target_id column\nStarting backfill of 0:Completed title on pages between 0 and 999\nUpdated 3 rows\nUpdated 2 rows\n", "5 of 400,000 rows of pagelinks"},
		{"Updated 400000 rows\n", "400,005 of 400,005 rows of pagelinks"},
		{"Completed normalization of pagelinks, 5 rows updated.\n...nothing\n", ""},
		{"Populating the block and block_target tables\nMigrated 500 blocks\n", ""},
	} {
		fmt.Fprint(m, step.printed)
		if got := m.Text(); got != step.want {
			t.Errorf("after %q: %q, want %q", step.printed, got, step.want)
		}
	}
}

// Rows that were moved ahead cost the updater next to nothing, and tell nothing of what
// others cost. The forecast of measured wikis is within a factor of two.
func TestAhead(t *testing.T) {
	rates := Learn(nil)
	for pages, readOnly := range map[int64]float64{3000: 2.1, 15000: 4.5} {
		w := Wiki{Old: "1.39.17", New: "1.43.9", Bytes: 37e6 + pages*7300, Ahead: []string{"pagelinks", "externallinks", "revision_comment_temp"}, Rows: map[string]int64{"page": pages, "revision": 3 * pages,
			"revision_comment_temp": 3 * pages, "pagelinks": 4 * pages, "templatelinks": 2 * pages, "externallinks": 2 * pages, "searchindex": pages, "recentchanges": pages / 2}}
		within(t, fmt.Sprint(pages, " pages"), rates.Of(w, true).Total(), readOnly, 2)
	}
	moved := big
	moved.Ahead = []string{"pagelinks", "externallinks", "revision_comment_temp"}
	before, after := rates.Of(big, false), rates.Of(moved, false)
	if before.Ahead != 0 || after.Ahead <= 0 || after.Update > before.Update/15 || after.Total() > before.Total()/15 {
		t.Errorf("%+v, ahead %+v", before, after)
	}
	within(t, "what is saved", before.Update-after.Update, rates.OneByOne(big, moved.Ahead), 1.1)
	learned := Learn([]Past{{big, Phases{Update: before.Update, Rest: 1}}, {moved, Phases{Update: after.Update, Rest: 1}}, {moved, Phases{Update: after.Update, Rest: 1}}})
	within(t, "learned", learned.Of(big, false).Update, before.Update, 1.3)
}

// Tables that the updater copies or moves rows of are known for the versions that were measured. On
// the way to or from others each may be copied, but not the table of texts.
func TestChangeOf(t *testing.T) {
	for _, tc := range []struct {
		table, old, new string
		want            Change
	}{
		{"pagelinks", "1.39.17", "1.43.9", Moved},
		{"revision", "1.39.17", "1.43.9", Copied},
		{"logging", "1.39.17", "1.43.9", Kept},
		{"pagelinks", "1.43.9", "1.43.11", Kept},
		{"externallinks", "1.41.0", "1.43.9", Kept},
		{"logging", "1.35.13", "1.43.9", Copied},
		{"logging", "1.43.9", "1.47.0", Copied},
		{"pagelinks", "1.39.17", "1.47.0", Moved},
		{"text", "1.35.13", "1.47.0", Kept},
		{"logging", "1.47.0", "1.47.1", Kept},
	} {
		if got := ChangeOf(tc.table, tc.old, tc.new); got != tc.want {
			t.Errorf("%s from %s to %s: %d, want %d", tc.table, tc.old, tc.new, got, tc.want)
		}
	}
}
