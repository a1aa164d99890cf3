package mariadb

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// Use counts the content of a wiki's database in some namespaces, content models and tables.
type Use struct {
	Namespaces map[int64]int64  // pages, by the namespace's number
	Models     map[string]int64 // pages, by content model
	Tables     map[string]int64 // rows, by table; at most Many
}

// Many is the number at which the rows of a table are not counted further.
const Many = 100_000

// Uses counts the content of a wiki's database in some namespaces, content models and tables.
// Its result omits those without content.
func (s *Server) Uses(ctx context.Context, database string, namespaces []int64, models, tables []string) (Use, error) {
	use := Use{Namespaces: map[int64]int64{}, Models: map[string]int64{}, Tables: map[string]int64{}}
	err := s.work(ctx, "", false, func(c *sql.Conn) error {
		if _, err := c.ExecContext(ctx, "SET lock_wait_timeout = 2"); err != nil {
			return err
		}
		page := Quote(database) + ".page"
		if len(namespaces) > 0 {
			list := strings.Trim(strings.ReplaceAll(fmt.Sprint(namespaces), " ", ", "), "[]")
			if err := counted(ctx, c, use.Namespaces, "SELECT page_namespace, COUNT(*) FROM "+page+" WHERE page_namespace IN ("+list+") GROUP BY 1"); err != nil {
				return err
			}
		}
		if len(models) > 0 {
			if err := countModels(ctx, c, use.Models, database, models); err != nil {
				return err
			}
		}
		return countTables(ctx, c, use.Tables, database, tables)
	})
	if err != nil {
		return use, fmt.Errorf("count the content of %s: %w", database, err)
	}
	return use, nil
}

// countModels counts pages only of models that the wiki ever had: no index helps to count
// (MediaWiki: tables content_models and page).
func countModels(ctx context.Context, c *sql.Conn, to map[string]int64, database string, models []string) error {
	had := map[string]int64{}
	if err := counted(ctx, c, had, "SELECT model_name, 1 FROM "+Quote(database)+".content_models WHERE model_name IN ("+literals(models)+")"); err != nil || len(had) == 0 {
		return err
	}
	return counted(ctx, c, to, "SELECT page_content_model, COUNT(*) FROM "+Quote(database)+".page WHERE page_content_model IN ("+literals(models)+") GROUP BY 1")
}

// countTables counts the rows of the tables that exist, up to Many each.
func countTables(ctx context.Context, c *sql.Conn, to map[string]int64, database string, tables []string) error {
	if len(tables) == 0 {
		return nil
	}
	found := map[string]int64{}
	if err := counted(ctx, c, found, "SELECT TABLE_NAME, 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = "+literal(database)+" AND TABLE_NAME IN ("+literals(tables)+")"); err != nil {
		return err
	}
	for name := range found {
		query := fmt.Sprintf("SELECT %s, COUNT(*) FROM (SELECT 1 FROM %s.%s LIMIT %d) AS a HAVING COUNT(*) > 0", literal(name), Quote(database), Quote(name), Many)
		if err := counted(ctx, c, to, query); err != nil {
			return err
		}
	}
	return nil
}

// counted reads rows of a key and a number.
func counted[K comparable](ctx context.Context, c *sql.Conn, to map[K]int64, query string) error {
	rows, err := c.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var key K
		var n int64
		if err := rows.Scan(&key, &n); err != nil {
			return err
		}
		to[key] = n
	}
	return rows.Err()
}

// literals returns strings as a list of SQL literals, for IN.
func literals(words []string) string {
	all := make([]string, len(words))
	for i, word := range words {
		all[i] = literal(word)
	}
	return strings.Join(all, ", ")
}
