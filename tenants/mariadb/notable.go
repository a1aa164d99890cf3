package mariadb

import (
	"context"
	"fmt"
	"slices"
)

// Maximum numbers of rows read to find pages, so that a large wiki is not read completely.
const (
	mostLinks   = 200_000
	mostChanges = 2_000
)

// Notable returns the titles of the most linked and of the most recently changed articles, at
// most n each, as MediaWiki stores them. It omits redirects, and counts only a part of the links
// of a large wiki.
func (s *Server) Notable(ctx context.Context, database string, n int) (linked, changed []string, err error) {
	in := Quote(database) + "."
	rows, err := s.db.QueryContext(ctx, `SELECT column_name FROM information_schema.columns WHERE table_schema = ? AND table_name = 'pagelinks'`, database)
	if err != nil {
		return nil, nil, fmt.Errorf("list the columns of %q.pagelinks: %w", database, err)
	}
	columns, err := Column[string](rows)
	if err != nil {
		return nil, nil, err
	}
	links := `SELECT pl_title AS title FROM ` + in + `pagelinks WHERE pl_namespace = 0 LIMIT ?`
	if !slices.Contains(columns, "pl_title") { // since 1.43, by their number
		links = `SELECT lt_title AS title FROM ` + in + `pagelinks JOIN ` + in + `linktarget ON lt_id = pl_target_id WHERE lt_namespace = 0 LIMIT ?`
	}
	linked, err = s.texts(ctx, `SELECT title FROM (`+links+`) AS l JOIN `+in+`page ON page_namespace = 0 AND page_title = title AND page_is_redirect = 0
		GROUP BY title ORDER BY COUNT(*) DESC, title LIMIT ?`, mostLinks, n)
	if err != nil {
		return nil, nil, fmt.Errorf("list the most linked pages of %q: %w", database, err)
	}
	changed, err = s.texts(ctx, `SELECT title FROM (SELECT rc_title AS title, rc_timestamp FROM `+in+`recentchanges WHERE rc_namespace = 0 ORDER BY rc_timestamp DESC LIMIT ?) AS r
		JOIN `+in+`page ON page_namespace = 0 AND page_title = title AND page_is_redirect = 0
		GROUP BY title ORDER BY MAX(rc_timestamp) DESC, title LIMIT ?`, mostChanges, n)
	if err == nil && len(changed) == 0 { // nothing was changed recently
		changed, err = s.texts(ctx, `SELECT page_title FROM `+in+`page WHERE page_namespace = 0 AND page_is_redirect = 0 ORDER BY page_id DESC LIMIT ?`, n)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("list the recently changed pages of %q: %w", database, err)
	}
	return linked, changed, nil
}
