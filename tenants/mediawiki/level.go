package mediawiki

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Level is the MediaWiki version of a database's schema, such as "1.43", or one of the
// special levels.
type Level string

// Special levels.
const (
	NoTables  Level = "empty"           // or no database
	Foreign   Level = "not MediaWiki"   // tables of another program
	BeforeAll Level = "older than 1.31" // no version that wikictl runs upgrades from it
	AfterAll  Level = "newer than 1.43" // the exact version is unknown
)

// withPrefix begins the level of a database whose tables are MediaWiki's with a prefix, as
// $wgDBprefix gives them.
const withPrefix = "MediaWiki with the table prefix "

// Foreign reports whether a database has no tables that a wiki without a table prefix uses,
// but others.
func (l Level) Foreign() bool { return l == Foreign || strings.HasPrefix(string(l), withPrefix) }

// Prefix returns the table prefix of a database whose tables all have one, or "".
func (l Level) Prefix() string {
	prefix, found := strings.CutPrefix(string(l), withPrefix)
	if !found {
		return ""
	}
	return prefix
}

// Marker is a schema change of a version, from includes/installer/MysqlUpdater.php of
// 1.39 and 1.43; 1.44's from its release notes, and 1.31's from its tables.sql.
type Marker struct {
	Level  Level
	Table  string
	Column string // empty: the table itself
	Gone   bool   // the version removed it
}

// Markers is in the order of versions; a schema has a level if every marker up to it
// applies.
var Markers = []Marker{
	{"1.31", "actor", "", false},
	{"1.35", "watchlist_expiry", "", false},
	{"1.37", "objectcache", "modtoken", false},
	{"1.38", "templatelinks", "tl_target_id", false},
	{"1.39", "templatelinks", "tl_title", true},
	{"1.40", "externallinks", "el_to_path", false},
	{"1.41", "externallinks", "el_to", true},
	{"1.42", "block_target", "", false},
	{"1.43", "pagelinks", "pl_title", true},
	{AfterAll, "filetypes", "", false},
}

// LevelFor returns the level of a database that a version of MediaWiki, such as "1.36.4",
// created or upgraded: the latest that markers can tell.
func LevelFor(version string) Level {
	minor := Minor(version)
	level := BeforeAll
	for _, m := range Markers {
		var at int
		if n, _ := fmt.Sscanf(string(m.Level), "1.%d", &at); n == 1 && at <= minor {
			level = m.Level
		}
	}
	if minor > 43 {
		return AfterAll
	}
	return level
}

// Fits reports whether a schema of the level is that of a release.
func (l Level) Fits(release string) bool {
	want := LevelFor(release)
	return l == want || want == AfterAll && sameVersion(string(l), release)
}

// core lists tables that every MediaWiki has.
var core = []string{"page", "revision", "user", "text"}

// LevelOf returns the level of a schema from the names of its tables, and of its columns
// as "table.column".
func LevelOf(names map[string]bool) Level {
	if len(names) == 0 {
		return NoTables
	}
	if !hasCore(names, "") {
		return foreign(names)
	}
	level := BeforeAll
	for _, m := range Markers {
		name := m.Table
		if m.Column != "" {
			name += "." + m.Column
		}
		if names[name] == m.Gone {
			break
		}
		level = m.Level
	}
	return level
}

// hasCore reports whether all core tables exist with a prefix.
func hasCore(names map[string]bool, prefix string) bool {
	return !slices.ContainsFunc(core, func(table string) bool { return !names[prefix+table] })
}

// foreign returns the level of a database that lacks core tables. Several wikis may share it
// by their prefixes: the first is named.
func foreign(names map[string]bool) Level {
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if prefix, found := strings.CutSuffix(name, "revision"); found && prefix != "" && hasCore(names, prefix) {
			return withPrefix + Level(prefix)
		}
	}
	return Foreign
}

// MadeAhead reports whether a schema may be that of an older version with the columns that
// an upgrade adds while the old code still serves (migrations/upgrade/ahead).
func (l Level) MadeAhead(version string) bool {
	return l == "1.40" && Minor(version) < 40
}
