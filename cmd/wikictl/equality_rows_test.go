package main

import (
	"fmt"
	"html"
	"os"
	"path/filepath"
	"strings"
)

// oldRows are rows of tables that a hop changes, by the table and column that has to be
// there for them. Each is a part of an INSERT, into that table if it names none.
var oldRows = []struct{ table, column, insert string }{
	{"ipblocks", "ipb_by_actor", strings.TrimPrefix(goodBlocks, "INSERT INTO ipblocks ")},
	{"ipblocks", "ipb_by_actor", `(ipb_address, ipb_user, ipb_by_actor, ipb_reason_id, ipb_timestamp, ipb_expiry, ipb_range_start, ipb_range_end, ipb_sitewide) VALUES ('Admin', 1, 1, 1, '20200101000000', 'infinity', '', '', 0)`},
	{"ipblocks", "ipb_sitewide", `ipblocks_restrictions (ir_ipb_id, ir_type, ir_value) SELECT ipb_id, 1, 1 FROM ipblocks WHERE ipb_sitewide = 0`},
	{"image", "img_size", `(img_name, img_size, img_width, img_height, img_metadata, img_bits, img_media_type, img_major_mime, img_minor_mime, img_description_id, img_actor, img_timestamp, img_sha1) VALUES ('A.png', 4000000000, 1, 1, '', 8, 'BITMAP', 'image', 'png', 1, 1, '20200101000000', 'abc')`},
	{"oldimage", "oi_size", `(oi_name, oi_archive_name, oi_size, oi_width, oi_height, oi_bits, oi_description_id, oi_actor, oi_timestamp, oi_metadata, oi_media_type, oi_major_mime, oi_minor_mime, oi_deleted, oi_sha1) VALUES ('A.png', '20190101000000!A.png', 4000000000, 1, 1, 8, 1, 1, '20190101000000', '', 'BITMAP', 'image', 'png', 0, 'abd')`},
	{"filearchive", "fa_size", `(fa_name, fa_archive_name, fa_storage_group, fa_size, fa_media_type, fa_major_mime, fa_minor_mime, fa_description_id, fa_actor, fa_deleted_reason_id, fa_timestamp) VALUES ('B.png', 'b', 'deleted', 4000000000, 'BITMAP', 'image', 'png', 1, 1, 1, '20200101000000')`},
	{"iwlinks", "iwl_prefix", `(iwl_from, iwl_prefix, iwl_title) VALUES (1, 'wikipedia', 'A'), (1, 'wikipedia', 'B')`},
	{"sites", "site_global_key", `(site_global_key, site_type, site_group, site_source, site_language, site_protocol, site_domain, site_data, site_forward, site_config) VALUES ('enwiki', 'mediawiki', 'wikipedia', 'local', 'en', 'https', 'org.wikipedia.en.', '', 0, '')`},
	{"user_autocreate_serial", "uas_shard", `(uas_shard, uas_value) VALUES (0, 17), (1, 23)`},
	{"watchlist", "wl_user", `(wl_user, wl_namespace, wl_title) VALUES (1, 0, 'Page_1'), (1, 1, 'Page_1')`},
	{"externallinks", "el_to", strings.TrimPrefix(oddLinks, "INSERT INTO externallinks ")},
	{"change_tag_def", "ctd_name", `(ctd_name, ctd_user_defined, ctd_count) VALUES ('own', 1, 1)`},
	{"change_tag", "ct_tag_id", `(ct_rev_id, ct_tag_id) SELECT MAX(rev_id), MAX(ctd_id) FROM revision, change_tag_def`},
	{"oathauth_users", "module", `(id, module, data) VALUES (1, 'totp', '{"keys":[{"secret":"ABCDEFGHIJKLMNOP","scratch_tokens":["ABCDEFGH"]}]}')`},
	{"abuse_filter", "af_user_text", `(af_pattern, af_user, af_user_text, af_timestamp, af_comments, af_public_comments, af_actions) VALUES ('true', 1, 'Admin', '20200101000000', '', 'All', 'warn'), ('false', 0, '192.0.2.7', '20200101000000', '', 'None', '')`},
	{"abuse_filter_action", "afa_filter", `(afa_filter, afa_consequence, afa_parameters) VALUES (1, 'warn', 'abusefilter-warning')`},
	{"abuse_filter_history", "afh_user_text", `(afh_filter, afh_user, afh_user_text, afh_timestamp, afh_pattern, afh_comments, afh_public_comments, afh_actions) VALUES (1, 1, 'Admin', '20200101000000', 'true', '', 'All', 'a:0:{}')`},
	{"abuse_filter_log", "afl_user_text", `(afl_global, afl_filter_id, afl_user, afl_user_text, afl_ip, afl_action, afl_actions, afl_var_dump, afl_timestamp, afl_namespace, afl_title) VALUES (0, 1, 1, 'Admin', '192.0.2.7', 'edit', 'warn', 'a:0:{}', '20200101000000', 0, 'Page_1')`},
	{"echo_event", "event_type", `(event_type, event_variant, event_agent_id, event_agent_ip, event_extra, event_page_id, event_deleted) VALUES ('welcome', NULL, 1, NULL, NULL, NULL, 0)`},
	{"linter", "linter_page", `(linter_page, linter_cat, linter_start, linter_end, linter_params) VALUES (1, 1, 0, 3, '[]')`},
}

