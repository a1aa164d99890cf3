package session

import (
	"context"
	"fmt"
	"slices"

	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/ledger"
)

// usersFaults returns the problems of tenants that were made with other accounts than those of
// their definitions, by name: a user's id belongs to another user in another wiki. It ignores
// servers that can't be read.
func (h *Host) usersFaults(ctx context.Context, list []*tenants.Tenant) map[string]tenants.Problem {
	found := map[string]tenants.Problem{}
	for _, def := range tenants.ServersOf(slices.DeleteFunc(slices.Clone(list), func(t *tenants.Tenant) bool { return t.Server == nil })) {
		s, err := h.Server(ctx, def)
		if err != nil {
			continue
		}
		sharers, err := s.Sharers(ctx, "")
		if err != nil {
			continue
		}
		sharing := map[string]bool{}
		for _, one := range sharers {
			sharing[one.Account] = sharing[one.Account] || one.Writes
		}
		for _, t := range list {
			shares := t.Owner != nil || sharing[t.WebAccount()]
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
		p.Message = "it was created with accounts of its own, whose ids belong to other users in " + t.Owner.Name
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

// OwnerBusy returns why a tenant's rights on the tables of shared accounts must not be changed
// now, or "": their owner is being upgraded or restored, or that was interrupted.
func OwnerBusy(t *tenants.Tenant, owner ledger.Tenant, open ledger.Upgrade) string {
	switch {
	case t.Owner == nil:
	case open.Run != "":
		return fmt.Sprintf("%s, the owner of its accounts, is being upgraded by run %s, or that was interrupted; wikictl upgrade %[1]s finishes it", t.Owner.Name, open.Run)
	case owner.State == ledger.Recovering:
		return fmt.Sprintf("%s, the owner of its accounts, is being restored by run %s, or that was interrupted; %s finishes it", t.Owner.Name, owner.Run, owner.Completion(ledger.Copying{}))
	}
	return ""
}

// ownerIdle returns the reason of OwnerBusy as an error, by the ledger as it is now.
func ownerIdle(ctx context.Context, l *ledger.Ledger, t *tenants.Tenant) error {
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
