package mariadb

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Differences of two databases are reported by table, each with its first line.
func TestDefinitionsDiffer(t *testing.T) {
	want := Definitions{
		"a": "CREATE TABLE `a` (\n  `x` int(11),\n  KEY `x` (`x`)\n) ENGINE=InnoDB AUTO_INCREMENT=7 DEFAULT CHARSET=binary",
		"b": "CREATE TABLE `b` (\n  `x` int(11)\n) ENGINE=InnoDB", "c": "CREATE TABLE `c` (\n  `x` int(11)\n) ENGINE=InnoDB",
	}
	got := Definitions{
		"a": "CREATE TABLE `a` (\n  `x` int(11)\n) ENGINE=InnoDB AUTO_INCREMENT=8 DEFAULT CHARSET=binary",
		"b": "CREATE TABLE `b` (\n  `x` int(11)\n) ENGINE=InnoDB", "d": "CREATE TABLE `d` (\n  `x` int(11)\n) ENGINE=InnoDB",
	}
	found := want.WithoutNumbers().Differences(got.WithoutNumbers())
	if d := cmp.Diff([]string{
		"table a: \") ENGINE=InnoDB DEFAULT CHARSET=binary\", not \"KEY `x` (`x`)\"", "table c: it is missing", "table d: it should not exist",
	}, found); d != "" {
		t.Error(d)
	}
	got["a"], got["c"] = want["a"], want["c"]
	delete(got, "d")
	if !slices.Equal(want.Differences(got), nil) || want.Fingerprint() != got.Fingerprint() {
		t.Errorf("equal databases differ: %v", want.Differences(got))
	}
	got["a"] = "CREATE TABLE `a` (\n  `x` int(11),\n  KEY `x` (`x`)\n) ENGINE=InnoDB AUTO_INCREMENT=9 DEFAULT CHARSET=binary"
	if want.Fingerprint() == got.Fingerprint() || want.WithoutNumbers().Fingerprint() != got.WithoutNumbers().Fingerprint() {
		t.Error("the next number does not make the difference that it should make")
	}
}