// fill has the old code write pages with their histories and links, and adds rows of what
// hops change.
func (e *equality) fill(settings, database string) {
	e.t.Helper()
	pages := 40
	if *everyHop {
		pages = 120
	}
	file := filepath.Join(e.demo.Dir, "pages.xml")
	must(e.t, os.WriteFile(file, []byte(exported(pages)), 0o644))
	e.script(e.from, settings, database, "importDump.php", file)
	for _, row := range oldRows {
		found := e.sql(fmt.Sprintf("SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = '%s' AND TABLE_NAME = '%s' AND COLUMN_NAME = '%s'", database, row.table, row.column))
		into := row.table + " "
		if !strings.HasPrefix(row.insert, "(") {
			into = ""
		}
		if found[0] == "1" {
			e.sql("USE " + database + "; SET sql_mode = ''; INSERT INTO " + into + row.insert)
		}
	}
}

// exported is an export of pages with three revisions each, which link to each other, use
// templates, and are in categories (Help:Export).
func exported(pages int) string {
	var b strings.Builder
	b.WriteString("<mediawiki xmlns=\"http://www.mediawiki.org/xml/export-0.10/\" version=\"0.10\" xml:lang=\"en\">\n")
	for i := range pages {
		title, text := fmt.Sprintf("Page %d", i), fmt.Sprintf("[[Page %d]] [[Missing %d|x]] [[Talk:Page %d]] {{T%d}} [[Category:C%d]] https://h%d.example.org/p/%d?ä [[File:F%d.png]]", (i*7)%pages, i%13, i, i%5, i%7, i%11, i, i%3)
		if i%10 == 9 {
			title, text = fmt.Sprintf("Template:T%d", i/10), fmt.Sprintf("in all: [[Page %d]] <b>", i)
		}
		fmt.Fprintf(&b, "<page><title>%s</title><ns>%d</ns>\n", title, map[bool]int{true: 10}[i%10 == 9])
		for r := range 3 {
			fmt.Fprintf(&b, "<revision><timestamp>202%d-01-01T00:00:%02dZ</timestamp><contributor><username>Editor %d</username></contributor><comment>Comment %d</comment><model>wikitext</model><format>text/x-wiki</format><text xml:space=\"preserve\">%s</text></revision>\n",
				r, i%60, i%4, i%9, html.EscapeString(fmt.Sprint(text, " ", r)))
		}
		b.WriteString("</page>\n")
	}
	b.WriteString("</mediawiki>\n")
	return b.String()
}
