package upgrade

import (
	"os"
	"strings"
	"testing"

	"wikictl/tenants"
	"wikictl/tenants/disk"
	"wikictl/tenants/ledger"
)

// A wiki whose dump finds no room is blocked alone. What a blocked wiki would have taken is not
// taken from the others.
func TestSpaceIsCheckedForEachWiki(t *testing.T) {
	f := &tenants.Farm{State: t.TempDir()}
	p := &Plan{Tenants: []*Planned{{Name: "small", Bytes: 4 << 20}, {Name: "large", Bytes: 1 << 62}, {Name: "grown", Bytes: 1}, {Name: "little", Bytes: 4 << 20}, {Name: "odd", Bytes: 1}, {Name: "locked", Bytes: 4 << 20, Problems: []string{"it is locked"}}}}
	if err := os.MkdirAll(f.State+"/backups", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/nowhere/at/all", f.Layout().Backups("odd")); err != nil {
		t.Fatal(err)
	}
	p.checkSpace(f.Layout(), map[string]ledger.Upgrade{"grown": {BackupBytes: 1 << 61}}, Options{})
	for i, want := range []string{"", "its dump may need", "its dump may need", "", "is a dangling link", "it is locked"} {
		if got := strings.Join(p.Tenants[i].Problems, "; "); (got == "") != (want == "") || !strings.Contains(got, want) || want != "it is locked" && p.Tenants[i].own != len(p.Tenants[i].Problems) {
			t.Errorf("%s: %q, want %q", p.Tenants[i].Name, got, want)
		}
	}
	if p.Space != 2<<20 || p.Free <= 0 {
		t.Errorf("%d bytes of %d are to be taken", p.Space, p.Free)
	}
}

// An upgrade that finds no room on the disk of its server is blocked: for copies of tables, as many
// as the gate lets through, for tables that grow, and for its dump if that is on the same disk. Each
// wave begins with the room that those before leave; an interrupted upgrade counts and is not blocked.
func TestUpgradesFindRoomOnTheServersDisk(t *testing.T) {
	const mb = 1 << 20
	type wiki struct {
		wave    int
		links   int64 // MB of the table pagelinks
		dump    int64 // MB
		blocked string
	}
	fewer := "make room there, or upgrade fewer at once (--jobs)"
	for _, tc := range []struct {
		name  string
		o     Options
		free  int64  // MB on the server's disk
		dumps uint64 // file system of the dumps; the server's disk is 1
		wikis []wiki
		most  int64 // MB for a time
		kept  int64 // wikis that keep their new tables
	}{
		{"others run at once", Options{Jobs: 2}, 50, 2, []wiki{{1, 10, 9, ""}, {1, 10, 9, ""}, {1, 10, 9, fewer}, {1, 1, 9, ""}, {2, 10, 9, ""}}, 4 + 2*21, 3},
		{"fewer at once", Options{Jobs: 2, PerServer: 1}, 50, 2, []wiki{{1, 10, 9, ""}, {1, 10, 9, ""}, {1, 10, 9, ""}}, 4 + 2*10, 3},
		{"three copies at once", Options{Jobs: 20}, 1000, 2, []wiki{{1, 10, 9, ""}, {1, 20, 9, ""}, {1, 30, 9, ""}, {1, 40, 9, ""}}, 4 + 100 + 90, 4},
		{"alone", Options{Jobs: 2}, 50, 2, []wiki{{1, 40, 9, "it may need 85 MB in /data, where 50 MB are left beside"}}, 0, 0},
		{"dumps on the same disk", Options{Jobs: 1}, 60, 1, []wiki{{1, 10, 30, ""}, {2, 10, 2, ""}, {3, 10, 30, "its dump may need 31 MB"}, {4, 10, 4, "it may need 29 MB"}}, 4 + 2*10, 2},
		{"no dumps", Options{Jobs: 1, Backup: NoBackup}, 30, 1, []wiki{{1, 10, 0, ""}}, 4 + 2*10, 1},
		{"only ahead", Options{Jobs: 1, Ahead: AheadOnly}, 30, 1, []wiki{{1, 10, 0, ""}, {1, 10, 0, ""}, {1, 10, 0, "where 6 MB are left"}}, 4 + 20, 0},
		{"a disk without a limit", Options{Jobs: 1}, 0, 2, []wiki{{1, 1000, 9, ""}}, 4 + 2000, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v := newVolumes(tc.o)
			v.spaces["/data"], v.spaces["/backups"] = disk.Space{Bytes: tc.free * mb, Device: 1}, disk.Space{Bytes: 1000 * mb, Device: 2}
			if tc.dumps == 1 {
				v.spaces["/backups"] = v.spaces["/data"]
			}
			for i, w := range tc.wikis {
				v.enter(w.wave)
				j := &Planned{Old: "1.39.17", New: "1.43.9", code: true, folder: "/data", files: map[string]int64{"pagelinks": w.links * mb, "text": 1 << 40}}
				var got string
				if err := j.fit(v, "/backups", w.dump*mb, tc.o); err != nil {
					got = err.Error()
				}
				if (got == "") != (w.blocked == "") || !strings.Contains(got, w.blocked) {
					t.Errorf("wiki %d: %q, want %q", i, got, w.blocked)
				}
			}
			if got, want := v.most["/data"], tc.most*mb+tc.kept*newTables; got != want {
				t.Errorf("they need %d bytes, want %d", got, want)
			}
		})
	}
}

