package session

import (
	"context"
	"fmt"
	"slices"

	"wikictl/tenants"
	"wikictl/tenants/ledger"
	"wikictl/tenants/mariadb"
	"wikictl/tenants/secrets"
)

// ExclusiveAccounts returns the accounts of a tenant that exists only for a golden or for scratch
// copies. Their names contain the farm's id, so that no other farm or program has the same.
func ExclusiveAccounts(t *tenants.Tenant, s secrets.Secrets) mariadb.Accounts {
	a := Accounts(t, s)
	a.Named = true
	return a
}

// Accounts returns the two database accounts of a tenant; FamilyAccounts adds its members'.
// further are its existing further databases: the accounts get rights on those that the
// definition names.
func Accounts(t *tenants.Tenant, s secrets.Secrets, further ...string) mariadb.Accounts {
	a := mariadb.Accounts{
		Database: t.Database, Host: t.Server.AccountHost,
		Web:    mariadb.Account{Name: t.WebAccount(), Password: s.WebPassword},
		Schema: mariadb.Account{Name: t.SchemaAccount(), Password: s.SchemaPassword},
		Rights: rightsOf(t), Replicas: len(t.Server.Replicas) > 0,
	}
	for _, name := range t.Databases {
		if slices.Contains(further, name) {
			a.More = append(a.More, name)
		}
	}
	return a
}

// rightsOf returns a tenant's grants by table.
func rightsOf(t *tenants.Tenant) (rights []mariadb.Right) {
	for _, g := range t.AllGrants() {
		privileges := slices.Compact(slices.Sorted(slices.Values(g.Rights)))
		for _, table := range g.Tables {
			if table == "*" {
				table = ""
			}
			rights = append(rights, mariadb.Right{Database: g.On, Table: table, Privileges: privileges})
		}
	}
	return rights
}

// FurtherFault returns why the further databases of a tenant's definition can't be made, or
// differ from the ledger. all are the ledger's further databases; exists reports whether a
// server has a database.
func FurtherFault(t *tenants.Tenant, all []ledger.Database, exists func(name string) bool) error {
	for _, name := range t.Databases {
		i := slices.IndexFunc(all, func(d ledger.Database) bool { return d.Server == t.Server.Name && d.Name == name })
		switch {
		case i < 0 && exists(name):
			return fmt.Errorf("the database %s exists on server %s and wikictl did not make it; remove it or name another in databases", name, t.Server.Name)
		case i < 0:
		case all[i].Tenant != t.Name:
			return fmt.Errorf("the ledger has the database %s on server %s as tenant %s's; name another in databases", name, t.Server.Name, all[i].Tenant)
		case all[i].Made && !exists(name):
			return fmt.Errorf("its database %s is missing on server %s; restore it from a backup, or take it out of databases and run wikictl apply %s to forget it", name, t.Server.Name, t.Name)
		}
	}
	return nil
}

// Further returns the further databases of a tenant that were made, by the ledger.
func Further(ctx context.Context, l *ledger.Ledger, t *tenants.Tenant) ([]string, error) {
	all, err := l.DatabasesOf(ctx, t.Name)
	return ledger.MadeDatabases(all), err
}

// RestoreAccounts gives a tenant's accounts the passwords of its secrets file and exactly the rights
// of its definition.
func (h *Host) RestoreAccounts(ctx context.Context, l *ledger.Ledger, t *tenants.Tenant) error {
	secrets, err := h.Deploy.ReadSecrets(t.Name)
	if err != nil {
		return err
	}
	server, err := h.Server(ctx, t.Server)
	if err != nil {
		return err
	}
	further, err := Further(ctx, l, t)
	if err != nil {
		return err
	}
	if err := server.EnsureAccounts(ctx, Accounts(t, secrets, further...)); err != nil {
		return err
	}
	return h.AddFurther(ctx, l, t, secrets)
}

