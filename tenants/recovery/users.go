package recovery

import (
	"cmp"
	"context"

	"wikictl/templates/deploy"
	"wikictl/tenants"
)

// sameUsers returns why a backup can't be restored as a tenant, or nil: a wiki can't change the
// accounts that it shares. users is the database with the accounts that the backup's wiki shares,
// or "".
func sameUsers(t *tenants.Tenant, users string) error {
	switch {
	case t.Owner == nil && users == "", t.Owner != nil && t.Owner.Database == users:
		return nil
	case users == "":
		return blocked("the backup is of a wiki with accounts of its own, and the definition gives this one those of %s: take users out of [shared]", t.Owner.Name)
	}
	return blocked("the backup is of a wiki with the accounts in the database %s, and the definition gives this one others: set users in [shared] to the tenant with that database", users)
}

// mayCloneUsers returns why a clone can't share the accounts of its original, or nil.
func (k *task) mayCloneUsers(from *tenants.Tenant, anonymize bool) error {
	if from.Owner != nil && anonymize {
		return blocked("%s has the accounts of %s, and its clone would share them: clone it without --anonymize", from.Name, from.Owner.Name)
	}
	if from.Owner == nil {
		return sameUsers(k.tenant, "")
	}
	return sameUsers(k.tenant, from.Owner.Database)
}

// ownerTakes returns an error that blocks a tenant that does not exist if the owner of its accounts
// can't serve what the backup holds. A snapshot is asked once it is fetched.
func (r *restoration) ownerTakes(ctx context.Context) error {
	if !r.Fresh || r.Phase != beginning || r.tenant.Owner == nil || !deploy.Exists(r.Archive) {
		return nil
	}
	dump, err := r.description()
	if err != nil {
		return err
	}
	if err := r.OwnerTakes(ctx, r.tenant, r.code.Name, cmp.Or(r.manifest.Version, r.code.Version), dump); err != nil {
		return &blockedError{err}
	}
	return nil
}
