package mediawiki

import (
	"strings"
	"testing"
)

func TestLevels(t *testing.T) {
	names := func(more ...string) map[string]bool {
		all := map[string]bool{"templatelinks": true, "templatelinks.tl_title": true, "externallinks.el_to": true, "pagelinks.pl_title": true}
		for _, n := range append(append([]string{}, core...), more...) {
			if gone, ok := strings.CutPrefix(n, "-"); ok {
				delete(all, gone)
				continue
			}
			all[n] = true
		}
		return all
	}
	to139 := []string{"actor", "watchlist_expiry", "objectcache.modtoken", "templatelinks.tl_target_id", "-templatelinks.tl_title"}
	to143 := append(append([]string{}, to139...), "externallinks.el_to_path", "-externallinks.el_to", "block_target", "-pagelinks.pl_title")
	for _, c := range []struct {
		name string
		have map[string]bool
		want Level
	}{
		{"nothing", nil, NoTables},
		{"a shop", map[string]bool{"orders": true}, Foreign},
		{"a prefix", map[string]bool{"mw_page": true, "mw_revision": true, "mw_user": true, "mw_text": true}, "MediaWiki with the table prefix mw_"},
		{"two wikis", map[string]bool{"a_revision": true, "b_page": true, "b_revision": true, "b_user": true, "b_text": true}, "MediaWiki with the table prefix b_"},
		{"nearly one", map[string]bool{"mw_page": true, "mw_revision": true, "mw_user": true}, Foreign},
		{"1.30", names(), BeforeAll},
		{"1.34", names("actor"), "1.31"},
		{"1.39", names(to139...), "1.39"},
		{"1.42, pagelinks not migrated", names(append(to143, "pagelinks.pl_title")...), "1.42"},
		{"1.43", names(to143...), "1.43"},
		{"1.44", names(append(to143, "filetypes")...), AfterAll},
	} {
		if got := LevelOf(c.have); got != c.want {
			t.Errorf("%s is %s, want %s", c.name, got, c.want)
		}
	}
	for version, want := range map[string]Level{"1.36.4": "1.35", "1.39.17": "1.39", "1.43.0-rc.1": "1.43", "1.43.9": "1.43", "1.44.0-wmf.5": AfterAll, "1.48.0": AfterAll, "2.0.0-alpha": AfterAll, "2.0.0": AfterAll} {
		if got := LevelFor(version); got != want {
			t.Errorf("LevelFor(%s) is %s, want %s", version, got, want)
		}
	}
	for _, c := range []struct {
		level   Level
		release string
		want    bool
	}{{"1.43", "1.43.9", true}, {"1.35", "1.36.4", true}, {"1.42", "1.43.9", false}, {AfterAll, "1.46.1", true}, {"1.46", "1.46.1", true}, {"1.45", "1.46.1", false}, {Foreign, "1.46.1", false}, {AfterAll, "1.43.9", false}} {
		if c.level.Fits(c.release) != c.want {
			t.Errorf("%s fits %s: %v", c.level, c.release, !c.want)
		}
	}
}
