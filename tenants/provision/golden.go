package provision

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"wikictl/php"
	"wikictl/templates"
	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/disk"
	"wikictl/tenants/fleet"
	"wikictl/tenants/ledger"
	"wikictl/tenants/mariadb"
	"wikictl/tenants/mediawiki"
	"wikictl/tenants/plan"
	"wikictl/tenants/secrets"
	"wikictl/tenants/session"
)

// schemaSettings lists the settings that change the rows that update.php writes into a
// new database.
var schemaSettings = []string{"wgCategoryCollation"}

// goldenKey identifies a tenant's golden by its code, its language (that of the main
// page) and schemaSettings: 16 hexadecimal digits.
func goldenKey(t *tenants.Tenant) string {
	h := sha256.New()
	fmt.Fprintf(h, "2\n%s\n%s\n", t.ComponentSet(t.Codebase), t.Language)
	for _, name := range schemaSettings {
		fmt.Fprintf(h, "%v\n", t.Settings[name].Data)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// goldens are the goldens of one run, by key.
type goldens map[string]fleet.Result[*tenants.Tenant, *mariadb.Golden]

func (g goldens) of(t *tenants.Tenant) (*mariadb.Golden, error) {
	r := g[goldenKey(t)]
	if r.Value == nil && r.Err == nil { // it was not needed when the run began
		return nil, ledger.ErrStale
	}
	return r.Value, r.Err
}

// ensureGoldens makes or reads all goldens for new tenants. A golden that can't be made
// fails its own tenants only.
func (c *creation) ensureGoldens(ctx context.Context, jobs []*job) goldens {
	var examples []*tenants.Tenant
	seen := map[string]bool{}
	for _, j := range jobs {
		t, state := j.tenant, c.rows[j.tenant.Name].State
		if j.kind != plan.Make || c.unsound[t.Name] != nil || (state != "" && state != ledger.Creating) {
			continue
		}
		if key := goldenKey(t); !seen[key] {
			seen[key] = true
			examples = append(examples, t)
		}
	}
	g := goldens{}
	options := fleet.Options[*tenants.Tenant]{Jobs: c.o.Jobs, MaxFailures: fleet.NoLimit, Drain: c.o.Drain}
	for _, r := range fleet.Run(ctx, examples, options, c.ensureGolden) {
		g[goldenKey(r.Item)] = r
	}
	return g
}

// ensureGolden reads a golden from disk, or makes it. Concurrent runs make it once.
func (c *creation) ensureGolden(ctx context.Context, t *tenants.Tenant) (*mariadb.Golden, error) {
	key := goldenKey(t)
	file := filepath.Join(c.Layout.Goldens(), key+".zst")
	if err := c.lockGolden(ctx, t, "golden "+key); err != nil {
		return nil, err
	}
	defer c.Locks(t.Server).Release(ctx, "golden "+key)
	if data, err := disk.Read(file); err == nil {
		if g, err := mariadb.DecodeGolden(data); err == nil {
			return g, c.sweep(ctx, c.goldenTenant(t, key))
		}
	}
	c.o.Observer.Step(t.Name, "golden")
	var g *mariadb.Golden
	err := c.run.Shared(t.Name, "golden", func() (err error) {
		g, err = c.makeGolden(ctx, t, key)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("make the golden database of MediaWiki %s in %s: %w", t.Codebase.Version, t.Language, err)
	}
	data, err := g.Encode()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, err
	}
	return g, deploy.WriteFile(file, data, 0o600, -1)
}

// lockGolden takes the lock of a golden. If another run holds it, it reports that once
// and waits.
func (c *creation) lockGolden(ctx context.Context, t *tenants.Tenant, name string) error {
	return c.Await(ctx, t.Server, name, c.o.Drain, func(holder string) string {
		return fmt.Sprintf("%s: waiting for another run (%s) that is making the golden database of MediaWiki %s in %s", t.Name, holder, t.Codebase.Version, t.Language)
	})
}

// goldenTenant returns the tenant that exists only while its golden is made.
func (c *creation) goldenTenant(t *tenants.Tenant, key string) *tenants.Tenant {
	g := *t
	g.Name, g.Database = tenants.GoldenPrefix+key, mariadb.GoldenDatabase(c.FarmID(), key)
	g.Hosts, g.Sitename, g.Admin = []string{"golden.invalid"}, "Golden", "Wikictl"
	g.Owner, g.Members, g.Media, g.Viewers, g.Grants = nil, nil, nil, nil, nil
	g.Pool.User = "" // tenants of other users are cloned from it, too
	g.Settings = map[string]tenants.Value{}
	for _, name := range schemaSettings {
		if v, ok := t.Settings[name]; ok {
			g.Settings[name] = v
		}
	}
	return &g
}

// makeGolden runs MediaWiki's own installer and updater on a separate database, reads it,
// and drops it.
func (c *creation) makeGolden(ctx context.Context, t *tenants.Tenant, key string) (golden *mariadb.Golden, err error) {
	g := c.goldenTenant(t, key)
	server, err := c.Server(ctx, g.Server)
	if err != nil {
		return nil, err
	}
	if err := c.sweep(ctx, g); err != nil {
		return nil, err
	}
	defer func() {
		after, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		err = errors.Join(err, c.sweep(after, g))
	}()
	// The folder comes first: it tells sweep that there may be more.
	if err := c.Deploy.MakeFolder(c.Layout.Wiki(g.Name)); err != nil {
		return nil, err
	}
	own := secrets.New(g.Admin, "")
	if err := server.EnsureDatabase(ctx, g.Database); err != nil {
		return nil, err
	}
	if err := server.EnsureAccounts(ctx, session.ExclusiveAccounts(g, own)); err != nil {
		return nil, err
	}
	if err := c.install(ctx, g, own); err != nil {
		return nil, err
	}
	if err := c.keepSchema(ctx, server, t, g.Database); err != nil {
		return nil, err
	}
	return server.TakeGolden(ctx, g.Database, mediawiki.CacheTables()...)
}

// keepSchema stores the schema of a golden beside it, with which audits compare wikis.
// The language does not matter.
func (c *creation) keepSchema(ctx context.Context, s *mariadb.Server, t *tenants.Tenant, database string) error {
	schemas, err := s.Schemas(ctx)
	if err != nil {
		return err
	}
	data, err := schemas[database].Encode()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.Layout.Goldens(), 0o700); err != nil {
		return err
	}
	return deploy.WriteFile(c.Layout.GoldenSchema(t.ComponentSet(t.Codebase)), data, 0o600, -1)
}

// install runs install.php and update.php for a golden's tenant.
func (c *creation) install(ctx context.Context, g *tenants.Tenant, all secrets.Secrets) error {
	folder := c.Layout.Wiki(g.Name)
	for _, path := range []string{folder, c.Layout.L10n(g.MessageSet(g.Codebase)), c.Layout.Cache(g.Name), c.Layout.Temporary()} {
		if err := c.Deploy.MakeFolder(path); err != nil {
			return err
		}
	}
	account, password := g.SchemaAccount(), all.SchemaPassword.Reveal()
	address, _ := g.Server.Address(c.Layout) // a server without an address renders nothing
	args := []string{"--confpath=" + folder, "--dbtype=mysql",
		"--dbserver=" + address, "--dbname=" + g.Database,
		"--dbuser=" + account, "--dbpass=" + password, "--installdbuser=" + account, "--installdbpass=" + password,
		"--server=http://golden.invalid", "--scriptpath=", "--lang=" + g.Language,
		"--pass=" + all.AdminPassword.Reveal()}
	if g.Server.Encrypted() && mediawiki.InstallsEncrypted(g.Codebase.Version) {
		args = append(args, "--dbssl")
	}
	if err := c.script(ctx, g, "install.php", "", append(args, g.Sitename, g.Admin)...); err != nil {
		return err
	}
	data := templates.Data{Farm: c.Farm, Tenant: g, Codebase: g.Codebase, Secrets: all}
	rendered, err := c.Templates.Render(data)
	if err != nil {
		return err
	}
	settings := filepath.Join(folder, "rendered.php")
	if err := deploy.WriteFile(settings, rendered.LocalSettings, 0o600, -1); err != nil {
		return err
	}
	if err := c.Give(settings); err != nil {
		return err
	}
	return c.script(ctx, g, "update.php", settings, "--quick", "--dbuser="+account, "--dbpass="+password)
}

// script runs a maintenance script of the codebase for a tenant.
func (c *creation) script(ctx context.Context, t *tenants.Tenant, name, config string, args ...string) error {
	return c.runScript(ctx, t, name, php.Job{Script: session.Maintenance(t.Codebase, name), Args: args, Config: config})
}

// runScript runs a job on a new tenant or golden, with a log of that name.
func (c *creation) runScript(ctx context.Context, t *tenants.Tenant, name string, job php.Job) error {
	job.Limit = 10 * time.Minute
	_, err := c.RunPHP(ctx, t.Name, name, t.Codebase, job)
	return err
}

// sweep removes the database, accounts and files for making a golden, including those of
// a killed run.
func (c *creation) sweep(ctx context.Context, g *tenants.Tenant) error {
	server, err := c.Server(ctx, g.Server)
	if err != nil {
		return err
	}
	found := c.found[g.Server.Name]
	fresh := !found.Databases[g.Database] && !deploy.Exists(c.Layout.Wiki(g.Name)) && !found.Accounts[g.WebAccount()+"@"+g.Server.AccountHost]
	if fresh {
		return nil
	}
	return errors.Join(
		server.StopWork(ctx, g.Database, g.SchemaAccount()),
		server.DropDatabase(ctx, g.Database),
		server.DropAccounts(ctx, session.ExclusiveAccounts(g, secrets.Secrets{})),
		os.RemoveAll(c.Layout.Wiki(g.Name)),
	)
}
