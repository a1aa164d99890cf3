package upgrade

import (
	"context"
	"fmt"
	"slices"

	"wikictl/tenants/backup"
	"wikictl/tenants/ledger"
	"wikictl/tenants/mariadb"
	"wikictl/tenants/session"
)

// readFurther reads the names of the tenant's further databases, and who has its accounts.
func (k *task) readFurther(ctx context.Context) (err error) {
	if k.further, err = session.Further(ctx, k.up.ledger, k.tenant); err != nil {
		return err
	}
	k.accounts, err = k.up.FamilyAccounts(ctx, k.tenant, k.secrets, k.further...)
	return err
}

// ensureFurther makes the further databases that were added to a tenant's definition, and
// grants its accounts their rights. Apply leaves that to the upgrade, because new code
// may need both.
func (k *task) ensureFurther(ctx context.Context) error {
	if err := k.up.EnsureFurther(ctx, k.up.ledger, k.tenant, k.secrets); err != nil {
		return err
	}
	return k.readFurther(ctx)
}

// ownDumped checks that the further databases of a dump belong to the tenant. It records a
// database that was dropped since, together with its row in the ledger, as the tenant's again.
func (k *task) ownDumped(ctx context.Context, b *backup.Dump) error {
	for _, one := range b.More {
		if slices.Contains(k.further, one.Database) {
			continue
		}
		found, err := k.server.Has(ctx, one.Database)
		if err != nil {
			return err
		}
		if found {
			return fmt.Errorf("the dump %s would restore the database %s, but a database of that name exists that does not belong to the wiki; remove or rename it first", b.File, one.Database)
		}
		d := ledger.Database{Server: k.tenant.Server.Name, Name: one.Database, Tenant: k.tenant.Name}
		if err := k.up.ledger.ClaimDatabase(ctx, d, k.up.RunID); err != nil {
			return err
		}
		if err := k.up.ledger.DatabaseMade(ctx, d); err != nil {
			return err
		}
	}
	return k.readFurther(ctx)
}

// checkFurther checks whether the further databases of a tenant can be made, dumped and
// restored, and adds up their size.
func (j *Planned) checkFurther(ctx context.Context, s *mariadb.Server, all []ledger.Database, facts map[string]mariadb.Facts) error {
	found := map[string]bool{}
	for _, name := range j.tenant.Databases {
		var err error
		if found[name], err = s.Has(ctx, name); err != nil {
			return err
		}
	}
	if err := session.FurtherFault(j.tenant, all, func(name string) bool { return found[name] }); err != nil {
		j.Problems = append(j.Problems, err.Error())
		return nil
	}
	for _, d := range all {
		if d.Tenant == j.Name && d.Made && d.Server == j.tenant.Server.Name {
			j.further = append(j.further, d.Name)
			j.Bytes += facts[d.Name].Bytes
		}
	}
	for _, name := range j.tenant.Databases {
		if !slices.Contains(j.further, name) {
			j.Remarks = append(j.Remarks, "the database "+name+" will be made for it")
		}
	}
	return nil
}

// reachesOut reports whether a tenant's accounts have rights on more than its own
// database.
func (j *Planned) reachesOut() bool {
	return len(j.tenant.Databases)+len(j.tenant.AllGrants())+len(j.further) > 0
}
