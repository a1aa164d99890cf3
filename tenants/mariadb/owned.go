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

// ErrForeign says that something is there under a tenant's names that this farm did
// not make. It is never altered, granted to, or dropped.
var ErrForeign = errors.New("it is not this farm's")

// markPrefix begins the comment by which a database is known as a farm's; the farm's
// id follows. MariaDB keeps comments of databases since 10.5; MySQL has none.
const markPrefix = "wikictl farm "

// SetFarm tells which farm the connection works for: databases that it makes get
// that farm's mark, and it drops no other's. Without it nothing is marked.
func (s *Server) SetFarm(id string) { s.farm.Store(&id) }

func (s *Server) farmID() string {
	if id := s.farm.Load(); id != nil {
		return *id
	}
	return ""
}

// marked is the farm in a database's comment; empty: no farm.
func marked(comment string) string {
	if id, ok := strings.CutPrefix(comment, markPrefix); ok {
		return id
	}
	return ""
}

// commentClause marks a database in CREATE or ALTER DATABASE.
func (s *Server) commentClause() string {
	if s.farmID() == "" || !s.isMariaDB() {
		return ""
	}
	return " COMMENT " + literal(markPrefix+s.farmID())
}

// Held is an account as it is on a server. Who has its password is known by the hash.
type Held struct {
	User, Host   string
	plugin, hash string
}

// Name is "user@host".
func (h Held) Name() string { return h.User + "@" + h.Host }

// Has reports whether an account was made with a password. On MySQL, whose default
// hash is salted, any password may be the one.
func (h Held) Has(password secrets.Secret) bool {
	switch {
	case password == "":
		return false
	case h.plugin == "caching_sha2_password":
		return true
	}
	return h.plugin == "mysql_native_password" && h.hash == nativeHash(password)
}

// nativeHash is how the plugin mysql_native_password stores a password.
func nativeHash(password secrets.Secret) string {
	once := sha1.Sum([]byte(password.Reveal()))
	twice := sha1.Sum(once[:])
	return "*" + strings.ToUpper(hex.EncodeToString(twice[:]))
}

// Holding is what a server has under the names of one tenant.
type Holding struct {
	Database    bool
	Farm        string // by whose mark the database is known; empty: none
	Web, Schema bool   // accounts of the tenant's own
	Foreign     []Held // accounts of its names, for any host, that lack its passwords
}

// holding judges the accounts of a tenant's names. The password of an account is the
// MarkDatabase that no other program can make: it is in state/secrets and nowhere else.
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

// InTheWay are the foreign accounts that have exactly one of the tenant's two names
// and its host.
func (h Holding) InTheWay(a Accounts) []Held {
	return slices.DeleteFunc(slices.Clone(h.Foreign), func(f Held) bool { return f.Host != a.Host })
}

// Of is what an inventory has of a tenant.
func (i *Inventory) Of(a Accounts) Holding {
	h := holding(a, slices.Concat(i.users[a.Web.Name], i.users[a.Schema.Name]))
	h.Database, h.Farm = i.Databases[a.Database], i.Farms[a.Database]
	return h
}

// Holds reads what the server has of a tenant, by two queries.
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

// farmsOf reads databases with the farms by whose marks they are known.
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
	defer rows.Close()
	var all []Held
	for rows.Next() {
		var h Held
		if err := rows.Scan(&h.User, &h.Host, &h.plugin, &h.hash); err != nil {
			return nil, err
		}
		all = append(all, h)
	}
	return all, rows.Err()
}

// own is an error that wraps ErrForeign unless the accounts with a tenant's names and
// host, as far as they are there, are its own.
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

// ForeignAccount is an error about an account that is in the way.
func ForeignAccount(server string, h Held) error {
	return fmt.Errorf("the account %s on server %s does not have the password of the tenant's secrets file, so that %w", h.Name(), server, ErrForeign)
}

// OwnDatabase is an error that wraps ErrForeign when a database has another mark than
// this farm's, or none and its accounts do not show that it is the tenant's.
func (s *Server) OwnDatabase(ctx context.Context, a Accounts) error {
	h, err := s.Holds(ctx, a)
	if err != nil || !h.Database || !s.isMariaDB() || h.Farm == s.farmID() {
		return err
	}
	return h.DatabaseError(s.farmID(), s.Name, a)
}

// DatabaseError is an error that wraps ErrForeign unless a database is the tenant's:
// by the farm's mark or, where version 0.1.0 made it, by its accounts.
func (h Holding) DatabaseError(farm, server string, a Accounts) error {
	switch {
	case !h.Database, farm == "", h.Farm == farm, h.Farm == "" && (h.Web || h.Schema):
		return nil
	case h.Farm != "":
		return fmt.Errorf("the database %s on server %s has the mark of the farm %s: %w", a.Database, server, h.Farm, ErrForeign)
	}
	return fmt.Errorf("the database %s on server %s has no farm's mark, and no account with the passwords of its tenant: %w"+
		"\n(if it is, mark it: ALTER DATABASE %s COMMENT %s)", a.Database, server, ErrForeign, Quote(a.Database), literal(markPrefix+farm))
}

// notAnothers is an error that wraps ErrForeign when a database has another farm's mark.
func (s *Server) notAnothers(ctx context.Context, database string) error {
	farms, err := s.farmsOf(ctx, " WHERE SCHEMA_NAME = ?", database)
	if id := farms[database]; err == nil && id != "" && id != s.farmID() && s.farmID() != "" {
		return fmt.Errorf("it has the mark of the farm %s: %w", id, ErrForeign)
	}
	return err
}

// Mark gives a tenant's database the farm's mark when version 0.1.0 made it without.
// The error wraps ErrForeign when it is not the tenant's.
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

// MarkDatabase notes in a database that it is the farm's.
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