// A copy of some tables would read or write elsewhere.
func TestUncopyable(t *testing.T) {
	cases := []struct{ name, create, want string }{
		{"plain", "CREATE TABLE `t` (\n  `x` int(11) COMMENT 'CONNECTION=x'\n) ENGINE=InnoDB DEFAULT CHARSET=binary", ""},
		{"search index", "CREATE TABLE `t` (\n  `x` int(11)\n) ENGINE=MyISAM DEFAULT CHARSET=utf8mb3", ""},
		{"federated", "CREATE TABLE `t` (\n  `x` int(11)\n) ENGINE=FEDERATED CONNECTION='mysql://x'", "t"},
		{"connect", "CREATE TABLE `t` (\n  `x` int(11)\n) ENGINE=CONNECT `table_type`=mysql", "t"},
		{"merged", "CREATE TABLE `t` (\n  `x` int(11)\n) ENGINE=MRG_MyISAM UNION=(`a`)", "t"},
		{"another folder", "CREATE TABLE `t` (\n  `x` int(11)\n) ENGINE=InnoDB DATA DIRECTORY='/x/'", "t"},
		{"generated column", "CREATE TABLE `t` (\n  `x` int(11),\n  `y` int(11) GENERATED ALWAYS AS (`x` + 1) VIRTUAL\n) ENGINE=InnoDB", "t"},
		{"a sequence", "CREATE SEQUENCE `t` start with 1 ENGINE=InnoDB", "t"},
	}
	for _, tc := range cases {
		if got := (Definitions{"t": tc.create}).Uncopyable(); got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}

// A sample has a few rows of each table, all of one, and no very long ones; its tables are
// as those that it was taken from.
func TestSample(t *testing.T) {
	database(t, "s1")
	database(t, "s2")
	must(t, exec1(t, shared, "CREATE TABLE s1.t (id INT AUTO_INCREMENT PRIMARY KEY, b LONGBLOB)"))
	must(t, exec1(t, shared, "INSERT INTO s1.t (b) SELECT REPEAT('x', IF(seq = 2, 70000, 20000)) FROM s1.seq_1_to_9"))
	must(t, exec1(t, shared, "CREATE TABLE s1.updatelog (ul_key VARBINARY(255) PRIMARY KEY)"))
	must(t, exec1(t, shared, "INSERT INTO s1.updatelog SELECT seq FROM s1.seq_1_to_60"))
	must(t, exec1(t, shared, "CREATE TABLE s1.cache (k INT)"))
	must(t, exec1(t, shared, "INSERT INTO s1.cache VALUES (1)"))
	few, err := shared.TakeSample(t.Context(), "s1", 3, "updatelog", "cache")
	must(t, err)
	all, err := shared.TakeSample(t.Context(), "s1", 9, "updatelog", "cache")
	must(t, err)
	if d := cmp.Diff(map[string]int{"t": 2, "updatelog": 60}, few.Counts); d != "" || all.Counts["t"] != 4 {
		t.Errorf("%s; %d rows", d, all.Counts["t"])
	}
	must(t, shared.Load(t.Context(), "s2", few.Only("updatelog")))
	one, err := shared.Definitions(t.Context(), "s1")
	must(t, err)
	other, err := shared.Definitions(t.Context(), "s2")
	must(t, err)
	keys, err := shared.UpdateLog(t.Context(), "s2")
	must(t, err)
	if found := one.Differences(other); len(found) > 0 || len(one) != 3 || len(keys) != 60 {
		t.Errorf("%v; %d tables, %d keys", found, len(one), len(keys))
	}
	if keys, err := shared.UpdateLog(t.Context(), "mysql"); err != nil || len(keys) > 0 {
		t.Errorf("a database without an updatelog: %v, %v", keys, err)
	}
}

// Columns and the level are read from definitions as the server itself tells them.
func TestColumnsOfDefinitions(t *testing.T) {
	database(t, "columns")
	for _, statement := range []string{
		"CREATE TABLE columns.page (page_id INT AUTO_INCREMENT PRIMARY KEY, `odd ``name` INT COMMENT '\n  `no_column` INT', KEY page_key (`odd ``name`)) AUTO_INCREMENT = 7",
		"CREATE TABLE columns.revision (r INT)", "CREATE TABLE columns.user (u INT)", "CREATE TABLE columns.text (t INT)",
		"CREATE TABLE columns.actor (a INT) COMMENT ' AUTO_INCREMENT=3'", "CREATE TABLE columns.watchlist_expiry (w INT)", "CREATE TABLE columns.objectcache (modtoken INT)",
		"CREATE TABLE columns.templatelinks (tl_target_id INT, tl_title INT)",
	} {
		must(t, exec1(t, shared, statement))
	}
	d, err := shared.Definitions(t.Context(), "columns")
	must(t, err)
	names := []string{"page.page_id", "page.odd `name", "page.no_column", "page.page_key", "page.page", "page.", "none.x", "templatelinks.tl_title", "actor.a"}
	want, err := shared.Columns(t.Context(), "columns", names)
	must(t, err)
	if diff := cmp.Diff(want, d.Columns(names)); diff != "" || !want["page.odd `name"] || want["page.no_column"] {
		t.Errorf("%s in\n%s", diff, d["page"])
	}
	if got := d.ColumnsOf("page"); !slices.Equal(got, []string{"page_id", "odd `name"}) {
		t.Errorf("columns %q", got)
	}
	level, err := shared.LevelOf(t.Context(), "columns")
	must(t, err)
	if got := d.Level(); got != level || got != "1.38" {
		t.Errorf("level %s, the server tells %s", got, level)
	}
	plain := d.WithoutNumbers()
	if strings.Contains(plain["page"], "AUTO_INCREMENT=") || !strings.Contains(plain["page"], " AUTO_INCREMENT,") || !strings.Contains(plain["actor"], "AUTO_INCREMENT=3") {
		t.Errorf("%s\n%s", plain["page"], plain["actor"])
	}
}
