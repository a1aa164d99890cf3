package mariadb

import (
	"context"
	"fmt"
	"io"
	"strings"

	"wikictl/tenants"
)

// What wikictl itself does in a tenant's database is known on the server by a tag,
// so that what a killed run left there can be told from the shells and dumps of
// others who use the same account. Connections of its own hold a lock with the tag as
// its name: the server frees it with the connection, and says who holds it. Of a
// statement on a connection of the pool, and of mariadb-dump, the tag is a comment.

// workersPerDatabase is how many connections of one run may work in one database.
const workersPerDatabase = 16

// tagOf is the tag of what is done in a database.
func tagOf(database string) string { return "wikictl/work/" + database }

// tagComment begins, or ends, a statement that is known by its text.
func tagComment(database string) string { return "/* " + tagOf(database) + " */" }

// tagLocks are the names of the locks of connections that work in a database.
func tagLocks(database string) []string {
	names := make([]string, workersPerDatabase)
	for i := range names {
		names[i] = lockName(fmt.Sprintf("work/%s/%d", database, i))
	}
	return names
}

// tagExpression takes the first of a database's tags that is free.
func tagExpression(database string) string {
	var tries []string
	for _, name := range tagLocks(database) {
		tries = append(tries, "GET_LOCK("+literal(name)+", 0)")
	}
	return strings.Join(tries, " OR ")
}

// tagged begins what a client program reads with the tag of its connection.
func tagged(database string, in io.Reader) io.Reader {
	return io.MultiReader(strings.NewReader("SELECT "+tagExpression(database)+";\n"), in)
}

// workers are the connections that wikictl made to work in a database, of this run and
// of those that were killed.
func (s *Server) workers(ctx context.Context, database string) ([]int64, error) {
	var asks []string
	for _, name := range tagLocks(database) {
		asks = append(asks, "SELECT IS_USED_LOCK("+literal(name)+") AS id")
	}
	rows, err := s.db.QueryContext(ctx, "SELECT id FROM ("+strings.Join(asks, " UNION ALL ")+`) AS t WHERE id IS NOT NULL AND id <> CONNECTION_ID()
		UNION SELECT ID FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID() AND LOCATE(?, INFO) > 0 AND USER = SUBSTRING_INDEX(CURRENT_USER(), '@', 1)`, tagComment(database))
	if err != nil {
		return nil, fmt.Errorf("server %s: list connections: %w", s.Name, err)
	}
	return Column[int64](rows)
}

// StopWork kills the connections to a database that an interrupted run of wikictl
// still has open: those of the schema account, and those that carry wikictl's tag.
// Connections of others continue. The caller holds the tenant's lock.
func (s *Server) StopWork(ctx context.Context, database string, schemaAccount string) error {
	ids, err := s.workers(ctx, database)
	if err != nil {
		return err
	}
	scripts, err := s.connectionsOf(ctx, schemaAccount)
	if err != nil {
		return err
	}
	return s.kill(ctx, append(ids, scripts...))
}

// evict ends what works in a database that is about to be replaced: what wikictl made,
// and the wiki's own accounts. An operator's command that restores it can't be told
// from others of the administrator's: where there is one, all are ended.
func (s *Server) evict(ctx context.Context, database string, all bool) error {
	t := tenants.Tenant{Database: database}
	if err := s.StopWork(ctx, database, t.SchemaAccount()); err != nil {
		return err
	}
	rows, err := s.db.QueryContext(ctx, `SELECT ID FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID()
		AND (USER = ? OR (DB = ? AND ? AND USER = SUBSTRING_INDEX(CURRENT_USER(), '@', 1)))`, t.WebAccount(), database, all)
	if err != nil {
		return fmt.Errorf("server %s: list connections: %w", s.Name, err)
	}
	ids, err := Column[int64](rows)
	if err != nil {
		return err
	}
	return s.kill(ctx, ids)
}

// users names the connections that have a database as their default, for a person who
// has to end what is in the way; empty when there is none.
func (s *Server) users(ctx context.Context, database string) string {
	rows, err := s.db.QueryContext(ctx, `SELECT CONCAT('connection ', ID, ' of ', USER, '@', HOST) FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID() AND DB = ?`, database)
	if err != nil {
		return ""
	}
	names, err := Column[string](rows)
	if err != nil || len(names) == 0 {
		return ""
	}
	return "; it is used by " + strings.Join(names, ", ")
}
