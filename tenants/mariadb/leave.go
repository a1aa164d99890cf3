package mariadb

import (
	"context"
	"fmt"
)

// Has reports whether a server has a database of exactly that name.
func (s *Server) Has(ctx context.Context, database string) (bool, error) {
	var n int
	err := s.db.QueryRowContext(ctx, "SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ?", database).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("server %s: check for database %q: %w", s.Name, database, err)
	}
	return n > 0, nil
}
