// Package ahead lists the parts of an upgrade that can be done while a wiki's old code
// still serves and people edit: columns and indexes that the old code neither reads nor
// writes, and their data. MediaWiki's updater runs in full afterwards, finds these parts
// done, and moves the rows that were written since. It knows nothing of servers.
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

// Change is the work ahead for one table.
type Change struct {
	Table string   // that the updater processes row by row; its name in a forecast
	Alter string   // the table that Specs change
	Specs []string // of one ALTER TABLE, so that a kill leaves all or nothing; empty: they are in place
	Fill  *Fill    // nil: Script moves the data

	Script string   // of the new codebase's maintenance folder
	Args   []string // of Script
}

// Fill moves data by statements over ranges of a column. The parameters of each statement
// are both ends of the range, inclusive.
type Fill struct {
	Table, Column string   // whose values are the ranges; it begins an index
	Statements    []string // each with two placeholders
}

// known is a change that MediaWiki's MysqlUpdater.php of 1.39 to 1.43 makes.
type known struct {
	table, alter string
	minor        int      // the updater makes it on the way to 1.minor
	needs        []string // columns, as "table.column", without which there is nothing to do
	added        string   // a column that the patch adds; if it exists, the patch was applied
	patch        string   // file of the new codebase; empty: the columns exist
	fill         *Fill
	script       string
	key          string // of the entry in the updater's log after the data was moved
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

// Tables lists the tables with work ahead.
func Tables() []string {
	names := make([]string, len(changes))
	for i, k := range changes {
		names[i] = k.table
	}
	return names
}

// Columns lists the columns that For needs to know, as "table.column".
func Columns() (names []string) {
	for _, k := range changes {
		names = append(names, k.needs...)
		if k.added != "" {
			names = append(names, k.added)
		}
	}
	return names
}

// For lists the work ahead of an upgrade to a version, such as "1.43.9", whose codebase
// is at path, for a database with these columns. Changes that the codebase makes
// differently from the known way are left to its updater; why has the reason by table.
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

// Unfinished lists the entries of the updater's log for moved data whose old columns
// still exist, so that rows may have been added since: they must be deleted before the
// updater runs.
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

// readPatch converts the statements of a patch that add columns to one table and make its
// indexes to the parts of one statement. Any other statement is an error.
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

// parsePatch returns the table that a statement changes, and the change; both are empty
// if it may do more than add columns, and make and drop indexes.
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