// AddFurther is EnsureFurther for a tenant that exists and is not upgraded now. It says what fills
// the databases that it made.
func (h *Host) AddFurther(ctx context.Context, l *ledger.Ledger, t *tenants.Tenant, s secrets.Secrets) error {
	had, err := Further(ctx, l, t)
	if err != nil {
		return err
	}
	if err := h.EnsureFurther(ctx, l, t, s); err != nil {
		return err
	}
	for _, name := range t.Databases {
		if !slices.Contains(had, name) {
			h.Say(fmt.Sprintf("%s: its new database %s is empty: %s", t.Name, name, FillFurther(t)))
		}
	}
	return nil
}

// FillFurther says how a tenant that exists gets an extension's tables in a new further database.
func FillFurther(t *tenants.Tenant) string {
	return fmt.Sprintf("wikictl upgrade %s --force has update.php make the tables of extensions in it", t.Name)
}

// EnsureFurther makes the further databases of a tenant, whose lock is held, and removes the
// ledger's rows of those that are neither defined nor existing. Beyond its own database it
// gives the tenant's accounts exactly the rights of its definition.
func (h *Host) EnsureFurther(ctx context.Context, l *ledger.Ledger, t *tenants.Tenant, s secrets.Secrets) error {
	server, err := h.Server(ctx, t.Server)
	if err != nil {
		return err
	}
	if err := h.makeFurther(ctx, l, server, t); err != nil {
		return err
	}
	further, err := Further(ctx, l, t)
	if err != nil {
		return err
	}
	a := Accounts(t, s, further...)
	have, err := server.BeyondOf(ctx, a)
	if err != nil || len(a.Changes(have, func(string) bool { return true })) == 0 {
		return err
	}
	if err := ownerIdle(ctx, l, t); err != nil {
		return err
	}
	known, err := h.knownDatabases(ctx, l, t.Server)
	if err != nil {
		return err
	}
	return server.Allow(ctx, a.Changes(have, func(name string) bool { return known[name] }))
}

// makeFurther makes and forgets further databases.
func (h *Host) makeFurther(ctx context.Context, l *ledger.Ledger, server *mariadb.Server, t *tenants.Tenant) error {
	own, err := l.DatabasesOf(ctx, t.Name)
	if err != nil || len(own)+len(t.Databases) == 0 {
		return err
	}
	all, err := l.Databases(ctx)
	if err != nil {
		return err
	}
	found := map[string]bool{}
	for _, name := range slices.Concat(t.Databases, Names(own)) {
		if found[name], err = server.Has(ctx, name); err != nil {
			return err
		}
	}
	if err := FurtherFault(t, all, func(name string) bool { return found[name] }); err != nil {
		return err
	}
	for _, name := range t.Databases {
		d := ledger.Database{Server: t.Server.Name, Name: name, Tenant: t.Name, Made: true}
		if slices.Contains(own, d) {
			if err := server.OwnFurther(ctx, name); err != nil {
				return err
			}
			continue
		}
		if err := l.ClaimDatabase(ctx, d, h.RunID); err != nil {
			return err
		}
		if err := server.MakeFurther(ctx, name); err != nil {
			return err
		}
		if err := l.DatabaseMade(ctx, d); err != nil {
			return err
		}
	}
	for _, d := range own {
		if d.Server == t.Server.Name && !found[d.Name] && !slices.Contains(t.Databases, d.Name) {
			if err := l.ForgetDatabase(ctx, d); err != nil {
				return err
			}
		}
	}
	return nil
}

// Names returns the names of databases.
func Names(list []ledger.Database) []string {
	all := make([]string, len(list))
	for i, d := range list {
		all[i] = d.Name
	}
	return all
}

// knownDatabases returns the databases of all tenants on a server, by the definitions and
// the ledger.
func (h *Host) knownDatabases(ctx context.Context, l *ledger.Ledger, s *tenants.Server) (map[string]bool, error) {
	known := map[string]bool{}
	for _, t := range h.Farm.Tenants {
		if t.Server == s {
			for _, name := range append([]string{t.Database}, t.Databases...) {
				known[name] = true
			}
		}
	}
	rows, err := l.Tenants(ctx)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		known[row.Database] = known[row.Database] || row.Server == s.Name
	}
	further, err := l.Databases(ctx)
	for _, d := range further {
		known[d.Name] = known[d.Name] || d.Server == s.Name
	}
	return known, err
}
