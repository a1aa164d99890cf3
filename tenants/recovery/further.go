package recovery

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"wikictl/tenants"
	"wikictl/tenants/backup"
	"wikictl/tenants/ledger"
	"wikictl/tenants/session"
)

// namesFor returns the names that a backup's further databases get in a tenant: their own if its
// definition has them, otherwise the remaining names of the definition, in order.
func namesFor(t *tenants.Tenant, dumped []string) ([]string, error) {
	free := slices.DeleteFunc(slices.Clone(t.Databases), func(name string) bool { return slices.Contains(dumped, name) })
	names := make([]string, len(dumped))
	for i, name := range dumped {
		switch {
		case slices.Contains(t.Databases, name):
			names[i] = name
		case len(free) > 0:
			names[i], free = free[0], free[1:]
		default:
			return nil, fmt.Errorf("the backup has %s (%s), and its definition names too few: set databases", numbered(len(dumped)), strings.Join(dumped, ", "))
		}
	}
	return names, nil
}

func numbered(n int) string {
	if n == 1 {
		return "1 further database"
	}
	return fmt.Sprintf("%d further databases", n)
}

// mayMakeFurther returns why the further databases of a new tenant can't be made, or nil.
func (k *task) mayMakeFurther(ctx context.Context) error {
	if k.ledger == nil || len(k.tenant.Databases) == 0 {
		return nil
	}
	all, err := k.ledger.Databases(ctx)
	if err != nil {
		return err
	}
	found := map[string]bool{}
	for _, name := range k.tenant.Databases {
		if found[name], err = k.server.Has(ctx, name); err != nil {
			return err
		}
	}
	if err := session.FurtherFault(k.tenant, all, func(name string) bool { return found[name] }); err != nil {
		return &blockedError{err}
	}
	return nil
}

// mayCloneFurther returns why another tenant's further databases can't be cloned, or nil.
func (k *task) mayCloneFurther(ctx context.Context, from *tenants.Tenant, anonymize bool) error {
	if k.ledger == nil {
		return nil
	}
	further, err := session.Further(ctx, k.ledger, from)
	if err != nil || len(further) == 0 {
		return err
	}
	if anonymize {
		return blocked("%s has %s (%s), and wikictl does not know the private data in them: clone it without --anonymize", from.Name, numbered(len(further)), strings.Join(further, ", "))
	}
	if _, err := namesFor(k.tenant, further); err != nil {
		return &blockedError{err}
	}
	return nil
}

// unrestored returns the further databases of a tenant that the backup lacks.
func (r *restoration) unrestored() []string {
	names, _ := namesFor(r.tenant, r.manifest.Further)
	return slices.DeleteFunc(slices.Clone(r.further), func(name string) bool { return slices.Contains(names, name) })
}

// claimFurther ensures that the databases for a dump's further databases are the tenant's, and
// returns their names.
func (r *restoration) claimFurther(ctx context.Context, dump *backup.Dump) ([]string, error) {
	dumped := make([]string, len(dump.More))
	for i, one := range dump.More {
		dumped[i] = one.Dumped
	}
	names, err := namesFor(r.tenant, dumped)
	if err != nil {
		return nil, err
	}
	own, err := r.ledger.DatabasesOf(ctx, r.tenant.Name)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if err := r.server.OwnFurther(ctx, name); err != nil {
			return nil, err
		}
		if slices.ContainsFunc(own, func(d ledger.Database) bool { return d.Name == name }) {
			continue
		}
		switch found, err := r.server.Has(ctx, name); {
		case err != nil:
			return nil, err
		case found:
			return nil, fmt.Errorf("the database %s exists on server %s and wikictl did not make it; remove it or name another in databases", name, r.tenant.Server.Name)
		}
		if err := r.ledger.ClaimDatabase(ctx, r.databaseOf(name), r.RunID); err != nil {
			return nil, err
		}
	}
	return names, nil
}

// furtherMade records that further databases exist.
func (r *restoration) furtherMade(ctx context.Context, names []string) error {
	for _, name := range names {
		if err := r.ledger.DatabaseMade(ctx, r.databaseOf(name)); err != nil {
			return err
		}
	}
	further, err := session.Further(ctx, r.ledger, r.tenant)
	r.further = further
	return err
}

func (r *restoration) databaseOf(name string) ledger.Database {
	return ledger.Database{Server: r.tenant.Server.Name, Name: name, Tenant: r.tenant.Name}
}
