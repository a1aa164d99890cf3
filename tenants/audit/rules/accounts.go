package rules

import (
	"slices"
	"strings"

	"wikictl/tenants"
	"wikictl/tenants/audit"
	"wikictl/tenants/audit/observe"
	"wikictl/tenants/ledger"
	"wikictl/tenants/mariadb"
	"wikictl/tenants/mediawiki"
	"wikictl/tenants/secrets"
	"wikictl/tenants/session"
)

// accountRules compare the accounts of wikis and their privileges with the required ones.
var accountRules = []rule{
	{Rule: audit.Rule{
		ID: "account-missing", Severity: audit.Error,
		What:      "An account of a wiki is missing on its server.",
		Why:       "The wiki does not work, or can't be upgraded.",
		Repair:    "Create it with the password in state/secrets, and run the GRANT of the hint.",
		Reference: "MariaDB: CREATE USER",
	}, observed: accountMissing},
	{Rule: audit.Rule{
		ID: "account-no-password", Severity: audit.Error,
		What:      "An account of a wiki has no password.",
		Why:       "Anyone who can reach the server can read and write the wiki's database, password hashes included.",
		Repair:    "Give it the password in state/secrets.",
		Reference: "MariaDB: ALTER USER",
	}, observed: accountOpen},
	{Rule: audit.Rule{
		ID: "account-password", Severity: audit.Error,
		What:      "An account of a wiki does not have the password of the wiki's secrets file.",
		Why:       "The wiki can't connect. wikictl assumes that the account is another program's, and neither changes nor removes it.",
		Repair:    "If it is the wiki's, give it that password: ALTER USER.",
		Reference: "MariaDB: ALTER USER",
	}, observed: accountPassword},
	{Rule: audit.Rule{
		ID: "account-host", Severity: audit.Warning,
		What:      "An account with a wiki's name exists for other hosts than the wanted one.",
		Why:       "It can be reached from more places than the wiki is served from.",
		Repair:    "Drop it, or set account_host of the server to the host that it should have.",
		Reference: "MariaDB: CREATE USER, Account Names",
	}, observed: accountHost},
	{Rule: audit.Rule{
		ID: "grant-missing", Severity: audit.Error,
		What:      "An account of a wiki lacks privileges on the wiki's database.",
		Why:       "Pages can't be read or saved, or the wiki can't be upgraded.",
		Repair:    "Run the GRANT of the hint.",
		Reference: "MariaDB: GRANT, Database Privileges",
	}, observed: grantMissing},
	{Rule: audit.Rule{
		ID: "grant-extra", Severity: audit.Error,
		What:      "An account of a wiki has more privileges than it needs.",
		Why:       "An attacker who takes over the wiki can change its schema, or reach other wikis.",
		Repair:    "Revoke the privileges of the message.",
		Reference: "MariaDB: REVOKE",
	}, observed: grantExtra},
	{Rule: audit.Rule{
		ID: "grant-wildcard", Severity: audit.Error,
		What:      "A grant of a wiki's account names a database with _ or % without a \\ before it.",
		Why:       "_ stands for any character and % for any number of them: the account reaches every database whose name matches, now or later.",
		Repair:    "Grant it again with \\_ and revoke the old grant.",
		Reference: "MariaDB: GRANT, Database Privileges",
	}, observed: grantWildcard},
	{Rule: audit.Rule{
		ID: "account-unowned", Severity: audit.Note,
		What:      "An account that belongs to no wiki has a name like a wiki's, or privileges on wikis' databases.",
		Why:       "Its password is not managed, and it outlives its purpose.",
		Repair:    "Drop it if nothing uses it.",
		Reference: "MariaDB: DROP USER",
	}, observedFarm: unownedAccounts},
}

// role is one of the two accounts of a tenant.
type role struct {
	kind, name string
	wanted     []string        // privileges
	beyond     []mariadb.Grant // on other databases
	found      mariadb.AccountFound
	there      bool
}

