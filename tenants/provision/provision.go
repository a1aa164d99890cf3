// Package provision makes tenants: secrets, database, accounts, schema, first
// administrator, release and virtual host. Every step can be repeated, so a run
// that was killed is finished by the next one. It does not know how a command
// was called or how progress is shown.
package provision

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/fleet"
	"wikictl/tenants/host"
	"wikictl/tenants/mariadb"
)

// Options of a run.
type Options struct {
	Jobs          int
	AdminPassword tenants.Secret // of each new administrator; empty: one is made for each
	Drain         <-chan struct{}
	Observer      host.Observer
}

// creation is one run of Create.
type creation struct {
	*host.Host
	o       Options
	ledger  *mariadb.Ledger
	run     *host.Run
	rows    map[string]mariadb.TenantRow
	found   map[string]*mariadb.Inventory // by server name
	goldens goldens
}

// Create makes what is missing of the tenants, in the order given, and returns
// an outcome for each. The error is of the run as a whole: nothing was done
// then, or the outcomes say how far it came.
func Create(ctx context.Context, h *host.Host, list []*tenants.Tenant, o Options) ([]host.Outcome, error) {
	c := &creation{Host: h, o: o}
	if err := c.look(ctx, list); err != nil {
		return nil, err
	}
	outcomes := make([]host.Outcome, len(list))
	var work []*tenants.Tenant
	for i, t := range list {
		outcomes[i] = c.judge(t)
		if outcomes[i].Status == "" {
			work = append(work, t)
		}
	}
	if len(work) == 0 {
		return outcomes, nil
	}
	made, err := c.make(ctx, work)
	for i := range outcomes {
		if outcomes[i].Status == "" {
			outcomes[i] = made[outcomes[i].Tenant.Name]
		}
	}
	return outcomes, err
}

// look reads the ledger and takes inventory of every server once.
func (c *creation) look(ctx context.Context, list []*tenants.Tenant) (err error) {
	if c.ledger, err = c.Ledger(ctx); err != nil {
		return err
	}
	if c.rows, err = c.ledger.Tenants(ctx); err != nil {
		return err
	}
	c.found = map[string]*mariadb.Inventory{}
	for _, def := range serversOf(list) {
		s, err := c.Server(ctx, def)
		if err != nil {
			return err
		}
		if c.found[def.Name], err = s.Inventory(ctx); err != nil {
			return err
		}
	}
	return nil
}

func serversOf(list []*tenants.Tenant) []*tenants.Server {
	var servers []*tenants.Server
	for _, t := range list {
		if !slices.Contains(servers, t.Server) {
			servers = append(servers, t.Server)
		}
	}
	return servers
}

// judge compares what is wanted of a tenant with what is there. An outcome
// without a status has to be worked on.
func (c *creation) judge(t *tenants.Tenant) host.Outcome {
	row, known := c.rows[t.Name]
	there := c.found[t.Server.Name]
	fail := func(format string, args ...any) host.Outcome {
		return host.Outcome{Tenant: t, Status: host.Failed, Err: fmt.Errorf(format, args...)}
	}
	switch {
	case known && row.Server != t.Server.Name:
		return fail("the ledger has tenant %s on server %s, the definitions on %s; wikictl does not move databases", t.Name, row.Server, t.Server.Name)
	case known && row.Database != t.Database:
		return fail("the ledger has tenant %s in database %s, the definitions in %s; wikictl does not rename databases", t.Name, row.Database, t.Database)
	case known && row.State != mariadb.Creating && !there.Databases[t.Database]:
		return fail("the database %s is gone from server %s, but the ledger says that it was made on %s; restore it from a backup", t.Database, t.Server.Name, row.Changed.Format(time.DateTime))
	case known && row.State == mariadb.Ready && host.Exists(c.Layout.LocalSettings(t.Name)):
		return host.Outcome{Tenant: t, Status: host.Unchanged}
	case !known && there.Accounts[t.WebAccount()+"@"+t.Server.AccountHost]:
		return fail("the account %s is on server %s already and wikictl did not make it; remove it or set another database", t.WebAccount(), t.Server.Name)
	}
	return host.Outcome{Tenant: t}
}

