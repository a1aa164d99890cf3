package mariadb

import (
	"context"
	"fmt"
	"strings"
)

// Level is the MediaWiki version that a database's schema belongs to, such as
// "1.43", or one of the special levels.
type Level string

// Levels that are no version.
const (
	NoTables  Level = "empty"           // or no such database
	Foreign   Level = "not MediaWiki"   // it has tables, but not MediaWiki's
	BeforeAll Level = "older than 1.35" // MediaWiki 1.43 can't upgrade from it (its UPGRADE file)
	AfterAll  Level = "newer than 1.43" // only known to be newer
)

// marker is a change of the schema that a version made, as includes/installer/
// MysqlUpdater.php of 1.39 and 1.43 lists them; 1.44's from its release notes.
type marker struct {
	level  Level
	table  string
	column string // empty: the table itself
	gone   bool   // it was removed
}

// markers are in the order of versions; a level is reached when every marker
// up to it is there.
var markers = []marker{
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

// LevelFor is the level of a database that a version of MediaWiki, such as
// "1.36.4", has made or upgraded: the last that markers tell apart.
func LevelFor(version string) Level {
	var major, minor int
	fmt.Sscanf(version, "%d.%d", &major, &minor)
	level := BeforeAll
	for _, m := range markers {
		var at int
		if n, _ := fmt.Sscanf(string(m.level), "1.%d", &at); n == 1 && at <= minor {
			level = m.level
		}
	}
	if minor > 43 {
		return AfterAll
	}
	return level
}

// core are tables that every MediaWiki has.
var core = []string{"page", "revision", "user", "text"}

// levelOf judges by the names of tables, and of columns as "table.column".
func levelOf(names map[string]bool) Level {
	if len(names) == 0 {
		return NoTables
	}
	for _, table := range core {
		if !names[table] {
			return Foreign
		}
	}
	level := BeforeAll
	for _, m := range markers {
		name := m.table
		if m.column != "" {
			name += "." + m.column
		}
		if names[name] == m.gone {
			break
		}
		level = m.level
	}
	return level
}

// LevelOf judges one database's schema.
func (s *Server) LevelOf(ctx context.Context, database string) (Level, error) {
	names, err := s.Tables(ctx, database)
	if err != nil {
		return "", err
	}
	have := map[string]bool{}
	for _, n := range names {
		have[n] = true
	}
	// Each part names its table, or the server would open all of them.
	var parts []string
	for _, m := range markers {
		if m.column != "" {
			parts = append(parts, "SELECT CONCAT(TABLE_NAME, '.', COLUMN_NAME) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = "+literal(database)+
				" AND TABLE_NAME = "+literal(m.table)+" AND COLUMN_NAME = "+literal(m.column))
		}
	}
	found, err := s.set(ctx, strings.Join(parts, " UNION ALL "))
	for n := range found {
		have[n] = true
	}
	return levelOf(have), err
}