// roles returns the tenant's accounts if its database is complete and in use.
func (s *subject) roles() []role {
	if _, found := s.inUse(); found == nil {
		return nil
	}
	state, _ := s.server()
	web, schema := mariadb.WantedGrants()
	both := []role{{kind: "web", name: s.tenant.WebAccount(), wanted: web}, {kind: "schema", name: s.tenant.SchemaAccount(), wanted: schema}}
	accounts := session.Accounts(s.tenant, secrets.Secrets{}, ledger.MadeDatabases(s.further())...)
	for i := range both {
		both[i].beyond = accounts.Beyond(both[i].kind == "schema")
		both[i].found, both[i].there = state.Account(both[i].name, s.tenant.Server.AccountHost)
	}
	return both
}

func accountMissing(s *subject, r *reporter) {
	for _, a := range s.roles() {
		if !a.there {
			r.say(s.tenant.Position, a.name, s.grantStatement(a), "its %s account %s@%s is missing on server %s", a.kind, a.name, s.tenant.Server.AccountHost, s.tenant.Server.Name)
		}
	}
}

func (s *subject) grantStatement(a role) string {
	return mariadb.GrantStatement(s.tenant.Database, a.name, s.tenant.Server.AccountHost, a.kind == "schema")
}

func accountOpen(s *subject, r *reporter) {
	for _, a := range s.roles() {
		if a.there && a.found.NoPassword {
			r.say(s.tenant.Position, a.name, "", "its %s account %s has no password", a.kind, a.found.Name())
		}
	}
}

func accountPassword(s *subject, r *reporter) {
	accounts, known := s.observed.Accounts[s.tenant.Name]
	if !known || accounts.Named {
		return
	}
	for _, a := range s.roles() {
		password := accounts.Web.Password
		if a.kind == "schema" {
			password = accounts.Schema.Password
		}
		if a.there && !a.found.NoPassword && password != "" && !a.found.Has(password) {
			r.say(s.tenant.Position, a.name, "ALTER USER, if it is the wiki's", "its %s account %s has another password than %s", a.kind, a.found.Name(), s.Farm.Layout().Secrets(s.tenant.Name))
		}
	}
}

func accountHost(s *subject, r *reporter) {
	state, _ := s.server()
	for _, a := range s.roles() {
		for _, other := range state.ByUser[a.name] {
			if other.Host != s.tenant.Server.AccountHost {
				r.say(s.tenant.Position, a.name, "DROP USER, or account_host in [servers."+s.tenant.Server.Name+"]", "there is an account %s beside the wanted %s@%s", other.Name(), a.name, s.tenant.Server.AccountHost)
			}
		}
	}
}

// ofDatabase splits the grants of an account into those on the whole of a database, and
// the others.
func ofDatabase(a mariadb.AccountFound, database string) (its, others []mariadb.Grant) {
	for _, g := range a.Grants {
		if g.Reaches(database) && g.Database != "" && g.Table == "" {
			its = append(its, g)
		} else {
			others = append(others, g)
		}
	}
	return its, others
}

func grantMissing(s *subject, r *reporter) {
	for _, a := range s.roles() {
		if !a.there {
			continue
		}
		have := map[string]bool{}
		for _, g := range a.found.Grants {
			if g.Reaches(s.tenant.Database) && g.Table == "" {
				for _, p := range g.Privileges {
					have[p] = true
				}
			}
		}
		lacks := slices.DeleteFunc(slices.Clone(a.wanted), func(p string) bool { return have[p] })
		if len(lacks) > 0 {
			r.say(s.tenant.Position, a.name, s.grantStatement(a), "its %s account %s lacks %s on %s", a.kind, a.found.Name(), strings.Join(lacks, ", "), s.tenant.Database)
		}
		for _, g := range mariadb.Less(a.beyond, a.found.Grants) {
			r.say(s.tenant.Position, a.name, "wikictl apply "+s.tenant.Name, "its %s account %s lacks %s", a.kind, a.found.Name(), g.Plain())
		}
	}
}

