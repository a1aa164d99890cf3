package provision

import (
	"context"
	"fmt"
	"path/filepath"

	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/backup"
)

// mayReturn returns why a removed tenant can't be brought back, or nil.
func (c *creation) mayReturn(ctx context.Context, t *tenants.Tenant, r *Removed) error {
	switch {
	case r.Database == "":
		return fmt.Errorf("the removal had only files; %s describes how to move them back", filepath.Join(r.dir, manifestFile))
	case !r.returns():
		return fmt.Errorf("it was unfinished when run %s removed it, so there is nothing to bring back: wikictl create %s makes a new one", r.Run, t.Name)
	case !deploy.Exists(filepath.Join(r.dir, "secrets.toml")):
		return fmt.Errorf("its secrets are no longer in %s, because it was brought back since: undelete --run selects another removal", r.dir)
	case r.Database != t.Database:
		return fmt.Errorf("its database was %s, but its definition has %s: set the former", r.Database, t.Database)
	}
	for _, path := range []string{c.Layout.Wiki(t.Name), c.Layout.Secrets(t.Name)} {
		if deploy.Exists(path) {
			return fmt.Errorf("%s exists already; move it away first", path)
		}
	}
	dump, err := backup.Find(filepath.Join(r.dir, dumpBase))
	if err != nil {
		return err
	}
	if t.Owner == nil || !c.coming[t.Owner.Name] {
		if err := c.OwnerTakes(ctx, t, r.Codebase, r.Version, dump); err != nil {
			return err
		}
	}
	server, err := c.Server(ctx, t.Server)
	if err != nil {
		return err
	}
	switch found, err := server.Holds(ctx, c.AccountsOf(t)); {
	case err != nil:
		return err
	case found.Database:
		return fmt.Errorf("the database %s exists on server %s and wikictl did not make it; remove or rename it first", t.Database, t.Server.Name)
	case len(found.Foreign) > 0:
		return fmt.Errorf("the account %s exists on server %s and wikictl did not make it; remove it first", found.Foreign[0].Name(), t.Server.Name)
	}
	for _, d := range r.dumped() {
		switch found, err := server.Has(ctx, d); {
		case err != nil:
			return err
		case found:
			return fmt.Errorf("its database %s exists on server %s and wikictl did not make it; remove or rename it first", d, t.Server.Name)
		}
	}
	return c.furtherFault(t) // of those that its definition has since
}
