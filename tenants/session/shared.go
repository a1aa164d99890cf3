package session

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/backup"
	"wikictl/tenants/ledger"
)

// usersFaults returns the problems of tenants that were made with other accounts than their
// definitions give them, by name: the ids of one wiki's users mean others in another. What of a
// server can't be read is no problem here.
func (h *Host) usersFaults(ctx context.Context, list []*tenants.Tenant) map[string]tenants.Problem {
	found := map[string]tenants.Problem{}
	for _, def := range tenants.ServersOf(slices.DeleteFunc(slices.Clone(list), func(t *tenants.Tenant) bool { return t.Server == nil })) {
		s, err := h.Server(ctx, def)
		if err != nil {
			continue
		}
		sharing, err := s.Sharing(ctx)
		if err != nil {
			continue
		}
		for _, t := range list {
			shares := t.Owner != nil || slices.Contains(sharing, t.WebAccount())
			if t.Server != def || t.Codebase == nil || !shares || !deploy.Exists(h.Layout.Current(t.Name)) { // it has no definition, or is half made
				continue
			}
			made, err := s.UsersOf(ctx, t.Database)
			if err != nil {
				continue
			}
			if problem := usersFault(t, made, h.Farm); problem.Message != "" {
				found[t.Name] = problem
			}
		}
	}
	return found
}

// usersFault compares the database whose accounts a wiki was made with, empty for its own,
// with its definition.
func usersFault(t *tenants.Tenant, made string, f *tenants.Farm) tenants.Problem {
	want := ""
	if t.Owner != nil {
		want = t.Owner.Database
	}
	p := tenants.Problem{Position: t.Position, Key: "shared.users"}
	if at, set := t.Origins["shared.users"]; set {
		p.Position = at
	}
	switch {
	case made == want:
	case made == "":
		p.Message = "it was created with accounts of its own, whose numbers mean others in " + t.Owner.Name
		p.Hint = "take users out of [shared]; only a new wiki can have the accounts of another"
	default:
		p.Message = fmt.Sprintf("it was created with the accounts in the database %s", made)
		for _, other := range f.Tenants {
			if other.Server == t.Server && other.Database == made {
				p.Hint = fmt.Sprintf("set users = %q in [shared]", other.Name)
			}
		}
	}
	return p
}

// OwnerBusy says why the rights of a tenant in the tables of accounts that it shares are not
// changed now: their owner is being upgraded or restored, or that was interrupted. Empty: they
// may be.
func OwnerBusy(t *tenants.Tenant, owner ledger.Tenant, open ledger.Upgrade) string {
	switch {
	case t.Owner == nil:
	case open.Run != "":
		return fmt.Sprintf("%s, whose accounts it has, is being upgraded by run %s, or that was interrupted; wikictl upgrade %[1]s finishes it", t.Owner.Name, open.Run)
	case owner.State == ledger.Recovering:
		return fmt.Sprintf("%s, whose accounts it has, is being restored by run %s, or that was interrupted; %s finishes it", t.Owner.Name, owner.Run, owner.Completion(t.Owner.StageOf))
	}
	return ""
}

// ownerBusy is OwnerBusy by the ledger as it is now.
func ownerBusy(ctx context.Context, l *ledger.Ledger, t *tenants.Tenant) error {
	if t.Owner == nil {
		return nil
	}
	row, _, err := l.Tenant(ctx, t.Owner.Name)
	if err != nil {
		return err
	}
	open, _, err := l.OpenUpgrade(ctx, t.Owner.Name)
	if err != nil {
		return err
	}
	if why := OwnerBusy(t, row, open); why != "" {
		return fmt.Errorf("%s", why)
	}
	return nil
}

// RowsOf returns the number of rows that a dump has of a table.
func RowsOf(b *backup.Dump) func(table string) int64 {
	return func(table string) int64 { return b.Tables[table].Rows }
}

// MembersLose returns an error if a tenant's accounts are those of others, too, and the dump
// to restore is of before some were made: pages and logs of the others would name accounts
// that are gone. rows are the dump's by table. A database that is damaged loses nothing.
func (h *Host) MembersLose(ctx context.Context, t *tenants.Tenant, rows func(table string) int64) error {
	if len(t.Members) == 0 {
		return nil
	}
	s, err := h.Server(ctx, t.Server)
	if err != nil {
		return err
	}
	for _, table := range []string{"user", "actor"} {
		now, err := s.CountRows(ctx, t.Database, table)
		if err != nil {
			return nil
		}
		if n := now - rows(table); n > 0 {
			what := "accounts"
			if table == "actor" {
				what = "authors, with or without accounts,"
			}
			return fmt.Errorf("%d %s were added since, and its accounts are those of %s, too, whose pages and logs may name them: it can't be put back alone", n, what, strings.Join(tenants.NamesOf(t.Members), ", "))
		}
	}
	return nil
}
