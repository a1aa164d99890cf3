package mediawiki

import (
	"fmt"
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
	if problem := readingFault(code, made, only); problem != "" {
		return problem
	}
	reads, has := columnsAt(code.Path, only), columnsAt(made.Path, only)
	for _, table := range only {
		for _, name := range has[table].needed {
			if len(reads[table].names) > 0 && !slices.Contains(reads[table].names, name) {
				return fmt.Sprintf("MediaWiki %s does not write %s.%s, which MediaWiki %s needs", code.Version, table, name, made.Version)
			}
		}
	}
	return ""
}

// readingFault is SharingFault of code that only reads the tables. Those that its own tree does
// not have it does not read.
func readingFault(code, made *tenants.Codebase, only []string) string {
	if SameSchema(code.Version, made.Version) {
		return ""
	}
	reads, has := columnsAt(code.Path, only), columnsAt(made.Path, only)
	for _, table := range only {
		for _, name := range reads[table].names {
			if !slices.Contains(has[table].names, name) {
				return fmt.Sprintf("MediaWiki %s reads %s.%s, which MediaWiki %s does not have", code.Version, table, name, made.Version)
			}
		}
	}
	return ""
}

// Reading keeps the results of readingFault, which reads the code's files: many wikis on a few
// codebases may read the tables of one. The zero value is ready.
type Reading struct {
	faults map[[2]*tenants.Codebase]string
	tables map[*tenants.Codebase][]string
}

// Fault says why the code of one codebase can't read tenants.MediaTables as another made them;
// empty: it can, or one of both has faults or is not known.
func (r *Reading) Fault(code, made *tenants.Codebase) string {
	if code == nil || made == nil || len(code.Faults)+len(made.Faults) > 0 {
		return ""
	}
	key := [2]*tenants.Codebase{code, made}
	fault, known := r.faults[key]
	if !known {
		if r.faults == nil {
			r.faults = map[[2]*tenants.Codebase]string{}
		}
		fault = readingFault(code, made, tenants.MediaTables())
		r.faults[key] = fault
	}
	return fault
}

// Tables lists those of tenants.MediaTables that both codebases have; what of them can't be
// read is taken to have those of all versions.
func (r *Reading) Tables(code, made *tenants.Codebase) []string {
	return slices.DeleteFunc(tenants.MediaTables(), func(table string) bool { return !r.has(code, table) || !r.has(made, table) })
}

func (r *Reading) has(c *tenants.Codebase, table string) bool {
	if c == nil {
		return !slices.Contains(newMedia, table)
	}
	if _, known := r.tables[c]; !known {
		if r.tables == nil {
			r.tables = map[*tenants.Codebase][]string{}
		}
		r.tables[c], _ = CoreTables(c.Path)
	}
	return slices.Contains(r.tables[c], table) || len(r.tables[c]) == 0 && !slices.Contains(newMedia, table)
}

// newMedia are the tables of tenants.MediaTables that not all versions have.
var newMedia = []string{"file", "filerevision", "filetypes"}

// columns are the columns of one table.
type columns struct {
	names  []string
	needed []string // an INSERT has to name them
}

// columnsAt reads the columns of some core tables of a tree.
func columnsAt(path string, only []string) map[string]columns {
	found := map[string]columns{}
	for table, definition := range tablesAt(path) {
		if !slices.Contains(only, table) {
			continue
		}
		var c columns
		for _, column := range wholeColumn.FindAllSubmatch(definition, -1) {
			name := string(column[1])
			c.names = append(c.names, name)
			if !mayBeLeftOut.Match(column[2]) {
				c.needed = append(c.needed, name)
			}
		}
		found[table] = c
	}
	return found
}
