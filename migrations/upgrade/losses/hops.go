package losses

import (
	"regexp"
	"strings"
)

// move is a table whose rows the updater copies elsewhere before it drops it.
type move struct {
	from, to  string
	prefix    string // of MediaWiki's own columns of from
	where     string // SQL: selects the rows of to that came from from; empty: all
	column    string // column of to that where reads
	copied    string // SQL: selects the rows of from that belong to a row of to
	one, many string // name of a row
	id        string // the key of from
	skips     *regexp.Regexp
}

// moves lists the moves of MediaWiki 1.34 to 1.43 (includes/installer/MysqlUpdater.php;
// migrateBlocks.php skips blocks of accounts without a user id, and says so).
var moves = []move{
	{from: "ipblocks", to: "block", prefix: "ipb_", one: "block", many: "blocks", id: "ipb_id",
		skips: regexp.MustCompile(`^ipblock with ID (\d+): .*skipping`)},
	{from: "revision_comment_temp", to: "revision", prefix: "revcomment_", where: "rev_comment_id <> 0", column: "rev_comment_id", copied: "revcomment_rev = rev_id",
		one: "edit summary", many: "edit summaries"},
	{from: "revision_actor_temp", to: "revision", prefix: "revactor_", where: "rev_actor <> 0", column: "rev_actor", copied: "revactor_rev = rev_id",
		one: "author of an edit", many: "authors of edits"},
	{from: "image_comment_temp", to: "image", prefix: "imgcomment_", where: "img_description_id <> 0", column: "img_description_id", copied: "imgcomment_name = img_name",
		one: "description of a file", many: "descriptions of files"},
}

func moveOf(table string) (move, bool) {
	for _, m := range moves {
		if m.from == table {
			return m, true
		}
	}
	return move{}, false
}

// Foreign lists the columns that are not MediaWiki's in tables whose rows the updater moves: it
// moves its own only. columnsOf lists the columns of a table.
func Foreign(columnsOf func(table string) []string) map[string][]string {
	found := map[string][]string{}
	for _, m := range moves {
		for _, column := range columnsOf(m.from) {
			if !strings.HasPrefix(column, m.prefix) {
				found[m.from] = append(found[m.from], column)
			}
		}
	}
	return found
}

// arrived returns the condition for rows of to that came from from. Before an upgrade,
// rows that are still in from do not count: they were moved ahead, and from is counted
// too.
func (m move) arrived(ahead bool) string {
	if !ahead {
		return m.where
	}
	return m.where + " AND NOT EXISTS (SELECT 1 FROM " + Database + "." + m.from + " WHERE " + m.copied + ")"
}

// missing returns how many of the rows did not arrive; sure is false if that can't be
// known.
func (m move) missing(rows int64, before, after Snapshot) (n int64, sure bool) {
	if m.where == "" {
		arrived, found := after.Rows[m.to]
		return rows - (arrived - before.Rows[m.to]), found
	}
	arrived, asked := after.Counts[m.from]
	return rows - (arrived - before.Counts[m.from]), asked
}

// identify returns the rows that the updater said it skipped, and removes those lines
// from said.
func (m move) identify(skipped *[]string) string {
	if m.skips == nil {
		return ""
	}
	var ids, others []string
	for _, line := range *skipped {
		if found := m.skips.FindStringSubmatch(line); found != nil {
			ids = append(ids, found[1])
		} else {
			others = append(others, line)
		}
	}
	*skipped = others
	if len(ids) == 0 {
		return ""
	}
	return idList(m.id, ids)
}

// fill is a column that the updater fills from older columns before it drops them: rows
// with values that it does not understand stay empty.
type fill struct {
	table     string
	column    string // the filled column
	blank     string // SQL: its value in rows that were not filled
	old       string // one of the dropped columns
	id        string // identifies the rows
	one, many string
	without   string
}

// fills lists the fills of MediaWiki 1.38 to 1.46 (migrateLinksTable.php,
// migrateExternallinks.php; the latter leaves out addresses whose protocol
// $wgUrlProtocols lacks).
var fills = []fill{
	{table: "externallinks", column: "el_to_domain_index", blank: "''", old: "el_to", id: "el_id",
		one: "external link", many: "external links", without: "without a domain and an address"},
	{table: "templatelinks", column: "tl_target_id", blank: "0", old: "tl_title", id: "tl_from",
		one: "use of a template", many: "uses of templates", without: "without a target"},
	{table: "pagelinks", column: "pl_target_id", blank: "0", old: "pl_title", id: "pl_from",
		one: "link between pages", many: "links between pages", without: "without a target"},
	{table: "categorylinks", column: "cl_target_id", blank: "0", old: "cl_to", id: "cl_from",
		one: "member of a category", many: "members of categories", without: "without a category"},
	{table: "imagelinks", column: "il_target_id", blank: "0", old: "il_to", id: "il_from",
		one: "use of a file", many: "uses of files", without: "without a file"},
}

// done reports whether an upgrade filled the column and dropped its sources.
func (f fill) done(before, after Snapshot) bool {
	old := f.table + "." + f.old
	return before.Columns[old] && !after.Columns[old] && after.Columns[f.table+"."+f.column]
}

func (f fill) empty() string { return f.column + " IS NULL OR " + f.column + " = " + f.blank }

// trimmed lists tables from which an upgrade may delete rows without loss: caches,
// queues, and tables that it computes again (cleanupEmptyCategories.php,
// fixInconsistentRedirects.php).
var trimmed = map[string]bool{
	"category": true, "job": true, "l10n_cache": true, "module_deps": true, "msg_resource": true, "objectcache": true,
	"querycache": true, "querycache_info": true, "querycachetwo": true, "redirect": true, "searchindex": true,
	"site_stats": true, "transcache": true, "updatelog": true, "uploadstash": true,
}
