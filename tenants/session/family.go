package session

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"wikictl/tenants"
	"wikictl/tenants/backup"
	"wikictl/tenants/ledger"
	"wikictl/tenants/mariadb"
	"wikictl/tenants/mediawiki"
	"wikictl/tenants/secrets"
)

// MembersOf lists the tenants that share the accounts of a tenant, sorted by name: those that
// are defined so, and those of the ledger whose accounts may write the owner's authors. The
// latter include wikis whose definition was removed or changed, as they still name authors. A
// tenant without a definition has only its name, server and database.
func (h *Host) MembersOf(ctx context.Context, owner *tenants.Tenant) ([]*tenants.Tenant, error) {
	s, err := h.Server(ctx, owner.Server)
	if err != nil {
		return nil, err
	}
	sharers, err := s.Sharers(ctx, owner.Database)
	if err != nil || len(sharers) == 0 {
		return owner.Members, err
	}
	_, rows, err := h.ReadLedger(ctx)
	if err != nil {
		return nil, err
	}
	return h.united(ctx, s, owner, sharers, rows)
}

// Families is MembersOf for each tenant of a list, by name; unknown has the errors of the others.
// rows are the ledger's tenants.
func (h *Host) Families(ctx context.Context, list []*tenants.Tenant, rows map[string]ledger.Tenant) (members map[string][]*tenants.Tenant, unknown map[string]error) {
	members, unknown = map[string][]*tenants.Tenant{}, map[string]error{}
	for _, def := range tenants.ServersOf(list) {
		sharers, err := h.sharersOf(ctx, def)
		for _, t := range list {
			if t.Server != def {
				continue
			}
			members[t.Name], unknown[t.Name] = t.Members, err
			if all := sharers[t.Database]; len(all) > 0 {
				s, err := h.Server(ctx, def)
				if err == nil {
					members[t.Name], err = h.united(ctx, s, t, all, rows)
				}
				unknown[t.Name] = err
			}
		}
	}
	return members, unknown
}

// sharersOf returns the accounts with rights on the authors of other wikis on a server, by the
// other wiki's database.
func (h *Host) sharersOf(ctx context.Context, def *tenants.Server) (map[string][]mariadb.Sharer, error) {
	s, err := h.Server(ctx, def)
	if err != nil {
		return nil, err
	}
	all, err := s.Sharers(ctx, "")
	found := map[string][]mariadb.Sharer{}
	for _, one := range all {
		found[one.Database] = append(found[one.Database], one)
	}
	return found, err
}

// united returns the defined members of an owner, and those that only the ledger and the server
// know. sharers are the accounts with rights on its authors. While the owner is read-only no
// sharer may write, so the members' own databases tell whose accounts they share.
func (h *Host) united(ctx context.Context, s *mariadb.Server, owner *tenants.Tenant, sharers []mariadb.Sharer, rows map[string]ledger.Tenant) ([]*tenants.Tenant, error) {
	members, writes := slices.Clone(owner.Members), map[string]bool{}
	for _, one := range sharers {
		writes[one.Account] = writes[one.Account] || one.Writes
	}
	defined := tenants.NamesOf(owner.Members)
	for _, row := range rows {
		may, shares := writes[tenants.AccountName(row.Database, "")]
		if !shares || row.Server != owner.Server.Name || row.Database == owner.Database || slices.Contains(defined, row.Name) {
			continue
		}
		if t := h.Farm.Tenant(row.Name); !may && t != nil && t.Media == owner { // it reads authors of files
			continue
		}
		if !may {
			made, err := s.UsersOf(ctx, row.Database)
			if err != nil {
				return nil, fmt.Errorf("find the owner of the accounts of %s: %w", row.Name, err)
			}
			may = made == owner.Database
		}
		if may {
			members = append(members, &tenants.Tenant{Name: row.Name, Server: owner.Server, Database: row.Database})
		}
	}
	slices.SortFunc(members, func(a, b *tenants.Tenant) int { return cmp.Compare(a.Name, b.Name) })
	return members, nil
}

// FamilyAccounts is Accounts, with the database accounts of all members as Sharers: freezing the
// tenant stops their writes, too.
func (h *Host) FamilyAccounts(ctx context.Context, t *tenants.Tenant, s secrets.Secrets, further ...string) (mariadb.Accounts, error) {
	a := Accounts(t, s, further...)
	members, err := h.MembersOf(ctx, t)
	for _, m := range members {
		a.Sharers = append(a.Sharers, m.WebAccount())
	}
	return a, err
}

