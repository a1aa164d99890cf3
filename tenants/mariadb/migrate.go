package mariadb

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"

	"wikictl/migrations"
)

// MigrationTable is the table in a tenant's database that lists the applied files of the
// farm's own SQL.
const MigrationTable = migrations.Table

// Migrate applies the farm's own SQL to a tenant's database and returns the names of the
// files that it applied.
func (s *Server) Migrate(ctx context.Context, database string, files fs.FS) (done []string, err error) {
	err = s.work(ctx, database, false, func(c *sql.Conn) error {
		var err error
		done, err = migrations.Apply(ctx, c, files, false)
		return err
	})
	if err != nil {
		return done, fmt.Errorf("apply the farm's SQL to %q: %w", database, err)
	}
	return done, nil
}
