package forecast

import (
	"slices"

	"wikictl/tenants/mediawiki"
)

// rewrite is the updater's work on each row of a table on the way to a version.
type rewrite struct {
	table   string
	minor   int     // it is done on the way to 1.minor
	each    float64 // seconds per row
	crowded float64 // additional seconds per row for each other row of the same 1000 pages
	one     bool    // one row after the other
	ahead   float64 // factor of the time when it is done ahead
}

// known lists the rewrites that take time in large wikis (MediaWiki's MysqlUpdater.php),
// measured with 300,000 revisions and 400,000 links; the factor for external links ahead with
// 6,000 and 30,000 of them. migrateLinksTable.php searches for its next row from the beginning
// of a batch of 1000 pages each time. Tables without a rate of their own are copied by ALTER
// TABLE.
var known = []rewrite{
	{table: "templatelinks", minor: 39, each: 1.46e-3, crowded: 0.083e-6, one: true},
	{table: "revision_actor_temp", minor: 39, each: 0.69e-3, one: true},
	{table: "revision_comment_temp", minor: 41, each: 0.69e-3, one: true, ahead: 0.03},
	{table: "externallinks", minor: 41, each: 0.85e-3, one: true, ahead: 0.8},
	{table: "pagelinks", minor: 43, each: 1.46e-3, crowded: 0.083e-6, one: true, ahead: 0.04},
	{table: "ipblocks", minor: 43, each: 1e-3, one: true},
	{table: "externallinks", minor: 41, each: 20e-6},
	{table: "image", minor: 41, each: 20e-6},
	{table: "filearchive", minor: 41, each: 20e-6},
	{table: "oldimage", minor: 41, each: 20e-6},
	{table: "revision", minor: 43, each: 9e-6},
	{table: "pagelinks", minor: 43, each: 15e-6},
	{table: "recentchanges", minor: 43, each: 20e-6},
	{table: "change_tag", minor: 43, each: 9e-6},
	{table: "page", minor: 43, each: 10e-6},
	{table: "searchindex", minor: 43, each: 54e-6},
}

// Tables lists the tables whose rows a forecast depends on.
func Tables() []string {
	names := []string{"page"}
	for _, k := range known {
		if !slices.Contains(names, k.table) {
			names = append(names, k.table)
		}
	}
	return names
}

// between reports whether an upgrade from one version to another includes the rewrite.
func (k rewrite) between(old, new string) bool {
	return mediawiki.Minor(old) < k.minor && k.minor <= mediawiki.Minor(new)
}

// perRow returns the seconds per row in a wiki with so many rows and pages.
func (k rewrite) perRow(rows, pages int64) float64 {
	batches := max(float64(pages)/1000, 1)
	return k.each + k.crowded*float64(rows)/batches
}

// Change is what the updater does with a table as a whole.
type Change int

// Values of Change.
const (
	Kept   Change = iota
	Copied        // ALTER TABLE replaces it by a copy
	Moved         // it grows by columns and indexes to which its rows are moved, and is copied then
)

// Changes of other versions than these are not known.
const oldestKnown, newestKnown = 39, 43

// ChangeOf returns what the updater does with a table on the way from one version to another. Where
// that is not known it is taken for copied, but for the table of texts, which MediaWiki does not
// change.
func ChangeOf(table, old, new string) (c Change) {
	from, to := mediawiki.Minor(old), mediawiki.Minor(new)
	if from < to && (from < oldestKnown || to > newestKnown) && table != "text" {
		c = Copied
	}
	for _, k := range known {
		switch {
		case k.table != table || !k.between(old, new):
		case k.one:
			c = Moved
		default:
			c = max(c, Copied)
		}
	}
	return c
}
