package mariadb

import (
	"context"
	"fmt"

	"wikictl/tenants"
)

// EnsureDatabase creates a tenant's database unless it is there. Its character
// set is what MediaWiki's installer gives it; the tables state their own.
func (s *Server) EnsureDatabase(ctx context.Context, name string) error {
	_, err := s.db.ExecContext(ctx, "CREATE DATABASE IF NOT EXISTS "+Quote(name)+" CHARACTER SET utf8mb3")
	if err != nil {
		return fmt.Errorf("create database %q: %w", name, err)
	}
	return nil
}

// DropDatabase removes a database and all that is in it.
func (s *Server) DropDatabase(ctx context.Context, name string) error {
	if _, err := s.db.ExecContext(ctx, "DROP DATABASE IF EXISTS "+Quote(name)); err != nil {
		return fmt.Errorf("drop database %q: %w", name, err)
	}
	return nil
}

// Inventory is what a server holds, read by a fixed number of queries.
type Inventory struct {
	Databases map[string]bool
	Accounts  map[string]bool // "name@host"
}

// Inventory lists databases and accounts.
func (s *Server) Inventory(ctx context.Context) (*Inventory, error) {
	databases, err := s.set(ctx, "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA")
	if err != nil {
		return nil, err
	}
	accounts, err := s.set(ctx, "SELECT CONCAT(User, '@', Host) FROM mysql.user")
	return &Inventory{Databases: databases, Accounts: accounts}, err
}

func (s *Server) set(ctx context.Context, query string) (map[string]bool, error) {
	rows, err := s.db.QueryContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("server %s: take inventory: %w", s.Name, err)
	}
	names, err := scanAll[string](rows)
	found := make(map[string]bool, len(names))
	for _, name := range names {
		found[name] = true
	}
	return found, err
}

// Account is one account of a tenant.
type Account struct {
	Name     string
	Password tenants.Secret
}

// Accounts are the two accounts of a tenant's database.
type Accounts struct {
	Database    string
	Host        string // the host part of both
	Web, Schema Account
}

// Least grants: the web account reads and writes rows; the schema account does
// what update.php needs in this one database and can't pass it on.
const (
	webGrants    = "SELECT, INSERT, UPDATE, DELETE, CREATE TEMPORARY TABLES"
	schemaGrants = "ALL PRIVILEGES"
)

// EnsureAccounts makes both accounts with the given passwords and their grants.
// Accounts that are there get the passwords: call it only for accounts that
// belong to the tenant.
func (s *Server) EnsureAccounts(ctx context.Context, a Accounts) error {
	web, schema := account(a.Web.Name, a.Host), account(a.Schema.Name, a.Host)
	byPassword := fmt.Sprintf("%s IDENTIFIED BY %s, %s IDENTIFIED BY %s",
		web, literal(a.Web.Password.Reveal()), schema, literal(a.Schema.Password.Reveal()))
	if _, err := s.db.ExecContext(ctx, "CREATE USER "+byPassword); err != nil {
		if !isError(err, errCannotUser) {
			return fmt.Errorf("create accounts %s and %s: %w", web, schema, err)
		}
		if err := s.renewAccounts(ctx, byPassword); err != nil {
			return fmt.Errorf("renew accounts %s and %s: %w", web, schema, err)
		}
	}
	for _, grant := range []string{GrantStatement(a.Database, a.Web.Name, a.Host, false), GrantStatement(a.Database, a.Schema.Name, a.Host, true)} {
		if _, err := s.db.ExecContext(ctx, grant); err != nil {
			return fmt.Errorf("%s: %w", grant, err)
		}
	}
	return nil
}

// GrantStatement is what gives one of a tenant's two accounts its rights.
func GrantStatement(database, user, host string, schema bool) string {
	rights := webGrants
	if schema {
		rights = schemaGrants
	}
	return "GRANT " + rights + " ON " + quotePattern(database) + ".* TO " + account(user, host)
}

// renewAccounts handles the case that one or both accounts are there already.
func (s *Server) renewAccounts(ctx context.Context, byPassword string) error {
	if _, err := s.db.ExecContext(ctx, "CREATE USER IF NOT EXISTS "+byPassword); err != nil {
		return err
	}
	_, err := s.db.ExecContext(ctx, "ALTER USER "+byPassword)
	return err
}

// DropAccounts removes both accounts of a tenant, if they are there.
func (s *Server) DropAccounts(ctx context.Context, a Accounts) error {
	web, schema := account(a.Web.Name, a.Host), account(a.Schema.Name, a.Host)
	if _, err := s.db.ExecContext(ctx, "DROP USER IF EXISTS "+web+", "+schema); err != nil {
		return fmt.Errorf("drop accounts %s and %s: %w", web, schema, err)
	}
	return nil
}