func grantExtra(s *subject, r *reporter) {
	for _, a := range s.roles() {
		its, others := ofDatabase(a.found, s.tenant.Database)
		var extra []string
		for _, g := range mariadb.Less(others, a.beyond) {
			if a.kind == "schema" && slices.ContainsFunc(s.further(), func(d ledger.Database) bool { return g.Of(d.Name) }) && !slices.Contains(g.Privileges, "GRANT OPTION") {
				continue // ALL PRIVILEGES are other ones on each server
			}
			extra = append(extra, g.String())
		}
		for _, g := range its {
			g.Privileges = slices.DeleteFunc(slices.Clone(g.Privileges), func(p string) bool {
				return slices.Contains(a.wanted, p) || (a.kind == "schema" && p != "GRANT OPTION")
			})
			if len(g.Privileges) > 0 {
				extra = append(extra, g.String())
			}
		}
		if len(extra) > 0 {
			r.say(s.tenant.Position, a.name, "REVOKE …", "its %s account %s has more than it needs: %s", a.kind, a.found.Name(), strings.Join(extra, "; "))
		}
	}
}

func grantWildcard(s *subject, r *reporter) {
	for _, a := range s.roles() {
		for _, g := range a.found.Grants {
			if !g.Wild() || !g.Reaches(s.tenant.Database) {
				continue // another database: grant-extra reports it
			}
			state, _ := s.server()
			var reached []string
			for name := range state.Databases {
				if name != s.tenant.Database && g.Reaches(name) {
					reached = append(reached, name)
				}
			}
			slices.Sort(reached)
			severity, what := audit.Note, "no other database yet"
			if len(reached) > 0 {
				severity, what = r.rule.Severity, firstOf(reached)
			}
			r.sayAs(severity, s.tenant.Position, a.name, s.grantStatement(a), "the grant on `%s` of its %s account %s reaches %s, too", g.Database, a.kind, a.found.Name(), what)
		}
	}
}

// looksLikeWiki reports whether a database may be a wiki's, or one that wikictl made.
func looksLikeWiki(name string, f *mariadb.Found) bool {
	return strings.HasPrefix(name, "wiki_") || isGolden(name) || (f.Level != mediawiki.NoTables && f.Level != mediawiki.Foreign)
}

// isGolden reports whether a database, or an account, is for making a golden.
func isGolden(name string) bool { return strings.HasPrefix(name, mariadb.GoldenPrefix) }

func unownedAccounts(w *wanted, r *reporter) {
	if !w.Whole || w.observed.Ledger == nil {
		return
	}
	owners, others := w.owners(), w.othersAccounts()
	w.eachServer(func(name string, state observe.Server) {
		var found []string
		for _, a := range state.Accounts {
			making := isGolden(a.User) && len(w.observed.History.Alive) > 0
			if owners.account(name, a.User) == "" && !making && (!others[onServer(name, a.User)] && (strings.HasPrefix(a.User, "wiki_") || isGolden(a.User)) || reachesAny(a, w.Farm.Tenants, name)) {
				found = append(found, a.Name())
			}
		}
		if len(found) > 0 {
			r.say(w.Farm.Servers[name].Position, "servers."+name, "DROP USER, if nothing uses them", "accounts of no wiki with a name like a wiki's, or privileges on one's database: %s", firstOf(found))
		}
	})
}

// reachesAny reports whether an account has privileges on a tenant's database. Global
// privileges do not count: they are an administrator's.
func reachesAny(a mariadb.AccountFound, list []*tenants.Tenant, server string) bool {
	return slices.ContainsFunc(a.Grants, func(g mariadb.Grant) bool {
		return g.Database != "" && slices.ContainsFunc(list, func(t *tenants.Tenant) bool { return t.Server.Name == server && g.Reaches(t.Database) })
	})
}
