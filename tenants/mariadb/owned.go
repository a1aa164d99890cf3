package mariadb

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"wikictl/tenants/secrets"
)

// ErrForeign reports an object with a tenant's name that this farm did not make. wikictl
// never alters it, grants privileges to it, or drops it.
var ErrForeign = errors.New("it is not this farm's")

// markPrefix begins the comment that marks a database as a farm's; the farm's id follows.
// MariaDB stores comments of databases since 10.5; MySQL does not.
const markPrefix = "wikictl farm "

// SetFarm sets the id of the farm that the connection works for: databases that it
// creates get that farm's mark, and it drops no other farm's. Without it nothing is
// marked.
func (s *Server) SetFarm(id string) { s.farm.Store(&id) }

func (s *Server) farmID() string {
	if id := s.farm.Load(); id != nil {
		return *id
	}
	return ""
}

// marked returns the farm's id in a database's comment, or "".
func marked(comment string) string {
	if id, ok := strings.CutPrefix(comment, markPrefix); ok {
		return id
	}
	return ""
}

// commentClause returns the clause that marks a database in CREATE or ALTER DATABASE.
func (s *Server) commentClause() string {
	if s.farmID() == "" || !s.isMariaDB() {
		return ""
	}
	return " COMMENT " + literal(markPrefix+s.farmID())
}

// Held is an account on a server, with the hash of its password.
type Held struct {
	User, Host   string
	plugin, hash string
}

// Name returns "user@host".
func (h Held) Name() string { return h.User + "@" + h.Host }

// Has reports whether an account has this password. It is true for every account with
// MySQL's default plugin, whose hash is salted.
func (h Held) Has(password secrets.Secret) bool {
	switch {
	case password == "":
		return false
	case h.plugin == "caching_sha2_password":
		return true
	}
	return h.plugin == "mysql_native_password" && h.hash == nativeHash(password)
}

// nativeHash returns the hash of a password by the plugin mysql_native_password.
func nativeHash(password secrets.Secret) string {
	once := sha1.Sum([]byte(password.Reveal()))
	twice := sha1.Sum(once[:])
	return "*" + strings.ToUpper(hex.EncodeToString(twice[:]))
}

// Holding describes the objects on a server that have the names of one tenant.
type Holding struct {
	Database    bool
	Farm        string // from the database's mark; empty: none
	Web, Schema bool   // the tenant's own accounts exist
	Foreign     []Held // accounts with its names, for any host, without its passwords
}

// holding sorts the accounts that have a tenant's names. An account's password proves
// that it is the tenant's: no other program has it, as it is stored only in
// state/secrets.
func holding(a Accounts, found []Held) (h Holding) {
	for _, account := range found {
		var password secrets.Secret
		var its *bool
		switch account.User {
		case a.Web.Name:
			password, its = a.Web.Password, &h.Web
		case a.Schema.Name:
			password, its = a.Schema.Password, &h.Schema
		default:
			continue
		}
		switch {
		case !a.Named && !account.Has(password):
			h.Foreign = append(h.Foreign, account)
		case account.Host == a.Host:
			*its = true
		}
	}
	return h
}

// InTheWay returns the foreign accounts that have one of the tenant's names and its host.
func (h Holding) InTheWay(a Accounts) []Held {
	return slices.DeleteFunc(slices.Clone(h.Foreign), func(f Held) bool { return f.Host != a.Host })
}

// Of returns an inventory's view of a tenant.
func (i *Inventory) Of(a Accounts) Holding {
	h := holding(a, slices.Concat(i.users[a.Web.Name], i.users[a.Schema.Name]))
	h.Database, h.Farm = i.Databases[a.Database], i.Farms[a.Database]
	return h
}

// Holds reads the objects that have a tenant's names, by two queries.
func (s *Server) Holds(ctx context.Context, a Accounts) (Holding, error) {
	accounts, err := s.heldAccounts(ctx, " WHERE User IN (?, ?)", a.Web.Name, a.Schema.Name)
	if err != nil {
		return Holding{}, err
	}
	h := holding(a, accounts)
	databases, err := s.farmsOf(ctx, " WHERE SCHEMA_NAME = ?", a.Database)
	h.Farm, h.Database = databases[a.Database]
	return h, err
}

