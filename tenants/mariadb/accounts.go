package mariadb

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	"wikictl/tenants/secrets"
)

// AccountFound describes an account that exists on a server.
type AccountFound struct {
	User, Host string
	Role       bool
	NoPassword bool // anyone who can reach the server can log in
	Grants     []Grant

	held Held
}

// Has reports whether the account has this password, as Held.Has does.
func (a AccountFound) Has(password secrets.Secret) bool { return a.held.Has(password) }

// Name returns "user@host".
func (a AccountFound) Name() string { return a.User + "@" + a.Host }

// Grant is a set of privileges on one object, or a role.
type Grant struct {
	Database   string   // a pattern as in GRANT, such as `wiki\_a`; empty: all databases
	Table      string   // a table, column or routine of that database; empty: the whole database
	Role       string   // the account has this role; the other fields are empty then
	Privileges []string // as GRANT spells them, sorted; "GRANT OPTION" is one
}

// String returns a text such as "DELETE, SELECT on wiki\_a.*".
func (g Grant) String() string {
	if g.Role != "" {
		return "the role " + g.Role
	}
	on := "*.*"
	if g.Database != "" {
		on = g.Database + ".*"
	}
	if g.Table != "" {
		on = g.Database + "." + g.Table
	}
	return strings.Join(g.Privileges, ", ") + " on " + on
}

// Reaches reports whether a grant applies to a database. In its pattern, _ matches any
// character and % any number of characters, unless \ precedes them.
func (g Grant) Reaches(database string) bool {
	if g.Table != "" {
		return g.Database == database // not a pattern here
	}
	return g.Role == "" && (g.Database == "" || matches(g.Database, database))
}

// Wild reports whether a grant on databases has a wildcard.
func (g Grant) Wild() bool {
	plain := strings.NewReplacer(`\_`, "", `\%`, "", `\\`, "").Replace(g.Database)
	return g.Table == "" && strings.ContainsAny(plain, "_%")
}

func matches(pattern, name string) bool {
	if pattern == "" {
		return name == ""
	}
	first, rest := pattern[0], pattern[1:]
	switch {
	case first == '%':
		for i := range len(name) + 1 {
			if matches(rest, name[i:]) {
				return true
			}
		}
		return false
	case name == "":
		return false
	case first == '_':
		return matches(rest, name[1:])
	case first == '\\' && rest != "":
		first, rest = rest[0], rest[1:]
	}
	return first == name[0] && matches(rest, name[1:])
}

// WantedGrants returns the privileges that a tenant's web account and schema account need
// in its database, as GRANT spells them, sorted.
func WantedGrants() (web, schema []string) {
	web = strings.Split(webGrants, ", ")
	slices.Sort(web)
	return web, schemaNeeds
}

// schemaNeeds lists the privileges of schemaGrants that MediaWiki's updater requires. The
// rest of ALL PRIVILEGES differs between servers and versions.
var schemaNeeds = []string{"ALTER", "CREATE", "CREATE TEMPORARY TABLES", "DELETE", "DROP", "INDEX", "INSERT", "LOCK TABLES", "SELECT", "UPDATE"}

// privilegeNames maps names of columns in mysql.db to the privileges' names in GRANT,
// where they differ.
var privilegeNames = map[string]string{
	"CREATE TMP TABLE": "CREATE TEMPORARY TABLES", "GRANT": "GRANT OPTION", "SHOW DB": "SHOW DATABASES",
	"REPL SLAVE": "REPLICATION SLAVE", "REPL CLIENT": "REPLICATION CLIENT",
}

// privilege returns the name of a privilege from its column, such as "Select_priv", or ""
// for any other column.
func privilege(column string) string {
	name, ok := strings.CutSuffix(column, "_priv")
	if !ok {
		return ""
	}
	name = strings.ToUpper(strings.ReplaceAll(name, "_", " "))
	if other := privilegeNames[name]; other != "" {
		return other
	}
	return name
}

