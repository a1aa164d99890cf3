package main

import (
	"encoding/json"
	"strings"
	"testing"
)

// runsSQL: one statement, one table with the wiki's name, and nothing is changed unless
// that is said.
func runsSQL(t *testing.T, f *farm) {
	count := "SELECT COUNT(*) AS pages FROM page"
	if out := f.exits(0, "sql", "--all", "--format", "csv", "--", count); out != "tenant,pages\nw0,1\nw1,1\nw2,1\n" {
		t.Errorf("%q", out)
	}
	f.wants(f.exits(0, "sql", "w0", "w2", "--", "SELECT page_title, page_title FROM page"), "Main_Page", "w2", "TENANT")
	out, story, code := f.typed("SELECT NULL AS a, 5 AS b, 'x y' AS c, UNHEX('FF') AS d;\n", "--format", "json", "sql", "w1")
	var d struct {
		Columns []string
		Rows    [][]any
		Counts  struct{ Done int }
	}
	must(t, json.Unmarshal([]byte(out), &d))
	if code != 0 || len(d.Rows) != 1 || d.Rows[0][0] != "w1" || d.Rows[0][1] != nil || d.Rows[0][2] != 5.0 || d.Rows[0][3] != "x y" || d.Rows[0][4] != "0xff" || d.Counts.Done != 1 {
		t.Errorf("%d %s%s", code, out, story)
	}
	f.refuses(64, "sql", "w0", "--", "DELETE FROM page")
	f.refuses(64, "sql", "w0", "--", "SELECT 1; DELETE FROM page")
	f.refuses(64, "sql", "w0", "--", "SELECT", "1")
	f.refuses(64, "sql", "--", count)
	f.sqlIn("wiki_w0", "CREATE FUNCTION strikes() RETURNS INT MODIFIES SQL DATA BEGIN DELETE FROM site_stats; RETURN 1; END")
	f.sql("GRANT EXECUTE ON wiki_w0.* TO wiki_w0@localhost")
	f.wants(f.refuses(2, "sql", "w0", "--", "SELECT strikes()"), "READ ONLY")
	f.sqlIn("wiki_w0", "DROP FUNCTION strikes")
	f.sql("REVOKE EXECUTE ON wiki_w0.* FROM wiki_w0@localhost")
	f.wants(f.refuses(2, "sql", "w0", "--", "SELECT COUNT(*) FROM wiki_w1.page"), "denied") // of another wiki
	f.wants(f.refuses(2, "sql", "w0", "--limit", "50ms", "--", "SELECT SLEEP(100) FROM page, page AS p"), "max_statement_time")
	f.wants(f.refuses(2, "sql", "w0", "--max-rows", "1", "--", "SELECT 1 UNION SELECT 2"), "more than 1 rows")
	out, story, code = f.result("sql", "--all", "--format", "csv", "--", "SELECT COUNT(*) AS n FROM abuse_filter")
	if code != 2 || out != "tenant,n\nw2,0\n" || strings.Count(story, "failed w") != 2 {
		t.Errorf("%d %q %s", code, out, story)
	}
	if out := f.exits(0, "sql", "w0", "w1", "--write", "--format", "csv", "--", "UPDATE site_stats SET ss_images = 7"); out != "tenant,changed\nw0,1\nw1,1\n" {
		t.Errorf("%q", out)
	}
	if got := strings.Join(f.sql("SELECT ss_images FROM wiki_w0.site_stats UNION ALL SELECT ss_images FROM wiki_w2.site_stats"), " "); got != "7 0" {
		t.Errorf("images: %s", got)
	}
	f.wants(f.refuses(2, "sql", "w0", "--write", "--", "CREATE TABLE made (a INT)"), "denied")
	f.exits(0, "sql", "w0", "--write", "--schema-account", "--", "CREATE TABLE made (a INT)")
	out, code = f.held("w0", "script", "before", func() {
		f.exits(0, "sql", "w0", "--", count)
		f.refuses(75, "sql", "w0", "--write", "--", "DELETE FROM made")
	}, "run", "w0", "--", "showSiteStats")
	if code != 0 {
		t.Error(out)
	}
}
