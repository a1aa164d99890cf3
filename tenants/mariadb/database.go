package mariadb

import (
	"context"
	"fmt"
	"strings"

	"wikictl/tenants/secrets"
)

// EnsureDatabase creates a tenant's database with the farm's mark if it does not exist.
// It has the character set that MediaWiki's installer would give it; tables state their
// own. An existing empty database without a mark gets the mark; another farm's database
// is ErrForeign.
func (s *Server) EnsureDatabase(ctx context.Context, name string) error {
	return s.createDatabase(ctx, name, s.takeDatabase)
}

// createDatabase creates a database with the farm's mark; existing decides about one that exists.
func (s *Server) createDatabase(ctx context.Context, name string, existing func(ctx context.Context, name string) error) error {
	_, err := s.db.ExecContext(ctx, "CREATE DATABASE "+Quote(name)+" CHARACTER SET utf8mb3"+s.commentClause())
	if isError(err, errDatabaseExists) {
		err = existing(ctx, name)
	}
	if err != nil {
		return fmt.Errorf("create database %q: %w", name, err)
	}
	return nil
}

// takeDatabase marks an existing database if that is allowed.
func (s *Server) takeDatabase(ctx context.Context, name string) error {
	if err := s.notAnothers(ctx, name); err != nil {
		return err
	}
	tables, err := s.Tables(ctx, name)
	if err != nil || len(tables) > 0 {
		return err
	}
	return s.MarkDatabase(ctx, name)
}

// DropOwnDatabase drops a tenant's database. If the database is not this farm's, it does
// nothing and the error wraps ErrForeign.
func (s *Server) DropOwnDatabase(ctx context.Context, a Accounts) error {
	if err := s.OwnDatabase(ctx, a); err != nil {
		return err
	}
	return s.DropDatabase(ctx, a.Database)
}

// DropDatabase drops a database.
func (s *Server) DropDatabase(ctx context.Context, name string) error {
	if _, err := s.db.ExecContext(ctx, "DROP DATABASE IF EXISTS "+Quote(name)); err != nil {
		return fmt.Errorf("drop database %q: %w", name, err)
	}
	return nil
}

// Inventory lists the databases and accounts of a server, read by a fixed number of
// queries.
type Inventory struct {
	Databases map[string]bool
	Farms     map[string]string // farm by database, from the database's mark
	Accounts  map[string]bool   // "name@host"

	users  map[string][]Held
	beyond map[string][]Grant // by account, "name@host"; without those on a database of its name
}

// Inventory reads the server's databases and accounts.
func (s *Server) Inventory(ctx context.Context) (*Inventory, error) {
	i := &Inventory{Databases: map[string]bool{}, Accounts: map[string]bool{}, users: map[string][]Held{}}
	var err error
	if i.Farms, err = s.farmsOf(ctx, ""); err != nil {
		return nil, err
	}
	for name := range i.Farms {
		i.Databases[name] = true
	}
	accounts, err := s.heldAccounts(ctx, "")
	for _, a := range accounts {
		i.Accounts[a.Name()] = true
		i.users[a.User] = append(i.users[a.User], a)
	}
	if err == nil {
		i.beyond, err = s.beyond(ctx, "")
	}
	return i, err
}

func (s *Server) set(ctx context.Context, query string, args ...any) (map[string]bool, error) {
	rows, err := s.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("server %s: take inventory: %w", s.Name, err)
	}
	names, err := Column[string](rows)
	found := make(map[string]bool, len(names))
	for _, name := range names {
		found[name] = true
	}
	return found, err
}

// Account is one of a tenant's database accounts.
type Account struct {
	Name     string
	Password secrets.Secret
}

// Accounts are the two database accounts of a tenant.
type Accounts struct {
	Database    string
	Host        string // the host part of both accounts
	Web, Schema Account
	More        []string // further databases of the tenant
	Rights      []Right  // what both accounts may do in databases of others
	Sharers     []string // web accounts of other tenants, which may write into tables of this one
	Replicas    bool     // the server has replicas, whose lag the web account reads
	Named       bool     // the names are exclusive, or the passwords can't be read: skip the proof of ownership
}

// Least privilege: the web account reads and writes rows; the schema account may do what
// update.php needs in this one database, and can't grant it to others.
const (
	webGrants    = "SELECT, INSERT, UPDATE, DELETE, CREATE TEMPORARY TABLES"
	schemaGrants = "ALL PRIVILEGES"
)

// EnsureAccounts creates both accounts with the given passwords and grants. If one of
// them exists with another password, it grants nothing and the error wraps ErrForeign.
func (s *Server) EnsureAccounts(ctx context.Context, a Accounts) error {
	web, schema := account(a.Web.Name, a.Host), account(a.Schema.Name, a.Host)
	byPassword := fmt.Sprintf("%s IDENTIFIED BY %s, %s IDENTIFIED BY %s",
		web, literal(a.Web.Password.Reveal()), schema, literal(a.Schema.Password.Reveal()))
	if _, err := s.db.ExecContext(ctx, "CREATE USER "+byPassword); err != nil {
		if !isError(err, errCannotUser) {
			return fmt.Errorf("create accounts %s and %s: %w", web, schema, err)
		}
		if err := s.renewAccounts(ctx, a, byPassword); err != nil {
			return fmt.Errorf("renew accounts %s and %s: %w", web, schema, err)
		}
	}
	for _, database := range a.databases() {
		for _, grant := range []string{GrantStatement(database, a.Web.Name, a.Host, false), GrantStatement(database, a.Schema.Name, a.Host, true)} {
			if _, err := s.db.ExecContext(ctx, grant); err != nil {
				return fmt.Errorf("%s: %w", grant, err)
			}
		}
	}
	if a.Replicas {
		return s.Allow(ctx, []Change{{Account: a.Web.Name + "@" + a.Host, Grant: lagGrant}})
	}
	return nil
}

// GrantStatement returns the GRANT for one of a tenant's two accounts.
func GrantStatement(database, user, host string, schema bool) string {
	rights := webGrants
	if schema {
		rights = schemaGrants
	}
	return "GRANT " + rights + " ON " + quotePattern(database) + ".* TO " + account(user, host)
}

// renewAccounts sets passwords and grants of accounts of which at least one exists.
func (s *Server) renewAccounts(ctx context.Context, a Accounts, byPassword string) error {
	if err := s.own(ctx, a); err != nil {
		return err
	}
	if _, err := s.db.ExecContext(ctx, "CREATE USER IF NOT EXISTS "+byPassword); err != nil {
		return err
	}
	_, err := s.db.ExecContext(ctx, "ALTER USER "+byPassword)
	return err
}

// DropAccounts drops those accounts of a tenant that exist and have its passwords.
func (s *Server) DropAccounts(ctx context.Context, a Accounts) error {
	h, err := s.Holds(ctx, a)
	if err != nil {
		return err
	}
	var names []string
	if h.Web {
		names = append(names, account(a.Web.Name, a.Host))
	}
	if h.Schema {
		names = append(names, account(a.Schema.Name, a.Host))
	}
	if len(names) == 0 {
		return nil
	}
	if _, err := s.db.ExecContext(ctx, "DROP USER IF EXISTS "+strings.Join(names, ", ")); err != nil {
		return fmt.Errorf("drop accounts %s: %w", strings.Join(names, ", "), err)
	}
	return nil
}