// byPassword lists the plugins for which an empty password means no password.
var byPassword = map[string]bool{
	"": true, "mysql_native_password": true, "mysql_old_password": true, "caching_sha2_password": true, "sha256_password": true, "ed25519": true,
}

// record is a row of one of the server's privilege tables.
type record map[string]string

// grants returns the privileges that are 'Y' in a row.
func (r record) grants() []string {
	var list []string
	for column, value := range r {
		if p := privilege(column); p != "" && value == "Y" {
			list = append(list, p)
		}
	}
	slices.Sort(list)
	return list
}

// noPassword reports whether a row of mysql.user is an account without a password that
// can log in: not locked, and not a role.
func (r record) noPassword() bool {
	return byPassword[r["plugin"]] && r["authentication_string"] == "" && r["Password"] == "" &&
		r["is_role"] != "Y" && r["account_locked"] != "Y" && r["password_expired"] != "Y"
}

// accountsFound reads all accounts and their privileges by seven queries.
func (s *Server) accountsFound(ctx context.Context) ([]AccountFound, error) {
	byName := map[string]*AccountFound{}
	err := s.table(ctx, "SELECT * FROM mysql.user", func(r record) {
		a := &AccountFound{User: r["User"], Host: r["Host"], Role: r["is_role"] == "Y", NoPassword: r.noPassword(),
			held: Held{User: r["User"], Host: r["Host"], plugin: r["plugin"], hash: r["authentication_string"]}}
		if all := r.grants(); len(all) > 0 {
			a.Grants = []Grant{{Privileges: all}}
		}
		byName[a.Name()] = a
	})
	if err != nil {
		return nil, err
	}
	for _, q := range s.grantQueries() {
		err := s.table(ctx, q.text, func(r record) {
			if a := byName[r["User"]+"@"+r["Host"]]; a != nil {
				a.Grants = append(a.Grants, q.grant(r))
			}
		})
		if err != nil {
			return nil, err
		}
	}
	var all []AccountFound
	for _, a := range byName {
		all = append(all, *a)
	}
	slices.SortFunc(all, func(a, b AccountFound) int { return strings.Compare(a.Name(), b.Name()) })
	return all, nil
}

// grantQuery reads one of the tables of privileges on databases, tables, columns,
// routines or roles.
type grantQuery struct {
	text  string
	grant func(record) Grant
}

func (s *Server) grantQueries() []grantQuery {
	list := func(r record) Grant {
		return Grant{Database: r["Db"], Table: r["what"], Privileges: strings.Split(strings.ToUpper(r["can"]), ",")}
	}
	roles := "SELECT User, Host, Role FROM mysql.roles_mapping"
	if !s.isMariaDB() {
		roles = "SELECT TO_USER AS User, TO_HOST AS Host, FROM_USER AS Role FROM mysql.role_edges"
	}
	return []grantQuery{
		{"SELECT * FROM mysql.db", func(r record) Grant { return Grant{Database: r["Db"], Privileges: r.grants()} }},
		{"SELECT User, Host, Db, Table_name AS what, CONCAT_WS(',', NULLIF(Table_priv, ''), NULLIF(Column_priv, '')) AS can FROM mysql.tables_priv", list},
		{"SELECT User, Host, Db, CONCAT(Table_name, '.', Column_name) AS what, Column_priv AS can FROM mysql.columns_priv", list},
		{"SELECT User, Host, Db, CONCAT(Routine_name, '()') AS what, Proc_priv AS can FROM mysql.procs_priv", list},
		{roles, func(r record) Grant { return Grant{Role: r["Role"]} }},
		lagQuery,
	}
}

// table calls each for every row of a query, with the fields by column name.
func (s *Server) table(ctx context.Context, query string, each func(record)) error {
	return s.records(ctx, query, func(names []string, fields []sql.RawBytes) error {
		r := record{}
		for i, name := range names {
			r[name] = string(fields[i])
		}
		each(r)
		return nil
	})
}
