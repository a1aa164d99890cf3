// Package ahead says what of an upgrade can be done while a wiki's old code still serves
// and people edit: columns and indexes that the old code neither reads nor writes, and the
// data that goes into them. MediaWiki's updater runs in full afterwards, finds that done,
// and finishes the rows that were written since. It knows nothing of servers.
package ahead

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"wikictl/tenants/mediawiki"
)

// Change is what is done ahead for one table.
type Change struct {
	Table string   // that the updater goes through row by row, as a forecast names it
	Alter string   // the table that Specs change
	Specs []string // of one ALTER TABLE, so that a kill leaves all or nothing; none: they are in place
	Fill  *Fill    // nil: Script does it

	Script string   // of the new codebase's maintenance folder
	Args   []string // of Script
}

// Fill moves data by statements over ranges of a column. Both statements take the ends of
// the range, which belong to it.
type Fill struct {
	Table, Column string   // whose values are the ranges; it begins an index
	Statements    []string // each with two placeholders
}

// known is a change as MediaWiki's MysqlUpdater.php of 1.39 to 1.43 has it.
type known struct {
	table, alter string
	minor        int      // the updater does it on the way to 1.minor
	needs        []string // columns, as "table.column", without which there is nothing to do
	added        string   // a column that the patch adds; it is in place when that is there
	patch        string   // file of the new codebase; empty: the columns are there
	fill         *Fill
	script       string
	key          string // by which the updater's log tells that the data was moved
}

var changes = []known{
	{
		table: "revision_comment_temp", minor: 41,
		needs: []string{"revision_comment_temp.revcomment_rev", "revision.rev_comment_id"},
		fill: &Fill{Table: "revision_comment_temp", Column: "revcomment_rev", Statements: []string{
			"UPDATE revision JOIN revision_comment_temp ON revcomment_rev = rev_id SET rev_comment_id = revcomment_comment_id WHERE rev_comment_id = 0 AND revcomment_rev BETWEEN ? AND ?",
		}},
		key: "MigrateRevisionCommentTemp",
	},
	{
		table: "externallinks", alter: "externallinks", minor: 41,
		needs: []string{"externallinks.el_to"}, added: "externallinks.el_to_path", patch: "patch-externallinks-el_to_path.sql",
		script: "migrateExternallinks.php", key: "MigrateExternallinks",
	},
	{
		table: "pagelinks", alter: "pagelinks", minor: 43,
		needs: []string{"pagelinks.pl_title", "linktarget.lt_id"}, added: "pagelinks.pl_target_id", patch: "patch-pagelinks-target_id.sql",
		fill: &Fill{Table: "pagelinks", Column: "pl_from", Statements: []string{
			`INSERT IGNORE INTO linktarget (lt_namespace, lt_title)
				SELECT DISTINCT pl_namespace, pl_title FROM pagelinks LEFT JOIN linktarget ON lt_namespace = pl_namespace AND lt_title = pl_title
				WHERE pl_target_id IS NULL AND lt_id IS NULL AND pl_from BETWEEN ? AND ?`,
			"UPDATE pagelinks JOIN linktarget ON lt_namespace = pl_namespace AND lt_title = pl_title SET pl_target_id = lt_id WHERE pl_target_id IS NULL AND pl_from BETWEEN ? AND ?",
		}},
		key: "MigrateLinksTablepagelinks",
	},
}

// Tables are those that something can be done for ahead.
func Tables() []string {
	names := make([]string, len(changes))
	for i, k := range changes {
		names[i] = k.table
	}
	return names
}

// Columns are those, as "table.column", that For has to know of.
func Columns() (names []string) {
	for _, k := range changes {
		names = append(names, k.needs...)
		if k.added != "" {
			names = append(names, k.added)
		}
	}
	return names
}

// For lists what can be done ahead of an upgrade to a version, such as "1.43.9", whose
// codebase is at path, for a database that has these columns. What the codebase does in
// another way than is known is left to its updater; why says so, by table.
func For(version, path string, has map[string]bool) (list []Change, why map[string]error) {
	why = map[string]error{}
	for _, k := range changes {
		if mediawiki.Minor(version) < k.minor || !k.possible(has) {
			continue
		}
		c := Change{Table: k.table, Fill: k.fill}
		var err error
		if k.patch != "" && !has[k.added] {
			c.Alter = k.alter
			c.Specs, err = readPatch(filepath.Join(path, "maintenance", "archives", k.patch), k.alter)
		}
		if k.script != "" && err == nil {
			c.Script, c.Args = filepath.Join(path, "maintenance", k.script), []string{"--force"}
			_, err = os.Stat(c.Script)
		}
		if err != nil {
			why[k.table] = err
			continue
		}
		list = append(list, c)
	}
	return list, why
}

func (k known) possible(has map[string]bool) bool {
	return !slices.ContainsFunc(k.needs, func(name string) bool { return !has[name] })
}

// Unfinished are the entries of the updater's log that say that data was moved while the
// columns that it is moved from are still there, so that rows may have come since: they
// have to go before the updater runs.
func Unfinished(has map[string]bool) (keys []string) {
	for _, k := range changes {
		if k.possible(has) {
			keys = append(keys, k.key)
		}
	}
	return keys
}

var (
	comments  = regexp.MustCompile(`(?m)--.*$|/\*.*?\*/`)
	spaces    = regexp.MustCompile(`\s+`)
	alters    = regexp.MustCompile(`^(?i)ALTER TABLE (\w+) (.*)$`)
	creates   = regexp.MustCompile(`^(?i)CREATE INDEX (\w+) ON (\w+) (\(.*\))$`)
	drops     = regexp.MustCompile(`^(?i)DROP INDEX (\w+) ON (\w+)$`)
	additions = regexp.MustCompile(`^(?i)ADD (COLUMN )?\w+ [^,]*(, ?ADD (COLUMN )?\w+ [^,]*)*$`)
)

// readPatch turns the statements of a patch, which add columns to one table and make its
// indexes, into the parts of one statement. Any other statement is an error.
func readPatch(file, table string) (specs []string, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	for _, statement := range strings.Split(comments.ReplaceAllString(string(text), ""), ";") {
		statement = strings.TrimSpace(spaces.ReplaceAllString(statement, " "))
		of, spec := parsePatch(statement)
		switch {
		case statement == "":
			continue
		case of != table:
			return nil, fmt.Errorf("%s: it can't be done ahead: %s", file, statement)
		}
		specs = append(specs, spec)
	}
	return specs, nil
}

// parsePatch returns the table that a statement changes, and how; neither when it may do
// more than add columns, and make and drop indexes.
func parsePatch(statement string) (table, spec string) {
	if m := alters.FindStringSubmatch(statement); m != nil && additions.MatchString(m[2]) {
		return m[1], m[2]
	}
	if m := creates.FindStringSubmatch(statement); m != nil {
		return m[2], "ADD INDEX " + m[1] + " " + m[3]
	}
	if m := drops.FindStringSubmatch(statement); m != nil {
		return m[2], "DROP INDEX " + m[1]
	}
	return "", ""
}
