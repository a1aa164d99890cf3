package provision

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"wikictl/php"
	"wikictl/tenants"
	"wikictl/tenants/mariadb"
)

// makeDatabase takes a tenant up to a whole database that nobody serves yet.
func (c *creation) makeDatabase(ctx context.Context, t *tenants.Tenant) (struct{}, error) {
	c.o.Observer.Started(t.Name)
	none := struct{}{}
	server, err := c.Server(ctx, t.Server)
	if err != nil {
		return none, err
	}
	if err := c.step(t, "lock", func() error { return c.Locks(t.Server).Acquire(ctx, t.Database) }); err != nil {
		return none, err
	}
	secrets, err := c.secrets(t)
	if err != nil {
		return none, err
	}
	if row := c.rows[t.Name]; row.State == mariadb.Made || row.State == mariadb.Ready {
		return none, nil
	}
	golden, err := c.goldens.of(t)
	if err != nil {
		return none, err
	}
	seed, err := newSeed(t, secrets)
	if err != nil {
		return none, err
	}
	steps := []struct {
		name string
		do   func() error
	}{
		{"claim", func() error { return c.claim(ctx, server, t) }},
		{"database", func() error { return server.EnsureDatabase(ctx, t.Database) }},
		{"accounts", func() error { return server.EnsureAccounts(ctx, accountsOf(t, secrets)) }},
		{"schema", func() error { return server.Load(ctx, t.Database, golden) }},
		{"seed", func() error { return server.Seed(ctx, seed) }},
		{"verify", func() error { return server.Seeded(ctx, seed) }},
		{"ledger", func() error { return c.ledger.PutTenant(ctx, c.row(t, mariadb.Made)) }},
	}
	for _, s := range steps {
		if err := c.step(t, s.name, s.do); err != nil {
			return none, err
		}
	}
	return none, nil
}

// claim notes in the ledger that the tenant's database is wikictl's to make,
// after making sure that nobody else's is there. When an earlier run was killed
// it ends what that run may have left working on the server.
func (c *creation) claim(ctx context.Context, s *mariadb.Server, t *tenants.Tenant) error {
	if c.rows[t.Name].State == mariadb.Creating {
		return s.Settle(ctx, t.Database, t.SchemaAccount())
	}
	if c.found[t.Server.Name].Databases[t.Database] {
		tables, err := s.Tables(ctx, t.Database)
		if err != nil {
			return err
		}
		if len(tables) > 0 {
			return fmt.Errorf("the database %s is on server %s already, with %d tables that wikictl did not make; remove it or set another database", t.Database, t.Server.Name, len(tables))
		}
	}
	return c.ledger.PutTenant(ctx, c.row(t, mariadb.Creating))
}

func (c *creation) row(t *tenants.Tenant, state mariadb.State) mariadb.TenantRow {
	return mariadb.TenantRow{
		Name: t.Name, Server: t.Server.Name, Database: t.Database,
		Codebase: t.Codebase.Name, Version: t.Codebase.Version, ComponentSet: t.ComponentSet(t.Codebase),
		State: state, Run: c.RunID,
	}
}

func accountsOf(t *tenants.Tenant, s tenants.Secrets) mariadb.Accounts {
	return mariadb.Accounts{
		Database: t.Database, Host: t.Server.AccountHost,
		Web:    mariadb.Account{Name: t.WebAccount(), Password: s.WebPassword},
		Schema: mariadb.Account{Name: t.SchemaAccount(), Password: s.SchemaPassword},
	}
}

// newSeed is what a tenant's database has of its own.
func newSeed(t *tenants.Tenant, s tenants.Secrets) (mariadb.Seed, error) {
	hash, err := hashPassword(s.AdminPassword)
	return mariadb.Seed{
		Database: t.Database, Admin: t.Admin, Hash: hash, Token: randomHex(32).Reveal(),
		Random: randomFraction(), Now: time.Now(),
	}, err
}

// randomFraction is from 0 up to but not 1, as MediaWiki's wfRandom.
func randomFraction() float64 {
	var b [8]byte
	rand.Read(b[:])
	return float64(binary.LittleEndian.Uint64(b[:])>>11) / math.Exp2(53)
}

// reloadLimit is how long a web server may take to serve what it was told to
// reload: nginx and Apache answer the reload before their new workers do.
const reloadLimit = 15 * time.Second

// probe asks the tenant through the web server who it is.
func (c *creation) probe(ctx context.Context, t *tenants.Tenant) (struct{}, error) {
	return struct{}{}, c.step(t, "probe", func() error {
		deadline := time.Now().Add(reloadLimit)
		for {
			err := c.identify(ctx, t)
			if err == nil || ctx.Err() != nil || time.Now().After(deadline) {
				return err
			}
			time.Sleep(50 * time.Millisecond)
		}
	})
}

// identify compares what answers for the tenant's host with the definitions.
func (c *creation) identify(ctx context.Context, t *tenants.Tenant) error {
	info, err := php.Probe(ctx, c.Farm.Web.Probe, t.Hosts[0])
	if err != nil {
		return err
	}
	for _, v := range []struct{ what, got, want string }{
		{"database", info.DBName, t.Database},
		{"version", info.Version, t.Codebase.Version},
		{"sitename", info.Sitename, t.Sitename},
		{"language", info.Lang, t.Language},
	} {
		if v.got != v.want {
			return fmt.Errorf("%s answers with %s %q, want %q", t.Hosts[0], v.what, v.got, v.want)
		}
	}
	return nil
}
