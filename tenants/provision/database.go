package provision

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"strings"
	"time"

	"wikictl/migrations/farmsql"
	"wikictl/tenants"
	"wikictl/tenants/ledger"
	"wikictl/tenants/mariadb"
	"wikictl/tenants/mediawiki"
	"wikictl/tenants/secrets"
	"wikictl/tenants/session"
)

// makeDatabase creates the complete database of a tenant, whose lock is held and which is
// not served yet.
func (c *creation) makeDatabase(ctx context.Context, j *job) (err error) {
	t := j.tenant
	if j.row, err = c.recheck(ctx, t); err != nil {
		return err
	}
	server, err := c.Server(ctx, t.Server)
	if err != nil {
		return err
	}
	secrets, err := c.secrets(t)
	if err != nil {
		return err
	}
	if j.row.State == ledger.Made || j.row.State == ledger.Ready {
		return nil
	}
	golden, err := c.goldens.of(t)
	if err != nil {
		return err
	}
	seed, err := newSeed(t, secrets, golden)
	if err != nil {
		return err
	}
	files, applied := c.sql.Of(t)
	steps := []struct {
		name string
		do   func() error
	}{
		{"claim", func() error { return c.claim(ctx, server, j, golden) }},
		{"database", func() error { return server.EnsureDatabase(ctx, t.Database) }},
		{"accounts", func() error { return server.EnsureAccounts(ctx, session.Accounts(t, secrets)) }},
		{"schema", func() error { return server.Load(ctx, t.Database, golden) }},
		{"seed", func() error { return server.Seed(ctx, seed) }},
		{"verify", func() error { return server.Seeded(ctx, seed) }},
		{"farm sql", func() error { return migrate(ctx, server, t.Database, files, len(applied)) }},
		{"ledger", func() error {
			return c.ledger.AdvanceWith(ctx, c.row(t, ledger.Creating), c.row(t, ledger.Made), applied)
		}},
	}
	for _, s := range steps {
		if err := c.held(ctx, t, s.name, s.do); err != nil {
			return err
		}
	}
	return nil
}

// migrate applies the farm's own SQL to a new database. After a kill the next run makes the
// database anew, so that no file is left half applied.
func migrate(ctx context.Context, s *mariadb.Server, database string, files fs.FS, n int) error {
	if n == 0 {
		return nil
	}
	_, err := s.Migrate(ctx, database, files)
	return err
}

// claim records in the ledger that wikictl makes the tenant's database, after checking
// that no other program has one of that name.
func (c *creation) claim(ctx context.Context, s *mariadb.Server, j *job, golden *mariadb.Golden) error {
	t := j.tenant
	if j.row.State == ledger.Creating {
		return c.discardHalf(ctx, s, j, golden)
	}
	tables, err := s.Relations(ctx, t.Database)
	if err != nil {
		return err
	}
	if len(tables) > 0 {
		return fmt.Errorf("the database %s exists on server %s with %d tables that wikictl did not make; remove it or set another database", t.Database, t.Server.Name, len(tables))
	}
	return c.ledger.Claim(ctx, c.row(t, ledger.Creating))
}

// discardHalf drops the database that a killed run began, perhaps from another golden, so
// that it is made again. It never drops a database with more than a new wiki's rows,
// whatever the ledger says.
func (c *creation) discardHalf(ctx context.Context, s *mariadb.Server, j *job, golden *mariadb.Golden) error {
	t := j.tenant
	if err := s.StopWork(ctx, t.Database, t.SchemaAccount()); err != nil {
		return err
	}
	used, err := s.Used(ctx, t.Database, golden.Counts)
	if err != nil {
		return err
	}
	if len(used) > 0 {
		return fmt.Errorf("the ledger says that run %s began to make the database %s, but it is in use (%s); nothing was changed: set another database, or drop this one yourself if it is unused",
			j.row.Run, t.Database, strings.Join(used, ", "))
	}
	if err := c.ledger.Advance(ctx, j.row, c.row(t, ledger.Creating)); err != nil {
		return err
	}
	tables, err := s.Tables(ctx, t.Database)
	if err != nil || len(tables) == 0 {
		return err
	}
	return s.DropOwnDatabase(ctx, c.AccountsOf(t))
}

func (c *creation) row(t *tenants.Tenant, state ledger.State) ledger.Tenant {
	return ledger.Tenant{
		Name: t.Name, Server: t.Server.Name, Database: t.Database,
		Codebase: t.Codebase.Name, Version: t.Codebase.Version, ComponentSet: t.ComponentSet(t.Codebase),
		State: state, Run: c.RunID,
	}
}

// newSeed returns the values that make a tenant's database differ from its golden.
func newSeed(t *tenants.Tenant, s secrets.Secrets, golden *mariadb.Golden) (mariadb.Seed, error) {
	hash, err := mediawiki.HashPassword(s.AdminPassword)
	return mariadb.Seed{
		Database: t.Database, Counts: golden.Counts, Admin: t.Admin, Hash: hash, Token: secrets.RandomHex(32).Reveal(),
		Random: randomFraction(), Now: time.Now(),
	}, err
}

// randomFraction returns a number from 0 to below 1, like MediaWiki's wfRandom.
func randomFraction() float64 {
	var b [8]byte
	rand.Read(b[:])
	return float64(binary.LittleEndian.Uint64(b[:])>>11) / math.Exp2(53)
}

// readSQL reads the farm's own SQL. Files that can't be read block the tenants to make.
func (c *creation) readSQL(list []*tenants.Tenant) {
	var err error
	if c.sql, err = farmsql.Read(c.Farm.Migrations); err == nil {
		return
	}
	var problems tenants.Problems
	if !errors.As(err, &problems) {
		problems = tenants.Problems{{Position: tenants.Position{File: filepath.Base(c.Farm.Migrations)}, Message: err.Error()}}
	}
	for _, t := range list {
		if c.rows[t.Name].State != ledger.Ready && t.Server != nil {
			c.obstacles[t.Name] = append(c.obstacles[t.Name], problems...)
		}
	}
}
