package mediawiki

import (
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"wikictl/tenants"
	"wikictl/tenants/disk"
)

// ownTable matches the beginning of a table in an extension's SQL.
var ownTable = regexp.MustCompile("(?i)CREATE TABLE (?:IF NOT EXISTS )?(?:/\\*[^*]*\\*/)?[`\"]?(\\w+)")

// OwnTables lists the tables that a component's SQL creates, sorted.
func OwnTables(c *tenants.Component) []string {
	names := map[string]bool{}
	for _, path := range filesBelow(c.Path, func(path string) bool { return strings.HasSuffix(path, ".sql") }) {
		folder := filepath.Base(filepath.Dir(path))
		if folder == "postgres" || folder == "sqlite" {
			continue
		}
		text, _ := disk.Read(path)
		for _, m := range ownTable.FindAllSubmatch(text, -1) {
			names[string(m[1])] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}