// Neither an interrupted upgrade, nor one that copies no table, nor one whose server's disk can't be
// seen is blocked for large tables. A wiki with problems takes no room.
func TestRoomThatIsNotNeeded(t *testing.T) {
	for _, j := range []*Planned{
		{Name: "interrupted", Old: "1.39.17", New: "1.43.9", code: true, folder: "/data", Interrupted: ledger.Changing},
		{Name: "the same version", Old: "1.43.9", New: "1.43.11", code: true, folder: "/data"},
		{Name: "SQL of the farm", Old: "1.39.17", New: "1.43.9", folder: "/data"},
		{Name: "elsewhere", Old: "1.39.17", New: "1.43.9", code: true},
		{Name: "locked", Old: "1.43.9", New: "1.43.11", code: true, folder: "/data", Problems: []string{"it is locked"}},
	} {
		v := newVolumes(Options{Jobs: 1})
		v.spaces["/data"] = disk.Space{Bytes: 8 << 20, Device: 1}
		v.spaces["/backups"] = disk.Space{Bytes: 8 << 20, Device: 2}
		j.files = map[string]int64{"pagelinks": 1 << 40}
		if err := j.fit(v, "/backups", 0, Options{}); err != nil {
			t.Errorf("%s: %v", j.Name, err)
		}
		if counts := v.most["/data"] > 0; counts != (j.folder != "" && j.Problems == nil) {
			t.Errorf("%s: it takes %d bytes", j.Name, v.most["/data"])
		}
	}
}

// A wiki is blocked if its folders can't take new files: no inodes are left beside those of the
// wikis before it, or a file system is mounted read-only.
func TestUpgradesFindInodes(t *testing.T) {
	f := &tenants.Farm{State: "/srv"}
	v := newVolumes(Options{})
	v.spaces = map[string]disk.Space{}
	for _, name := range []string{"a", "b", "c", "d"} {
		v.spaces[f.Layout().Wiki(name)] = disk.Space{Device: 1, Inodes: 99, Files: 2 * newFiles}
		v.spaces[f.Layout().Logs(name)] = disk.Space{Device: 2} // without a limit
		v.spaces[f.Layout().Backups(name)] = disk.Space{Device: 1, Inodes: 99, Files: 2 * newFiles, ReadOnly: name == "b"}
	}
	for _, tc := range []struct {
		name string
		o    Options
		want string
	}{
		{"a", Options{}, ""},
		{"b", Options{}, "/srv/backups/b is mounted read-only"},
		{"b", Options{Backup: NoBackup}, ""},
		{"c", Options{}, "has inodes for 0 (df -i)"},
	} {
		err := (&Planned{Name: tc.name}).fitFiles(v, f.Layout(), tc.o)
		if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", tc.name, err, tc.want)
		}
	}
	if err := (&Planned{Name: "d", Interrupted: "changing"}).fitFiles(v, f.Layout(), Options{}); err != nil {
		t.Errorf("an interrupted upgrade is refused: %v", err)
	}
}
