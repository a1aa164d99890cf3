package mariadb

import (
	"fmt"
	"testing"

	"wikictl/tenants/mediawiki"
)

// The level of a schema is the same whatever engine its tables are of, by each of
// the three ways to ask for it, and all tables count for the size.
func TestLevelOfEveryEngine(t *testing.T) {
	for _, c := range []struct {
		engine, options string
		want            mediawiki.Level
	}{
		{"InnoDB", "", "1.39"}, {"MyISAM", "", "1.39"}, {"Aria", "", "1.39"}, {"InnoDB", "PARTITION BY HASH (id) PARTITIONS 2", "1.39"},
		{"MyISAM", "PARTITION BY HASH (id) PARTITIONS 2", "1.39"},
	} {
		name := "level-" + c.engine
		if c.options != "" {
			name += ".p"
		}
		database(t, name)
		for table, columns := range map[string]string{
			"page": "", "revision": "", "actor": "", "user": "", "text": "", "watchlist_expiry": "", "job": "",
			"objectcache": ", modtoken INT", "templatelinks": ", tl_target_id INT", "externallinks": ", el_to INT", "pagelinks": ", pl_title INT",
		} {
			must(t, exec1(t, shared, fmt.Sprintf("CREATE TABLE %s.%s (id INT%s) ENGINE=%s %s", Quote(name), table, columns, c.engine, c.options)))
		}
		must(t, exec1(t, shared, "INSERT INTO "+Quote(name)+".page VALUES (1)"))
		facts, err := shared.Facts(t.Context(), "watchlist_expiry.id", "job.none")
		must(t, err)
		inspection, err := shared.Inspect(t.Context())
		must(t, err)
		level, err := shared.LevelOf(t.Context(), name)
		must(t, err)
		if got := facts[name]; !got.Has("watchlist_expiry.id") || got.Has("job.none") || got.Has("page.id") {
			t.Errorf("%s: what is asked for is not told: %+v", name, got)
		}
		if got := facts[name]; got.Level != c.want || !got.HasJobs || got.Bytes == 0 || level != c.want || inspection.Databases[name].Level != c.want {
			t.Errorf("%s: %+v, %s, %s", name, got, level, inspection.Databases[name].Level)
		}
	}
}
