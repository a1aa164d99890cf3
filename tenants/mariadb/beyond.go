package mariadb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Right is a set of privileges of a tenant's accounts in a database of another tenant.
type Right struct {
	Database   string
	Table      string   // empty: all tables
	Privileges []string // SELECT, INSERT, UPDATE, DELETE
}

// databases returns the tenant's database and its further ones.
func (a Accounts) databases() []string { return append([]string{a.Database}, a.More...) }

// Beyond returns the grants that an account of a tenant needs beyond its own database.
func (a Accounts) Beyond(schema bool) (want []Grant) {
	rights, all := WantedGrants()
	if schema {
		rights = all
	}
	for _, name := range a.More {
		want = append(want, Grant{Database: pattern(name), Privileges: rights})
	}
	if a.Replicas && !schema {
		want = append(want, lagGrant)
	}
	for _, r := range a.Rights {
		g := Grant{Database: r.Database, Table: r.Table, Privileges: r.Privileges}
		if g.Table == "" {
			g.Database = pattern(g.Database)
		}
		want = united(want, g)
	}
	return want
}

// lagGrant lets an account read the lag of replicas: MediaWiki does not read from a replica
// whose lag it can't read (MariaDB: GRANT, Global Privileges; since 10.5).
var lagGrant = Grant{Privileges: []string{"SLAVE MONITOR"}}

// isLag reports whether a grant lets an account read the lag of replicas and nothing else.
func (g Grant) isLag() bool {
	return g.Role == "" && g.Database == "" && slices.Equal(g.Privileges, lagGrant.Privileges)
}

// lagQuery reads that privilege, which mysql.user does not show.
var lagQuery = grantQuery{
	"SELECT * FROM (SELECT TRIM(BOTH '\\'' FROM SUBSTRING_INDEX(GRANTEE, '@', 1)) AS User, TRIM(BOTH '\\'' FROM SUBSTRING_INDEX(GRANTEE, '@', -1)) AS Host " +
		"FROM information_schema.USER_PRIVILEGES WHERE PRIVILEGE_TYPE = 'SLAVE MONITOR') AS lag",
	func(record) Grant { return lagGrant },
}

// united adds a grant to a list that has one grant for each object.
func united(list []Grant, g Grant) []Grant {
	for i, other := range list {
		if other.Database == g.Database && other.Table == g.Table {
			list[i].Privileges = slices.Compact(slices.Sorted(slices.Values(slices.Concat(other.Privileges, g.Privileges))))
			return list
		}
	}
	return append(list, g)
}

// Less returns the privileges of grants that others do not have on the same object.
func Less(list, others []Grant) (left []Grant) {
	for _, g := range list {
		for _, other := range others {
			if other.Database == g.Database && other.Table == g.Table {
				g.Privileges = slices.DeleteFunc(slices.Clone(g.Privileges), func(p string) bool { return slices.Contains(other.Privileges, p) })
			}
		}
		if len(g.Privileges) > 0 || g.Role != "" {
			left = append(left, g)
		}
	}
	return left
}

// Of reports whether a grant is on the whole of exactly one database.
func (g Grant) Of(database string) bool { return g.Table == "" && g.Database == pattern(database) }

// Plain returns the grant's text with the database's name in place of its pattern.
func (g Grant) Plain() string { return strings.ReplaceAll(g.String(), `\_`, "_") }

// Change is a grant to give to one of a tenant's accounts, or to revoke from it.
type Change struct {
	Account string // "name@host"
	Schema  bool   // it is the schema account
	Revoke  bool
	Grant
}

// String returns a text such as "grant SELECT on wiki_pool.user to wiki_a@localhost".
func (c Change) String() string {
	verb, to := "grant ", " to "
	if c.Revoke {
		verb, to = "revoke ", " from "
	}
	return verb + c.Plain() + to + c.Account
}

// Changes compares the grants that a tenant's accounts have beyond its own database with
// those that they need. It returns what has to be granted and, on databases that are
// known as the farm's, what has to be revoked. have returns the grants of an account.
func (a Accounts) Changes(have func(account string) []Grant, known func(database string) bool) (changes []Change) {
	for _, schema := range []bool{false, true} {
		name := a.Web.Name
		if schema {
			name = a.Schema.Name
		}
		full := name + "@" + a.Host
		found, want := have(full), a.Beyond(schema)
		for _, g := range Less(want, found) {
			changes = append(changes, Change{Account: full, Schema: schema, Grant: g})
		}
		for _, g := range Less(found, want) {
			database := g.Database
			if g.Table == "" {
				database = plain(database)
			}
			ofMore := schema && g.Of(database) && slices.Contains(a.More, database) // ALL PRIVILEGES differ between servers
			// A name whose _ is not escaped is a wildcard, too; as the name of the farm's database it is meant.
			simple := g.Role == "" && g.Database != "" && !strings.ContainsAny(g.Table, ".()")
			if g.isLag() || simple && !ofMore && database != a.Database && known(database) {
				changes = append(changes, Change{Account: full, Schema: schema, Revoke: true, Grant: g})
			}
		}
	}
	return changes
}

