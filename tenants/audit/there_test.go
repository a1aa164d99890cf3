package audit

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"wikictl/tenants"
	"wikictl/tenants/mariadb"
)

// A golden's schema is what wikis are compared with; without one, what most of
// enough wikis have.
func TestReferences(t *testing.T) {
	page, other := mariadb.Schema{"page": "column `a` int\n"}, mariadb.Schema{"page": "column `a` bigint\n"}
	th := &there{ledger: map[string]mariadb.TenantRow{}, servers: map[string]serverState{}}
	databases := map[string]*mariadb.Found{}
	for name, schema := range map[string]mariadb.Schema{"a1": page, "a2": page, "a3": other, "b1": page, "b2": page, "c1": other, "busy": other, "open": other} {
		th.ledger[name] = mariadb.TenantRow{Name: name, Server: "main", Database: name, ComponentSet: name[:1], State: mariadb.Ready}
		databases[name] = &mariadb.Found{Schema: schema}
	}
	th.servers["main"] = serverState{Inspection: &mariadb.Inspection{Databases: databases}}
	th.busy = map[string]string{"busy": "somebody"} // would be the third of set b
	th.past.upgrades = map[string]mariadb.UpgradeRow{"open": {}}
	l := tenants.Layout{State: t.TempDir()}
	write := func(text string) {
		if err := os.MkdirAll(l.Goldens(), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(l.GoldenSchema("c"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(`{"page": "column of a fresh wiki"}`)
	got, err := readReferences(l, th)
	if err != nil {
		t.Fatal(err)
	}
	if sets := slices.Sorted(maps.Keys(got)); !slices.Equal(sets, []string{"a", "c"}) {
		t.Errorf("there are references for %v", sets)
	}
	if d := cmp.Diff(page, got["a"].schema); d != "" || got["a"].source != "most of the 3 wikis of its code" {
		t.Error(d, got["a"].source)
	}
	if got["c"].schema["page"] != "column of a fresh wiki" {
		t.Errorf("the golden was not taken: %v", got["c"])
	}
	write("{}")
	if _, err := readReferences(l, th); err == nil || !strings.Contains(err.Error(), filepath.Base(l.GoldenSchema("c"))) {
		t.Errorf("a broken golden: %v", err)
	}
}

// What changes between two looks is worked on, and only what was open at both of
// them was interrupted.
func TestTwoLooks(t *testing.T) {
	row := func(run string) mariadb.TenantRow { return mariadb.TenantRow{Run: run, State: mariadb.Ready} }
	before := ledgerState{
		tenants:  map[string]mariadb.TenantRow{"still": row("1"), "changed": row("1"), "deleted": row("1"), "begun": row("1"), "released": row("1")},
		upgrades: map[string]mariadb.UpgradeRow{},
		runs:     []mariadb.Run{{ID: "dead"}, {ID: "ended"}, {ID: "ending"}},
		alive:    map[string]bool{"ending": true},
		busy:     map[string]string{"released": "anna"},
	}
	after := ledgerState{
		tenants:  map[string]mariadb.TenantRow{"still": row("1"), "changed": row("2"), "begun": row("1"), "released": row("1"), "locked": row("3")},
		upgrades: map[string]mariadb.UpgradeRow{"begun": {Phase: mariadb.Begun}},
		runs:     []mariadb.Run{{ID: "dead"}, {ID: "ending"}, {ID: "new"}},
		busy:     map[string]string{"locked": "bob"},
	}
	want := map[string]string{"changed": "run 2", "deleted": "run 1", "begun": "run 1", "released": "anna", "locked": "bob"}
	if d := cmp.Diff(want, busyIn(before, after)); d != "" {
		t.Error(d)
	}
	after.keep(before)
	if len(after.runs) != 1 || after.runs[0].ID != "dead" {
		t.Errorf("interrupted are %+v", after.runs)
	}
}

// Versions of servers are told apart as MediaWiki does.
func TestBrand(t *testing.T) {
	for version, want := range map[string]string{"10.11.19-MariaDB-0+deb12u1": "MariaDB 10.11.19", "8.4.3": "MySQL 8.4.3", "8.0.40-0ubuntu0.22.04.1": "MySQL 8.0.40"} {
		if name, number := brand(version); name+" "+number != want {
			t.Errorf("%s is %s %s", version, name, number)
		}
	}
}

func TestFarmSQLExplains(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "1.sql"), []byte("ALTER TABLE page ADD page_note INT;"), 0o644); err != nil {
		t.Fatal(err)
	}
	files, err := readFarmSQL(dir)
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	for name, want := range map[string]bool{"": true, "page_note": true, "page_not": false} {
		if got := files[0].explains(mariadb.Difference{Table: "page", Name: name}); got != want {
			t.Errorf("page.%s: %v", name, got)
		}
	}
}