// make locks, makes, publishes and probes the tenants that need it.
func (c *creation) make(ctx context.Context, work []*tenants.Tenant) (map[string]host.Outcome, error) {
	ctx, err := c.Lock(ctx, serversOf(work))
	if err != nil {
		return nil, err
	}
	if c.run, err = c.Begin(ctx, "create", c.o.Observer); err != nil {
		return nil, err
	}
	outcomes := map[string]host.Outcome{}
	c.goldens = c.ensureGoldens(ctx, work)
	for batch := range slices.Chunk(work, batchSize) {
		c.batch(ctx, batch, outcomes)
	}
	return outcomes, c.run.End(ctx, slices.Collect(maps.Values(outcomes)))
}

// batchSize is how many tenants share one web server check and reload: enough
// that the reload costs nothing a tenant, few enough that the first of a large
// farm are served long before the last.
const batchSize = 500

// batch takes some tenants all the way.
func (c *creation) batch(ctx context.Context, work []*tenants.Tenant, outcomes map[string]host.Outcome) {
	options := fleet.Options[*tenants.Tenant]{Jobs: c.o.Jobs, MaxFailures: fleet.NoLimit, Drain: c.o.Drain}
	elapsed := map[string]time.Duration{}
	var made []*tenants.Tenant
	end := func(t *tenants.Tenant, status host.Status, err error) {
		outcomes[t.Name] = c.run.Finish(host.Outcome{Tenant: t, Status: status, Err: err, Elapsed: elapsed[t.Name]})
	}
	for _, r := range fleet.Run(ctx, work, options, c.makeDatabase) {
		elapsed[r.Item.Name] = r.Elapsed
		switch {
		case !r.Started:
			end(r.Item, host.Skipped, r.Err)
		case r.Err != nil:
			end(r.Item, host.Failed, r.Err)
		default:
			made = append(made, r.Item)
		}
	}
	made = c.publish(ctx, made, end)
	options.Drain = nil // what is published is probed
	var ready []string
	var good []*tenants.Tenant
	for _, r := range fleet.Run(ctx, made, options, c.probe) {
		elapsed[r.Item.Name] += r.Elapsed
		if r.Err != nil {
			end(r.Item, host.Failed, r.Err)
			continue
		}
		good, ready = append(good, r.Item), append(ready, r.Item.Name)
	}
	err := c.ledger.SetState(ctx, c.RunID, mariadb.Ready, ready)
	for _, t := range good {
		if err != nil {
			end(t, host.Failed, err)
			continue
		}
		end(t, host.Done, nil)
	}
}

// publish renders the tenants, checks, switches and reloads once for all, and
// returns those that are served.
func (c *creation) publish(ctx context.Context, made []*tenants.Tenant, end func(*tenants.Tenant, host.Status, error)) []*tenants.Tenant {
	if len(made) == 0 {
		return nil
	}
	for _, t := range made {
		c.o.Observer.Step(t.Name, "release")
	}
	source, err := c.Source(made, func(t *tenants.Tenant) *tenants.Codebase { return t.Codebase })
	if err == nil {
		_, err = c.Deploy.Apply(ctx, source)
	}
	var partial *deploy.PartialError
	failed := map[string]error{}
	if errors.As(err, &partial) {
		for _, o := range partial.Failed {
			failed[o.Tenant] = o.Err
		}
		err = nil
	}
	return slices.DeleteFunc(slices.Clone(made), func(t *tenants.Tenant) bool {
		why := errors.Join(err, failed[t.Name])
		if why != nil {
			end(t, host.Failed, why)
		}
		return why != nil
	})
}

// step runs one step of a tenant and records it.
func (c *creation) step(t *tenants.Tenant, name string, do func() error) error {
	return c.run.Step(t.Name, name, do)
}

// secrets reads a tenant's secrets or makes them.
func (c *creation) secrets(t *tenants.Tenant) (tenants.Secrets, error) {
	s, err := c.Deploy.ReadSecrets(t.Name)
	if !errors.Is(err, os.ErrNotExist) {
		return s, err
	}
	s = newSecrets(t, c.o.AdminPassword)
	return s, c.Deploy.WriteSecrets(t.Name, s)
}

// Plan says what Create would do, and does nothing: an outcome that is Skipped
// would be made, one that is Failed could not be.
func Plan(ctx context.Context, h *host.Host, list []*tenants.Tenant) ([]host.Outcome, error) {
	c := &creation{Host: h}
	if err := c.look(ctx, list); err != nil {
		return nil, err
	}
	outcomes := make([]host.Outcome, len(list))
	for i, t := range list {
		outcomes[i] = c.judge(t)
		if outcomes[i].Status == "" {
			outcomes[i].Status = host.Skipped
		}
	}
	return outcomes, nil
}
