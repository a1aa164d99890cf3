package mariadb

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"wikictl/tenants"
)

// The server knows wikictl's own work in a tenant's database by a tag, so that a later
// run can tell a killed run's statements from the shells and dumps of others who use the
// same account. A dedicated connection holds a lock with the tag as its name: the server
// releases it with the connection, and reports its holder. A statement on a pooled
// connection, or by mariadb-dump, has the tag as a comment.

// workersPerDatabase is the maximum number of connections of one run that work in one
// database.
const workersPerDatabase = 16

// tagOf returns the tag of work in a database.
func tagOf(database string) string { return "wikictl/work/" + database }

// tagComment returns the tag as a comment, for the begin or end of a statement.
func tagComment(database string) string { return "/* " + tagOf(database) + " */" }

// tagLocks returns the lock names of the connections that work in a database.
func tagLocks(database string) []string {
	names := make([]string, workersPerDatabase)
	for i := range names {
		names[i] = lockName(fmt.Sprintf("work/%s/%d", database, i))
	}
	return names
}

// tagExpression returns an expression that takes the first free lock of a database's
// tags.
func tagExpression(database string) string {
	var tries []string
	for _, name := range tagLocks(database) {
		tries = append(tries, "GET_LOCK("+literal(name)+", 0)")
	}
	return strings.Join(tries, " OR ")
}

// tagged prefixes a client program's input with the statement that tags its connection.
func tagged(database string, in io.Reader) io.Reader {
	return io.MultiReader(strings.NewReader("SELECT "+tagExpression(database)+";\n"), in)
}

// workers lists wikictl's connections that work in a database, of this run and of killed
// ones.
func (s *Server) workers(ctx context.Context, database string) ([]int64, error) {
	var asks []string
	for _, name := range tagLocks(database) {
		asks = append(asks, "SELECT IS_USED_LOCK("+literal(name)+") AS id")
	}
	rows, err := s.db.QueryContext(ctx, "SELECT id FROM ("+strings.Join(asks, " UNION ALL ")+") AS t WHERE id IS NOT NULL AND id <> CONNECTION_ID()")
	if err != nil {
		return nil, fmt.Errorf("server %s: list connections: %w", s.Name, err)
	}
	locked, err := Column[int64](rows)
	if err != nil {
		return nil, err
	}
	own, err := s.administrator(ctx)
	if err != nil {
		return nil, err
	}
	tagged, err := s.connectionsWhere(ctx, listStatements, func(r record) bool { return r["User"] == own && strings.Contains(r["Info"], tagComment(database)) })
	all := append(locked, tagged...)
	slices.Sort(all)
	return slices.Compact(all), err
}

// administrator returns the name of wikictl's account.
func (s *Server) administrator(ctx context.Context) (name string, err error) {
	if err := s.db.QueryRowContext(ctx, "SELECT SUBSTRING_INDEX(CURRENT_USER(), '@', 1)").Scan(&name); err != nil {
		return "", fmt.Errorf("server %s: %w", s.Name, err)
	}
	return name, nil
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

// evict kills the connections to a database that is about to be replaced: wikictl's, and
// those of the wiki's accounts. With all, it also kills all other connections of the
// administrator's account, among which an operator's restore command can't be recognised.
func (s *Server) evict(ctx context.Context, database string, all bool) error {
	t := tenants.Tenant{Database: database}
	if err := s.StopWork(ctx, database, t.SchemaAccount()); err != nil {
		return err
	}
	own, err := s.administrator(ctx)
	if err != nil {
		return err
	}
	ids, err := s.connectionsWhere(ctx, listConnections, func(r record) bool {
		return r["User"] == t.WebAccount() || all && r["db"] == database && r["User"] == own
	})
	if err != nil {
		return err
	}
	return s.kill(ctx, ids)
}

// users describes the connections whose default database is this one, so that an operator
// can end them; empty if there are none.
func (s *Server) users(ctx context.Context, database string) string {
	var names []string
	err := s.connections(ctx, listConnections, func(r record) {
		if r["db"] == database {
			names = append(names, fmt.Sprintf("connection %s of %s@%s", r["Id"], r["User"], r["Host"]))
		}
	})
	if err != nil || len(names) == 0 {
		return ""
	}
	return "; it is used by " + strings.Join(names, ", ")
}