// Beyond returns, from an inventory, the grants of an account, "name@host", on other
// databases than that of its name.
func (i *Inventory) Beyond(account string) []Grant { return i.beyond[account] }

// BeyondOf reads the grants that a tenant's accounts have beyond its own database.
func (s *Server) BeyondOf(ctx context.Context, a Accounts) (func(account string) []Grant, error) {
	found, err := s.beyond(ctx, " AND User IN ("+literal(a.Web.Name)+", "+literal(a.Schema.Name)+")")
	return func(account string) []Grant { return found[account] }, err
}

// beyond reads the grants of accounts on databases whose name is not the account's, and
// on tables.
func (s *Server) beyond(ctx context.Context, and string) (map[string][]Grant, error) {
	found := map[string][]Grant{}
	own := "REPLACE(Db, " + literal(`\`) + ", '')"
	for _, q := range append(s.grantQueries()[:2], lagQuery) {
		where := " WHERE TRUE"
		if strings.HasSuffix(q.text, "mysql.db") {
			where = " WHERE User NOT IN (" + own + ", CONCAT(" + own + ", '_schema'))"
		}
		err := s.table(ctx, q.text+where+and, func(r record) {
			account := r["User"] + "@" + r["Host"]
			found[account] = append(found[account], q.grant(r))
		})
		if err != nil {
			return nil, fmt.Errorf("server %s: read grants: %w", s.Name, err)
		}
	}
	return found, nil
}

// Allow carries changes out.
func (s *Server) Allow(ctx context.Context, changes []Change) error {
	var errs []error
	for _, c := range changes {
		user, host, _ := strings.Cut(c.Account, "@")
		on := Quote(c.Database) + ".*"
		switch {
		case c.isLag():
			on = "*.*"
		case c.Table != "":
			on = Quote(c.Database) + "." + Quote(c.Table)
		}
		statement := "GRANT " + strings.Join(c.Privileges, ", ") + " ON " + on + " TO " + account(user, host)
		if c.Revoke {
			statement = "REVOKE " + strings.Join(c.Privileges, ", ") + " ON " + on + " FROM " + account(user, host)
		} else if c.Schema && c.Table == "" && slices.Contains(c.Privileges, "ALTER") {
			statement = GrantStatement(plain(c.Database), user, host, true)
		}
		if _, err := s.db.ExecContext(ctx, statement); err != nil && (!c.Revoke || !isError(err, errNoGrant)) {
			errs = append(errs, fmt.Errorf("%s: %w", c, err))
		}
	}
	return errors.Join(errs...)
}

// MakeFurther makes a further database of a tenant, which the ledger has claimed. One
// that exists is accepted only if it is empty and has the farm's mark; otherwise the error
// wraps ErrForeign.
func (s *Server) MakeFurther(ctx context.Context, name string) error {
	return s.createDatabase(ctx, name, s.ownEmpty)
}

func (s *Server) ownEmpty(ctx context.Context, name string) error {
	if err := s.OwnFurther(ctx, name); err != nil {
		return err
	}
	tables, err := s.Relations(ctx, name)
	if err == nil && len(tables) > 0 {
		err = fmt.Errorf("it exists with %d tables that wikictl did not make: %w", len(tables), ErrForeign)
	}
	return err
}

// OwnFurther returns an error that wraps ErrForeign if a further database exists and does
// not have the farm's mark.
func (s *Server) OwnFurther(ctx context.Context, name string) error {
	farms, err := s.farmsOf(ctx, " WHERE SCHEMA_NAME = ?", name)
	farm, found := farms[name]
	if err == nil && found && s.isMariaDB() && s.farmID() != "" && farm != s.farmID() {
		err = fmt.Errorf("the database %s on server %s does not have the mark of this farm: %w", name, s.Name, ErrForeign)
	}
	return err
}

// pattern escapes a database's name as the privilege tables store it.
func pattern(name string) string {
	return strings.NewReplacer(`\`, `\\`, `_`, `\_`, `%`, `\%`).Replace(name)
}

// plain returns the database's name from a pattern without wildcards.
func plain(pattern string) string {
	return strings.NewReplacer(`\_`, "_", `\%`, "%", `\\`, `\`).Replace(pattern)
}