// VersionsOf returns the recorded MediaWiki version of each tenant, by name. rows are the
// ledger's tenants.
func VersionsOf(rows map[string]ledger.Tenant) map[string]string {
	versions := make(map[string]string, len(rows))
	for name, row := range rows {
		versions[name] = row.Version
	}
	return versions
}

// OwnerServes returns an error if a member can't be restored from a dump of it, of a MediaWiki
// version: the owner's tables are older, or lack an author that the dump's rows name. versions
// are the recorded versions of all tenants, by name.
func (h *Host) OwnerServes(ctx context.Context, t *tenants.Tenant, versions map[string]string, version string, dump *backup.Dump) error {
	if t.Owner == nil {
		return nil
	}
	if mediawiki.NewerSchema(version, versions[t.Owner.Name]) {
		return fmt.Errorf("%s, the owner of its accounts, is on MediaWiki %s and comes first", t.Owner.Name, versions[t.Owner.Name])
	}
	s, err := h.Server(ctx, t.Server)
	if err != nil {
		return err
	}
	has, err := s.HasAuthor(ctx, t.Owner.Database, dump.Author)
	if err != nil || has {
		return err
	}
	return tenants.WithHint(fmt.Errorf("its pages and logs name authors that %s, the owner of its accounts, lost since when it was put back or restored", t.Owner.Name), "bring the content of "+t.Owner.Name+" back first: wikictl rollback --to RUN, or wikictl restore")
}

// OwnerTakes is OwnerServes for a tenant that does not exist and is to be made of a dump, on a
// codebase of that name. Its owner must exist, no other run may be changing it, and the code must
// work on its accounts.
func (h *Host) OwnerTakes(ctx context.Context, t *tenants.Tenant, codebase, version string, dump *backup.Dump) error {
	if t.Owner == nil {
		return nil
	}
	l, err := h.Ledger(ctx)
	if err != nil {
		return err
	}
	if err := ownerIdle(ctx, l, t); err != nil {
		return err
	}
	rows, err := l.Tenants(ctx)
	if err != nil {
		return err
	}
	owner, exists := rows[t.Owner.Name]
	code, made := h.Farm.Codebases[codebase], h.Farm.Codebases[owner.Codebase]
	switch {
	case !exists:
		return tenants.WithHint(fmt.Errorf("%s, the owner of its accounts, does not exist", t.Owner.Name), "wikictl undelete "+t.Owner.Name+" comes first")
	case code == nil || made == nil || len(code.Faults)+len(made.Faults) > 0:
	default:
		if why := mediawiki.SharingFault(code, made, tenants.SharedTables(t)); why != "" {
			return fmt.Errorf("its code, %s, would not work on the accounts of %s as they are now: %s", codebase, t.Owner.Name, why)
		}
	}
	return h.OwnerServes(ctx, t, VersionsOf(rows), version, dump)
}

// MembersNewer lists the members whose recorded MediaWiki has a newer schema than version.
func MembersNewer(members []*tenants.Tenant, versions map[string]string, version string) (names []string) {
	for _, m := range members {
		if mediawiki.NewerSchema(versions[m.Name], version) {
			names = append(names, m.Name)
		}
	}
	return names
}

// MembersLose returns an error if a tenant has members and the dump to restore lacks some of its
// accounts: pages and logs of the members may name these accounts.
func (h *Host) MembersLose(ctx context.Context, t *tenants.Tenant, members []*tenants.Tenant, dump *backup.Dump) error {
	if len(members) == 0 {
		return nil
	}
	s, err := h.Server(ctx, t.Server)
	if err != nil {
		return err
	}
	for _, table := range []string{"user", "actor"} {
		n, err := s.Added(ctx, t.Database, table, dump)
		if err != nil {
			return err
		}
		what := "accounts"
		if table == "actor" {
			what = "authors, with or without accounts,"
		}
		if n > 0 {
			return fmt.Errorf("%d %s were added since, and its accounts are those of %s, too, whose pages and logs may name them: it can't be put back alone", n, what, strings.Join(tenants.NamesOf(members), ", "))
		}
	}
	return nil
}
