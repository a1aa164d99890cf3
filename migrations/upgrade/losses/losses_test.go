package losses

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func snapshot(rows map[string]int64, columns string, counts map[string]int64) Snapshot {
	s := Snapshot{Rows: rows, Columns: map[string]bool{}, Counts: counts}
	for _, c := range strings.Fields(columns) {
		s.Columns[c] = true
	}
	return s
}

const (
	links39 = "externallinks.el_to revision.rev_comment_id pagelinks.pl_title"
	links43 = "externallinks.el_to_domain_index revision.rev_comment_id pagelinks.pl_target_id"
)

func TestCompare(t *testing.T) {
	type rows = map[string]int64
	for _, tc := range []struct {
		name          string
		before, after Snapshot
		skipped       []string
		want          []string
	}{
		{"all arrived", snapshot(rows{"ipblocks": 2, "page": 9, "revision": 5, "revision_comment_temp": 5}, links39, rows{"revision_comment_temp": 0}),
			snapshot(rows{"block": 2, "page": 9, "revision": 5}, links43, rows{"revision_comment_temp": 5}), nil, nil},
		{"a block", snapshot(rows{"ipblocks": 3}, "", nil), snapshot(rows{"block": 2}, "", nil),
			[]string{"ipblock with ID 1: account block with ipb_user=0, skipping…"}, []string{"update.php left out 1 block (ipb_id 1)"}},
		{"many blocks", snapshot(rows{"ipblocks": 9}, "", nil), snapshot(rows{"block": 3}, "", nil),
			[]string{"ipblock with ID 1: x, skipping…", "ipblock with ID 2: x, skipping…", "ipblock with ID 3: x, skipping…",
				"ipblock with ID 4: x, skipping…", "ipblock with ID 5: x, skipping…", "ipblock with ID 6: x, skipping…"},
			[]string{"update.php left out 6 blocks (ipb_id 1, 2, 3, 4, 5 and more)"}},
		{"blocks of an earlier, interrupted run count", snapshot(rows{"ipblocks": 3, "block": 2}, "", nil), snapshot(rows{"block": 5}, "", nil), nil, nil},
		{"an administrator's columns", Snapshot{Rows: rows{"ipblocks": 3}, Foreign: map[string][]string{"ipblocks": {"x_a", "x_b"}}}, snapshot(rows{"block": 3}, "", nil), nil,
			[]string{"update.php dropped what is not MediaWiki's in the table ipblocks, which had 3 rows: x_a, x_b"}},
		{"a block that no line tells of", snapshot(rows{"ipblocks": 3}, "", nil), snapshot(rows{"block": 2}, "", nil), nil,
			[]string{"update.php left out 1 block"}},
		{"edit summaries", snapshot(rows{"revision": 5, "revision_comment_temp": 5}, links39, rows{"revision_comment_temp": 0}),
			snapshot(rows{"revision": 5}, links43, rows{"revision_comment_temp": 3}), nil, []string{"update.php left out 2 edit summaries"}},
		{"summaries that were new already", snapshot(rows{"revision": 5, "revision_comment_temp": 2}, links39, rows{"revision_comment_temp": 3}),
			snapshot(rows{"revision": 5}, links43, rows{"revision_comment_temp": 5}), nil, nil},
		{"links without a domain", snapshot(rows{"externallinks": 4}, links39, nil), snapshot(rows{"externallinks": 4}, links43, rows{"externallinks": 2}), nil,
			[]string{"update.php left 2 external links without a domain and an address"}},
		{"the columns were new already", snapshot(rows{"externallinks": 4}, links43, nil), snapshot(rows{"externallinks": 4}, links43, rows{"externallinks": 2}), nil, nil},
		{"rows removed", snapshot(rows{"page": 9, "logging": 3}, "", nil), snapshot(rows{"page": 7, "logging": 4}, "", nil), nil,
			[]string{"update.php removed 2 rows of page"}},
		{"caches and queues", snapshot(rows{"objectcache": 9, "job": 3, "category": 2}, "", nil), snapshot(rows{"objectcache": 0, "category": 1}, "", nil), nil, nil},
		{"a table of nobody's", snapshot(rows{"guestbook": 2, "empty": 0}, "", nil), snapshot(rows{}, "", nil), nil,
			[]string{"update.php dropped the table guestbook, which had 2 rows"}},
		{"what scripts say", snapshot(nil, "", nil), snapshot(nil, "", nil), []string{"Skipping File:A.gif."}, []string{"update.php said: Skipping File:A.gif."}},
		{"an administrator's view", Snapshot{Objects: []string{"trigger t", "view gone", "view stays"}}, Snapshot{Objects: []string{"trigger t", "view new", "view stays"}}, nil,
			[]string{"update.php left the view gone without a table or a column that it needs"}},
		{"largest first", snapshot(rows{"page": 9, "user": 9}, "", nil), snapshot(rows{"page": 8, "user": 3}, "", nil), nil,
			[]string{"update.php removed 6 rows of user", "update.php removed 1 row of page"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got []string
			for _, l := range Compare(tc.before, tc.after, tc.skipped) {
				got = append(got, l.String())
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestConditions(t *testing.T) {
	before := snapshot(map[string]int64{"revision_comment_temp": 5, "revision": 5, "externallinks": 1}, links39, nil)
	name := func(list []Condition) (names []string) {
		for _, c := range list {
			names = append(names, c.Name)
		}
		return names
	}
	if got := name(Conditions(before, nil)); !cmp.Equal(got, []string{"revision_comment_temp"}) {
		t.Errorf("before: %q", got)
	}
	// Rows that an earlier run moved ahead are in both tables, and still have to arrive.
	ahead := "rev_comment_id <> 0 AND NOT EXISTS (SELECT 1 FROM {database}.revision_comment_temp WHERE revcomment_rev = rev_id)"
	if got := Conditions(before, nil)[0].Where; got != ahead {
		t.Errorf("before it counts %s", got)
	}
	after := snapshot(map[string]int64{"revision": 5, "externallinks": 1}, links43, nil)
	if got := name(Conditions(after, &before)); !cmp.Equal(got, []string{"revision_comment_temp", "externallinks", "pagelinks"}) {
		t.Errorf("after: %q", got)
	}
	if got := Conditions(after, &before)[0].Where; got != "rev_comment_id <> 0" {
		t.Errorf("after it counts %s", got)
	}
	if got := name(Conditions(after, &after)); got != nil {
		t.Errorf("nothing changed, and yet %q", got)
	}
}

func TestIdentify(t *testing.T) {
	list := []Loss{{Table: "externallinks", Rows: 2, What: "left 2"}, {Table: "page", Rows: 1, What: "removed 1"}}
	Identify(list, map[string][]string{"externallinks": {"4", "7"}})
	if list[0].String() != "update.php left 2 (el_id 4, 7)" || list[1].IDs != "" {
		t.Errorf("%q", list)
	}
}

func TestSkipped(t *testing.T) {
	log := `MediaWiki 1.43.9 Updater
...skipping: 'x' table doesn't exist yet.
...skipping update to shared table user.
No ipblocks table, skipping migration to block_target.
Starting backfill of 0:Ignored_orphans_skipped title on pages between 0 and 999
Updated 1 rows
ipblock with ID 12: account block with ipb_user=0, skipping…
Ignoring 3 orphaned image_comment_temp row(s).
Found 0 orphaned rows
0 pages were skipped
orphans: none
Skipping File:A.gif.
user 0 skipped
Could not make actor for target_author_ip row with 5
Skipping compatibility checks, proceed at your own risk (Ctrl+C to abort)
Old fields don't exist. There is no need to run this script
` + strings.Repeat("x", 200<<10) + " unable to read it\n" + "the last line was ignored"
	got, err := Skipped(strings.NewReader(log))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"ipblock with ID 12: account block with ipb_user=0, skipping…", "Ignoring 3 orphaned image_comment_temp row(s).",
		"Skipping File:A.gif.", "user 0 skipped", "Could not make actor for target_author_ip row with 5",
	}
	if len(got) != len(want)+2 || !strings.Contains(got[len(want)], "unable to read it") {
		t.Fatalf("%q", got)
	}
	if diff := cmp.Diff(want, got[:len(want)]); diff != "" || got[len(want)+1] != "the last line was ignored" {
		t.Error(diff, got[len(want)+1])
	}
}