// farmsOf reads databases and the farms in their marks.
func (s *Server) farmsOf(ctx context.Context, where string, args ...any) (map[string]string, error) {
	comment := "SCHEMA_COMMENT"
	if !s.isMariaDB() {
		comment = "''"
	}
	rows, err := s.db.QueryContext(ctx, "SELECT SCHEMA_NAME, "+comment+" FROM information_schema.SCHEMATA"+where, args...)
	if err != nil {
		return nil, fmt.Errorf("server %s: list databases: %w", s.Name, err)
	}
	defer rows.Close()
	found := map[string]string{}
	for rows.Next() {
		var name, comment string
		if err := rows.Scan(&name, &comment); err != nil {
			return nil, err
		}
		found[name] = marked(comment)
	}
	return found, rows.Err()
}

func (s *Server) heldAccounts(ctx context.Context, where string, args ...any) ([]Held, error) {
	rows, err := s.db.QueryContext(ctx, "SELECT User, Host, COALESCE(plugin, ''), COALESCE(authentication_string, '') FROM mysql.user"+where, args...)
	if err != nil {
		return nil, fmt.Errorf("server %s: list accounts: %w", s.Name, err)
	}
	return Records(rows, func(h *Held) []any { return []any{&h.User, &h.Host, &h.plugin, &h.hash} })
}

// own returns an error that wraps ErrForeign if an account with the tenant's name and
// host is not its own.
func (s *Server) own(ctx context.Context, a Accounts) error {
	h, err := s.Holds(ctx, a)
	if err != nil {
		return err
	}
	if foreign := h.InTheWay(a); len(foreign) > 0 {
		return ForeignAccount(s.Name, foreign[0])
	}
	return nil
}

// ForeignAccount returns an error for an account that is not the tenant's.
func ForeignAccount(server string, h Held) error {
	return fmt.Errorf("the account %s on server %s does not have the password of the tenant's secrets file, so %w", h.Name(), server, ErrForeign)
}

// OwnDatabase returns an error that wraps ErrForeign if a database has another farm's
// mark, or has no mark and no account of the tenant.
func (s *Server) OwnDatabase(ctx context.Context, a Accounts) error {
	h, err := s.Holds(ctx, a)
	if err != nil || !h.Database || !s.isMariaDB() || h.Farm == s.farmID() {
		return err
	}
	return h.DatabaseError(s.farmID(), s.Name, a)
}

// DatabaseError returns an error that wraps ErrForeign unless a database is the tenant's:
// by the farm's mark or, if version 0.1.0 made it, by its accounts.
func (h Holding) DatabaseError(farm, server string, a Accounts) error {
	switch {
	case !h.Database, farm == "", h.Farm == farm, h.Farm == "" && (h.Web || h.Schema):
		return nil
	case h.Farm != "":
		return fmt.Errorf("the database %s on server %s has the mark of farm %s: %w", a.Database, server, h.Farm, ErrForeign)
	}
	return fmt.Errorf("the database %s on server %s has no farm's mark, and its tenant has no account with the right password: %w"+
		"\n(if it is, mark it: ALTER DATABASE %s COMMENT %s)", a.Database, server, ErrForeign, Quote(a.Database), literal(markPrefix+farm))
}

// notAnothers returns an error that wraps ErrForeign if a database has another farm's
// mark.
func (s *Server) notAnothers(ctx context.Context, database string) error {
	farms, err := s.farmsOf(ctx, " WHERE SCHEMA_NAME = ?", database)
	if id := farms[database]; err == nil && id != "" && id != s.farmID() && s.farmID() != "" {
		return fmt.Errorf("it has the mark of farm %s: %w", id, ErrForeign)
	}
	return err
}

// Mark gives a tenant's database the farm's mark if version 0.1.0 made it without one.
// The error wraps ErrForeign if the database is not the tenant's.
func (s *Server) Mark(ctx context.Context, a Accounts) error {
	h, err := s.Holds(ctx, a)
	if err != nil || !s.isMariaDB() || h.Farm == s.farmID() || !h.Database {
		return err
	}
	if err := h.DatabaseError(s.farmID(), s.Name, a); err != nil {
		return err
	}
	return s.MarkDatabase(ctx, a.Database)
}

// MarkDatabase writes the farm's mark into a database's comment.
func (s *Server) MarkDatabase(ctx context.Context, database string) error {
	clause := s.commentClause()
	if clause == "" {
		return nil
	}
	if _, err := s.db.ExecContext(ctx, "SET STATEMENT lock_wait_timeout = 60 FOR ALTER DATABASE "+Quote(database)+clause); err != nil {
		return fmt.Errorf("mark database %q: %w", database, err)
	}
	return nil
}
