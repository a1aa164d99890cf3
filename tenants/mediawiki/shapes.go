package mediawiki

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"wikictl/tenants"
)

// Shapes are the tables and columns that the codebases of a farm make, as each tree has them
// in its SQL. They tell levels after the last marker: a database is of the version whose
// shape it has.
type Shapes struct {
	levels []Level           // in order
	names  []map[string]bool // tables, and columns as "table.column", by the index of levels
	// Telling lists the names that some of the codebases make and others do not, sorted.
	Telling []string
}

// NewShapes reads the shapes of codebases; those that can't be read have none. Markers are
// there for older versions: no farm has a tree of each version that a database may be of,
// and by a few telling names one in between would pass for one of the farm's.
func NewShapes(codebases map[string]*tenants.Codebase) *Shapes {
	byLevel := map[Level]map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(codebases)) {
		c := codebases[name]
		if len(c.Faults) > 0 || Minor(c.Version) == 0 {
			continue
		}
		level := Level(strings.Join(strings.SplitN(c.Version, ".", 3)[:2], "."))
		if made := shapeAt(c.Path); len(made) > 0 && byLevel[level] == nil {
			byLevel[level] = made
		}
	}
	if !slices.ContainsFunc(slices.Collect(maps.Keys(byLevel)), func(l Level) bool { return LevelFor(string(l)) == AfterAll }) {
		return &Shapes{} // markers tell them
	}
	s := &Shapes{levels: slices.SortedFunc(maps.Keys(byLevel), func(a, b Level) int { return compareVersion(string(a), string(b)) })}
	makers := map[string]int{}
	for _, level := range s.levels {
		s.names = append(s.names, byLevel[level])
		for name := range byLevel[level] {
			makers[name]++
		}
	}
	maps.DeleteFunc(makers, func(_ string, n int) bool { return n == len(s.levels) })
	s.Telling = slices.Sorted(maps.Keys(makers))
	return s
}

// Columns lists the telling names of columns.
func (s *Shapes) Columns() []string {
	return slices.DeleteFunc(slices.Clone(s.Telling), func(name string) bool { return !strings.Contains(name, ".") })
}

// LevelOf returns the level of a database that has some of the telling names: the one that
// markers tell or, after the last of them, that of the only codebase whose shape it has.
func (s *Shapes) LevelOf(level Level, has func(name string) bool) Level {
	if level != AfterAll {
		return level
	}
	var fit []Level
	for i, l := range s.levels {
		if !slices.ContainsFunc(s.Telling, func(name string) bool { return s.names[i][name] != has(name) }) {
			fit = append(fit, l)
		}
	}
	if len(fit) != 1 || LevelFor(string(fit[0])) != AfterAll {
		return AfterAll
	}
	return fit[0]
}

// In MediaWiki's SQL, which is generated from JSON, a column has a line of its own, indented
// by two spaces, as do keys.
var (
	tableSQL  = regexp.MustCompile(`(?s)CREATE TABLE /\*_\*/(\w+) \((.*?)\n\)`)
	columnSQL = regexp.MustCompile(`(?m)^  ([a-z_0-9]+) [A-Z]`)
)

// shapeAt reads the names of the core tables of a tree and of their columns.
func shapeAt(path string) map[string]bool {
	names := map[string]bool{}
	for table, definition := range tablesAt(path) {
		names[table] = true
		for _, column := range columnSQL.FindAllSubmatch(definition, -1) {
			names[table+"."+string(column[1])] = true
		}
	}
	return names
}

// tablesAt returns the SQL that defines the core tables of a tree, by table.
func tablesAt(path string) map[string][]byte {
	tables := map[string][]byte{}
	for _, file := range tableFiles {
		text, err := os.ReadFile(filepath.Join(path, file))
		if err != nil {
			continue // it is another version's
		}
		for _, m := range tableSQL.FindAllSubmatch(text, -1) {
			tables[string(m[1])] = m[2]
		}
	}
	return tables
}
