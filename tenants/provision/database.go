package provision

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"wikictl/tenants"
	"wikictl/tenants/host"
	"wikictl/tenants/mariadb"
)

// makeDatabase takes a tenant, whose lock is held, up to a whole database that
// nobody serves yet.
func (c *creation) makeDatabase(ctx context.Context, t *tenants.Tenant) error {
	server, err := c.Server(ctx, t.Server)
	if err != nil {
		return err
	}
	secrets, err := c.secrets(t)
	if err != nil {
		return err
	}
	if row := c.rows[t.Name]; row.State == mariadb.Made || row.State == mariadb.Ready {
		return nil
	}
	golden, err := c.goldens.of(t)
	if err != nil {
		return err
	}
	seed, err := newSeed(t, secrets)
	if err != nil {
		return err
	}
	steps := []struct {
		name string
		do   func() error
	}{
		{"claim", func() error { return c.claim(ctx, server, t) }},
		{"database", func() error { return server.EnsureDatabase(ctx, t.Database) }},
		{"accounts", func() error { return server.EnsureAccounts(ctx, host.Accounts(t, secrets)) }},
		{"schema", func() error { return server.Load(ctx, t.Database, golden) }},
		{"seed", func() error { return server.Seed(ctx, seed) }},
		{"verify", func() error { return server.Seeded(ctx, seed) }},
		{"ledger", func() error { return c.ledger.PutTenant(ctx, c.row(t, mariadb.Made)) }},
	}
	for _, s := range steps {
		if err := c.step(t, s.name, s.do); err != nil {
			return err
		}
	}
	return nil
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
