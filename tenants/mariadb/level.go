package mariadb

import (
	"context"
	"strings"

	"wikictl/tenants/mediawiki"
)

// LevelOf returns the MediaWiki version of a database's schema.
func (s *Server) LevelOf(ctx context.Context, database string) (mediawiki.Level, error) {
	names, err := s.Tables(ctx, database)
	if err != nil {
		return "", err
	}
	have := map[string]bool{}
	for _, n := range names {
		have[n] = true
	}
	// Each part of the query names its table, or the server would open all tables.
	var parts []string
	for _, m := range mediawiki.Markers {
		if m.Column != "" {
			parts = append(parts, "SELECT CONCAT(TABLE_NAME, '.', COLUMN_NAME) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = "+literal(database)+
				" AND TABLE_NAME = "+literal(m.Table)+" AND COLUMN_NAME = "+literal(m.Column))
		}
	}
	found, err := s.set(ctx, strings.Join(parts, " UNION ALL "))
	for n := range found {
		have[n] = true
	}
	return mediawiki.LevelOf(have), err
}
