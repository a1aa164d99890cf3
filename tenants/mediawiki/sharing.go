package mediawiki

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"wikictl/tenants"
)

// wholeColumn matches a column with its type and what follows.
var wholeColumn = regexp.MustCompile(`(?m)^  ([a-z_0-9]+) ([A-Z].*?),?$`)

// mayBeLeftOut matches a column that an INSERT need not name.
var mayBeLeftOut = regexp.MustCompile(`DEFAULT|AUTO_INCREMENT`)

// SharingFault says why the code of one codebase can't work on tables that another made, which
// is newer; empty: it can. It compares the columns that both trees have in their SQL.
func SharingFault(code, made *tenants.Codebase, only []string) string {
	if SameSchema(code.Version, made.Version) {
		return ""
	}
	reads, has := columnsAt(code.Path, only), columnsAt(made.Path, only)
	for _, table := range only {
		for _, name := range reads[table].names {
			if len(has[table].names) == 0 || !slices.Contains(has[table].names, name) {
				return fmt.Sprintf("MediaWiki %s reads %s.%s, which MediaWiki %s does not have", code.Version, table, name, made.Version)
			}
		}
		for _, name := range has[table].needed {
			if len(reads[table].names) > 0 && !slices.Contains(reads[table].names, name) {
				return fmt.Sprintf("MediaWiki %s does not write %s.%s, which MediaWiki %s needs", code.Version, table, name, made.Version)
			}
		}
	}
	return ""
}

// columns are those of one table.
type columns struct {
	names  []string
	needed []string // an INSERT has to name them
}

// columnsAt reads the columns of some core tables of a tree.
func columnsAt(path string, only []string) map[string]columns {
	found := map[string]columns{}
	for _, file := range tableFiles {
		text, err := os.ReadFile(filepath.Join(path, file))
		if err != nil {
			continue // it is another version's
		}
		for _, m := range tableSQL.FindAllSubmatch(text, -1) {
			table := string(m[1])
			if !slices.Contains(only, table) {
				continue
			}
			var c columns
			for _, column := range wholeColumn.FindAllSubmatch(m[2], -1) {
				name := string(column[1])
				c.names = append(c.names, name)
				if !mayBeLeftOut.Match(column[2]) {
					c.needed = append(c.needed, name)
				}
			}
			found[table] = c
		}
	}
	return found
}
