package recovery

import (
	"slices"
	"strings"
	"testing"
	"time"

	"wikictl/tenants"
	"wikictl/tenants/backup/archive"
	"wikictl/tenants/backup/restic"
)

// Of a wiki's snapshots the rules keep some, of each wiki at least the newest; of several of
// one run all but the newest go.
func TestExpiredSnapshots(t *testing.T) {
	now := time.Date(2026, 6, 30, 12, 0, 0, 0, time.UTC)
	snapshot := func(id, wiki, run string, days int) restic.Snapshot {
		return restic.Snapshot{ID: id, Wiki: wiki, Run: run, Taken: now.AddDate(0, 0, -days)}
	}
	found := []restic.Snapshot{
		snapshot("1", "a", "r1", 0), snapshot("2", "a", "r1", 0), snapshot("3", "a", "r2", 3), snapshot("4", "a", "r3", 50),
		snapshot("5", "b", "r1", 300), snapshot("6", "b", "r2", 400),
	}
	got := expiredSnapshots(found, tenants.KeepBackups{Daily: 2}, now)
	if want := []string{"2", "4"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if got := expiredSnapshots(found, tenants.KeepBackups{}, now); !slices.Equal(got, []string{"2", "3", "4", "6"}) {
		t.Errorf("without rules %v", got)
	}
}

// Snapshots are listed as the repository has them, with what the state folder knows of them,
// and never one whose tags are no names.
func TestSnapshotsAreListed(t *testing.T) {
	l := tenants.Layout{State: "/s"}
	described := &archive.Archive{Snapshot: "old id", Verified: time.Unix(1, 0)}
	described.Name, described.Run, described.Farm, described.Database = "w", "20260101-000000-abcdef", "f", "wiki_w"
	gone := &archive.Archive{Snapshot: "gone"}
	gone.Name, gone.Run, gone.Farm = "w", "20250101-000000-abcdef", "f"
	file := &archive.Archive{File: "/s/archives/wikis/w/x.tar.zst"}
	found := []restic.Snapshot{
		{ID: "new", Wiki: "w", Run: described.Run, Farm: "f"}, {ID: "incomplete", Wiki: "w", Run: described.Run, Farm: "f"},
		{ID: "other", Wiki: "w", Run: described.Run, Farm: "g", Version: "1.43.0"},
		{ID: "out", Wiki: "../w", Run: described.Run, Farm: "f"}, {ID: "run", Wiki: "w", Run: "../x", Farm: "f"},
	}
	var got []string
	for _, a := range with([]*archive.Archive{described, file, gone}, found, l, "/r") {
		got = append(got, strings.Join([]string{a.Snapshot, a.File, a.Database, a.Version}, " "))
	}
	want := []string{" /s/archives/wikis/w/x.tar.zst  ", "new  wiki_w ", "other /s/archives/wikis/w/20260101-000000-abcdef.tar.zst  1.43.0"}
	if !slices.Equal(got, want) {
		t.Errorf("%q\nwant\n%q", got, want)
	}
}

func TestInSnapshot(t *testing.T) {
	for folder, want := range map[string]string{
		"../../../../wikis/w/images": "wikis/w/images",
		"../../../../../../mnt/up":   "mnt/up",
	} {
		if got := inSnapshot(folder); got != want {
			t.Errorf("%s: %s", folder, got)
		}
	}
}
