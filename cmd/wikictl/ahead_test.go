package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// manyRows fills a wiki of 1.39 as testbed bench upgrade --big does.
func (f *farm) manyRows(wiki string) {
	f.t.Helper()
	text, err := os.ReadFile("../testbed/big.sql")
	if err != nil {
		f.t.Fatal(err)
	}
	numbers := strings.NewReplacer("{pages}", "300", "{revisions}", "900", "{comments}", "30", "{pagelinks}", "1200", "{links}", "600", "{templates}", "10", "{changes}", "150")
	f.sqlIn("wiki_"+wiki, numbers.Replace(string(text)))
}

// ended returns the rows, after an upgrade, of the tables whose rows can be moved ahead, of those
// to which rows are moved, and of one that the upgrade only rewrites.
func (f *farm) ended(wiki string) string {
	f.t.Helper()
	var all []string
	number := regexp.MustCompile(`AUTO_INCREMENT=\d+`)
	for _, query := range []string{
		"SHOW CREATE TABLE pagelinks", "SHOW CREATE TABLE externallinks", "SHOW CREATE TABLE revision", "SHOW CREATE TABLE linktarget", "SHOW CREATE TABLE page",
		"SELECT COUNT(*), SUM(CRC32(CONCAT_WS('|', pl_from, pl_from_namespace, lt_namespace, lt_title))) FROM pagelinks JOIN linktarget ON lt_id = pl_target_id WHERE pl_from > 1000",
		"SELECT COUNT(*), SUM(CRC32(CONCAT_WS('|', el_id, el_from, el_to_domain_index, el_to_path))) FROM externallinks WHERE el_from > 1000",
		"SELECT COUNT(*), SUM(CRC32(CONCAT_WS('|', rev_id, rev_comment_id))) FROM revision WHERE rev_id BETWEEN 1000 AND 1900",
		"SELECT COUNT(*), SUM(CRC32(CONCAT_WS('|', lt_namespace, lt_title))) FROM linktarget",
		"SELECT COUNT(*) FROM updatelog", "SHOW TABLES",
	} {
		all = append(all, f.sql("USE wiki_"+wiki+"; "+query)...)
	}
	return number.ReplaceAllString(strings.ReplaceAll(strings.Join(all, " "), "wiki_"+wiki, "wiki"), "")
}

// Rows are moved while a wiki's old code serves and people edit, whenever that is killed; its
// upgrade ends as without it, and the old code runs on it.
func TestRowsAreMovedAhead(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.define(3)
	f.run("create", "--all")
	for _, wiki := range []string{"w0", "w1", "w2"} {
		f.manyRows(wiki)
	}
	f.want143()
	f.refused(64, `--ahead "perhaps" is none of auto, only, no`, "upgrade", "w0", "--ahead", "perhaps")
	f.wants(f.run("upgrade", "w0", "--ahead", "no"), "done")

	f.struck(event{"w1", "ahead", "after", "kill"}, "upgrade", "w1", "--ahead", "only")
	f.wants(f.run("upgrade", "w1", "w2", "--ahead", "only"), "rows of revision_comment_temp, externallinks, pagelinks were moved ahead; the wiki is open, on MediaWiki 1.39.17")
	for _, query := range []string{"SELECT COUNT(*) FROM pagelinks WHERE pl_target_id IS NULL", "SELECT COUNT(*) FROM externallinks WHERE el_to_domain_index = ''", "SELECT COUNT(*) FROM revision_comment_temp JOIN revision ON rev_id = revcomment_rev WHERE rev_comment_id = 0"} {
		if got := f.sql("USE wiki_w1; " + query); got[0] != "0" {
			t.Errorf("%s: %v", query, got)
		}
	}
	f.run("upgrade", "w1", "--ahead", "no")
	if want, got := f.ended("w0"), f.ended("w1"); got != want {
		t.Errorf("after rows were moved ahead:\n%s\nwithout:\n%s", got, want)
	}

	f.wants(strings.Join(f.sql("SELECT COUNT(*) FROM wiki_w2.updatelog WHERE ul_key = 'MigrateExternallinks'"), ""), "1")
	c := f.client("w2")
	c.login("w2")
	c.edit("Between", "Edited between. [[Nowhere before]] https://between.example/x")
	f.wants(c.version()+c.read("Between"), "MediaWiki 1.39.17", "Edited between. [[Nowhere before]] https://between.example/x")
	f.run("upgrade", "w2")
	for query, want := range map[string]string{
		"SELECT el_to_domain_index FROM externallinks WHERE el_to_path = '/x'":                                     "https://example.between.",
		"SELECT lt_title FROM pagelinks JOIN linktarget ON lt_id = pl_target_id WHERE lt_title = 'Nowhere_before'": "Nowhere_before",
		"SELECT COUNT(*) FROM revision WHERE rev_comment_id = 0":                                                   "0",
	} {
		if got := f.sql("USE wiki_w2; " + query); len(got) != 1 || got[0] != want {
			t.Errorf("%s: %v, want %q", query, got, want)
		}
	}
	f.run("rollback", "--yes", "w2")
	f.wants(f.client("w2").version()+f.client("w2").read("Between"), "MediaWiki 1.39.17", "Edited between. [[Nowhere before]] https://between.example/x")
}
