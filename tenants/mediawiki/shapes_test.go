package mediawiki

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"wikictl/cmd/testbed/needs"
	"wikictl/tenants"
)

// The tables of a tree identify a version after the last marker.
func TestShapes(t *testing.T) {
	path := filepath.Join(needs.Codebases(t), "1.43")
	lts := shapeAt(path)
	for _, name := range []string{"page", "page.page_id", "block_target.bt_id", "searchindex.si_text", "pagelinks.pl_target_id"} {
		if !lts[name] {
			t.Errorf("1.43 has no %s", name)
		}
	}
	if lts["pagelinks.pl_title"] || len(lts) < 400 {
		t.Errorf("%d names", len(lts))
	}
	made := func(columns string) string {
		return tree(t, map[string]string{"sql/mysql/tables-generated.sql": "CREATE TABLE /*_*/page (\n  page_id INT NOT NULL,\n" + columns + "  INDEX own (page_id),\n  PRIMARY KEY(page_id)\n) /*$wgDBTableOptions*/;\n\nCREATE TABLE /*_*/user (\n  user_id INT NOT NULL\n) /*$wgDBTableOptions*/;\n"})
	}
	s := NewShapes(map[string]*tenants.Codebase{
		"b": {Version: "1.46.1", Path: made("  page_new INT NOT NULL,\n")}, "a": {Version: "1.45.0", Path: made("  page_old INT NOT NULL,\n")},
		"c": {Version: "1.46.0", Path: made("  page_new INT NOT NULL,\n")}, "broken": {Version: "1.47.0", Path: made(""), Faults: tenants.Problems{{}}}, "gone": {Version: "1.47.0", Path: t.TempDir()},
	})
	if !slices.Equal(s.Telling, []string{"page.page_new", "page.page_old"}) || !slices.Equal(s.Columns(), s.Telling) {
		t.Error(s.Telling)
	}
	for have, want := range map[string]Level{"page.page_new": "1.46", "page.page_old": "1.45", "page.page_old page.page_new": AfterAll, "page": AfterAll} {
		if got := s.LevelOf(AfterAll, func(name string) bool { return slices.Contains(strings.Fields(have), name) }); got != want {
			t.Errorf("%s is %s, want %s", have, got, want)
		}
	}
	alike := NewShapes(map[string]*tenants.Codebase{"a": {Version: "1.45.0", Path: made("")}, "b": {Version: "1.46.0", Path: made("")}})
	if got := alike.LevelOf(AfterAll, func(string) bool { return true }); got != AfterAll {
		t.Errorf("of two versions with the same tables it is %s", got)
	}
	if old := NewShapes(map[string]*tenants.Codebase{"a": {Version: "1.39.17", Path: made("")}, "b": {Version: "1.43.9", Path: path}}); len(old.Telling) != 0 {
		t.Error("columns are asked for that markers tell")
	}
	if got := s.LevelOf("1.39", func(string) bool { return true }); got != "1.39" {
		t.Errorf("what markers tell is %s", got)
	}
	if got := NewShapes(nil).LevelOf(AfterAll, func(string) bool { return false }); got != AfterAll {
		t.Error(got)
	}
}
