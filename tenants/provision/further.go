package provision

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/ledger"
	"wikictl/tenants/mariadb"
	"wikictl/tenants/plan"
	"wikictl/tenants/secrets"
	"wikictl/tenants/session"
)

// furtherOf returns the further databases of a tenant, by the ledger.
func (c *creation) furtherOf(tenant string) (all []ledger.Database) {
	for _, d := range c.further {
		if d.Tenant == tenant {
			all = append(all, d)
		}
	}
	return all
}

// furtherFault returns why the further databases of a tenant can't be made.
func (c *creation) furtherFault(t *tenants.Tenant) error {
	found := c.found[t.Server.Name]
	return session.FurtherFault(t, c.further, func(name string) bool { return found.Databases[name] })
}

// checkFurther adds the further databases and the grants by which a tenant differs from
// its definition.
func (l *planner) checkFurther(ctx context.Context, p *Planned) {
	t, server := p.tenant, p.tenant.Server.Name
	if err := l.furtherFault(t); err != nil {
		p.Add(plan.Blocked, "%s", err)
		return
	}
	own := l.furtherOf(t.Name)
	made := ledger.MadeDatabases(own)
	change := func(format string, args ...any) {
		p.access = true
		p.Add(plan.Change, format, args...)
	}
	for _, name := range t.Databases {
		if !slices.Contains(made, name) {
			change("make database %s on server %s, and grant it to its accounts; %s", name, server, session.FillFurther(t))
		}
	}
	changes := l.changesOf(t)
	if missing := l.missingTables(ctx, t, changes); missing != "" {
		p.Add(plan.Blocked, "%s", missing)
		return
	}
	if why := l.ownerBusy(t); why != "" && len(changes) > 0 {
		p.Add(plan.Blocked, "%s", why)
		return
	}
	for _, c := range changes {
		change("%s", c)
	}
	if t.MediaDenied != nil && len(changes) > 0 {
		p.Add(plan.Remark, "it shows no files of %s any more: %s", t.Shared.Media, t.MediaDenied)
	}
	for _, d := range own {
		switch {
		case slices.Contains(t.Databases, d.Name):
		case !l.found[server].Databases[d.Name]:
			change("forget database %s, which is gone from server %s", d.Name, d.Server)
		case p.access:
			p.Add(plan.Remark, "its database %s is not in its definition any more: it is kept, and dumped and removed with the wiki", d.Name)
		}
	}
}

// ownerBusy is session.OwnerBusy of a tenant.
func (l *planner) ownerBusy(t *tenants.Tenant) string {
	if t.Owner == nil {
		return ""
	}
	return session.OwnerBusy(t, l.rows[t.Owner.Name], l.open[t.Owner.Name])
}

// missingTables returns why the first grant on a missing table can't be given, or "".
func (l *planner) missingTables(ctx context.Context, t *tenants.Tenant, changes []mariadb.Change) string {
	for _, c := range changes {
		if c.Revoke {
			continue
		}
		if why := l.missingTable(ctx, t, c.Database, c.Table); why != "" {
			return why
		}
	}
	return ""
}

// missingTable returns why a tenant can't get rights on a table, or "".
func (c *creation) missingTable(ctx context.Context, t *tenants.Tenant, database, table string) string {
	if table == "" || table == "*" {
		return ""
	}
	key := t.Server.Name + "\x00" + database
	if c.relations[key] == nil {
		s, err := c.Server(ctx, t.Server)
		if err != nil {
			return err.Error()
		}
		tables, err := s.Relations(ctx, database)
		if err != nil {
			return err.Error()
		}
		if c.relations == nil {
			c.relations = map[string][]string{}
		}
		c.relations[key] = tables
	}
	if slices.Contains(c.relations[key], table) {
		return ""
	}
	return fmt.Sprintf("its grants name a table that does not exist: the database %s has no table %s; correct the name, or create the wiki that has it first", database, table)
}

// grantsFault returns why the grants of a new tenant can't be given, or "", as far as the databases
// that they name are made.
func (c *creation) grantsFault(ctx context.Context, t *tenants.Tenant) string {
	if c.complete == nil {
		c.complete = map[string]bool{}
		for row := range maps.Values(c.rows) {
			c.complete[row.Server+"\x00"+row.Database] = row.State == ledger.Made || row.State == ledger.Ready
		}
	}
	for _, g := range t.AllGrants() {
		if !c.complete[t.Server.Name+"\x00"+g.On] {
			continue
		}
		for _, table := range g.Tables {
			if why := c.missingTable(ctx, t, g.On, table); why != "" {
				return fmt.Sprintf("%s: %s", g.Position, why)
			}
		}
	}
	return ""
}

// changesOf returns the grants and revocations that a tenant's accounts need.
func (l *planner) changesOf(t *tenants.Tenant) []mariadb.Change {
	made := ledger.MadeDatabases(l.furtherOf(t.Name))
	return session.Accounts(t, secrets.Secrets{}, made...).Changes(l.found[t.Server.Name].Beyond, l.known(t.Server))
}

// known returns whether a database of a server is a tenant's, by the definitions or the
// ledger.
func (l *planner) known(s *tenants.Server) func(string) bool {
	if l.databases[s] == nil {
		known := map[string]bool{}
		for _, t := range l.Farm.Tenants {
			if t.Server == s {
				for _, name := range append([]string{t.Database}, t.Databases...) {
					known[name] = true
				}
			}
		}
		for row := range maps.Values(l.rows) {
			known[row.Database] = known[row.Database] || row.Server == s.Name
		}
		for _, d := range l.further {
			known[d.Name] = known[d.Name] || d.Server == s.Name
		}
		l.databases[s] = known
	}
	return func(name string) bool { return l.databases[s][name] }
}

// allow makes the further databases of a tenant and gives its accounts the rights beyond
// its own database. It comes when the databases of all tenants of the batch are made, as
// rights are on tables of others.
func (c *creation) allow(ctx context.Context, j *job) error {
	t := j.tenant
	fresh := j.kind == plan.Make && len(t.Databases)+len(t.AllGrants()) > 0
	if !fresh && !j.access {
		return nil
	}
	err := c.held(ctx, t, "databases", func() error {
		all, err := c.Deploy.ReadSecrets(t.Name)
		if err != nil {
			return err
		}
		if j.kind != plan.Make {
			return c.AddFurther(ctx, c.ledger, t, all)
		}
		if err := errors.Join(c.shareUsers(ctx, t), c.mediaMade(ctx, t)); err != nil {
			return err
		}
		return c.EnsureFurther(ctx, c.ledger, t, all)
	})
	if err != nil || len(t.Databases) == 0 || j.kind != plan.Make || j.row.State == ledger.Ready || deploy.Exists(c.Layout.LocalSettings(t.Name)) {
		return err
	}
	return c.held(ctx, t, "update.php", func() error { return c.fillFurther(ctx, t) })
}

// fillFurther has MediaWiki's updater make the tables of extensions in the further databases of a
// new tenant. Its golden has only those in the wiki's own database, because the updater ran there
// without the tenant's settings.
func (c *creation) fillFurther(ctx context.Context, t *tenants.Tenant) error {
	server, err := c.Server(ctx, t.Server)
	if err != nil {
		return err
	}
	if err := server.StopWork(ctx, t.Database, t.SchemaAccount()); err != nil { // of a killed run
		return err
	}
	prepared, err := c.Deploy.Prepare(ctx, deploy.Source{Len: 1, At: func(int) (deploy.Wanted, error) { return c.Wanted(ctx, t, t.Codebase) }})
	if err == nil {
		err = prepared[0].Err
	}
	if err != nil {
		return err
	}
	all, err := c.Deploy.ReadSecrets(t.Name)
	if err != nil {
		return err
	}
	job, err := c.Updater(t, session.Accounts(t, all).Schema)
	if err != nil {
		return err
	}
	job.Config = filepath.Join(c.Layout.Release(t.Name, prepared[0].Release), "LocalSettings.php")
	return c.runScript(ctx, t, "update.php", job)
}

// shareUsers gives a new tenant the accounts of its owner, which is made by now.
func (c *creation) shareUsers(ctx context.Context, t *tenants.Tenant) error {
	if t.Owner == nil {
		return nil
	}
	if err := c.isMade(ctx, t, t.Owner, "the owner of its accounts"); err != nil {
		return err
	}
	server, err := c.Server(ctx, t.Server)
	if err != nil {
		return err
	}
	return server.ShareUsers(ctx, t.Database, t.Owner.Database, t.Admin)
}

// mediaMade returns an error unless the tenant whose files a new one is to show is made by now.
func (c *creation) mediaMade(ctx context.Context, t *tenants.Tenant) error {
	if t.Media == nil {
		return nil
	}
	return c.isMade(ctx, t, t.Media, "whose files it is to show")
}

// isMade returns an error unless another tenant, which a new one needs, is made.
func (c *creation) isMade(ctx context.Context, t, other *tenants.Tenant, why string) error {
	row, _, err := c.ledger.Tenant(ctx, other.Name)
	if err != nil || row.State == ledger.Made || row.State == ledger.Ready {
		return err
	}
	return tenants.WithHint(fmt.Errorf("%s, %s, is not created yet", other.Name, why), fmt.Sprintf("wikictl create %s %s", other.Name, t.Name))
}

// dependentLast sorts jobs so that tenants with rights in databases of others come after
// the others.
func dependentLast(jobs []*job) {
	slices.SortStableFunc(jobs, func(a, b *job) int { return min(len(a.tenant.AllGrants()), 1) - min(len(b.tenant.AllGrants()), 1) })
}

// existing returns those of a tenant's further databases that are on its server, which
// have to be the farm's.
func (c *creation) existing(ctx context.Context, s *mariadb.Server, t *tenants.Tenant) (names []string, err error) {
	own, err := c.ledger.DatabasesOf(ctx, t.Name)
	if err != nil {
		return nil, err
	}
	for _, d := range own {
		found, err := s.Has(ctx, d.Name)
		if err != nil {
			return nil, err
		}
		if err := s.OwnFurther(ctx, d.Name); err != nil {
			return nil, err
		}
		if found {
			names = append(names, d.Name)
		}
	}
	return names, nil
}

// addFurther lists the further databases of a leftover.
func (l *planner) addFurther(ctx context.Context, left *Leftover, server *tenants.Server) error {
	for _, d := range l.furtherOf(left.Name) {
		if !l.found[server.Name].Databases[d.Name] {
			continue
		}
		left.Items = append(left.Items, fmt.Sprintf("database %s on server %s", d.Name, server.Name))
		s, err := l.Server(ctx, server)
		if err != nil {
			return err
		}
		switch err := s.OwnFurther(ctx, d.Name); {
		case errors.Is(err, mariadb.ErrForeign) && left.Problem == "":
			left.Problem = err.Error()
		case err != nil && !errors.Is(err, mariadb.ErrForeign):
			return err
		}
	}
	if members := l.membersOf(left); len(members) > 0 && left.Problem == "" {
		left.Problem = fmt.Sprintf("%s has its accounts: remove %[1]s first; a wiki can't change its accounts", strings.Join(members, ", "))
		if len(members) > 1 {
			left.Problem = fmt.Sprintf("%s have its accounts: remove them first; a wiki can't change its accounts", strings.Join(members, ", "))
		}
	}
	left.readers = l.readersOf(left)
	if viewers := l.viewersOf(left); len(viewers) > 0 && left.Problem == "" {
		left.Problem = fmt.Sprintf("its files are shown by %s: take media out of their definitions first, and run wikictl apply", strings.Join(viewers, ", "))
	}
	if users := l.usersOf(left); len(users) > 0 && left.Problem == "" {
		left.Problem = fmt.Sprintf("the grants of %s are on its database: take them out of their definitions first, and run wikictl apply", strings.Join(users, ", "))
	}
	return nil
}

// membersOf returns the defined tenants that have the accounts of a leftover.
func (l *planner) membersOf(left *Leftover) []string {
	return l.sharing(left, func(t *tenants.Tenant) (string, *tenants.Tenant) { return t.Shared.Users, t.Owner })
}

// viewersOf returns the defined tenants that show the files of a leftover.
func (l *planner) viewersOf(left *Leftover) []string {
	return l.sharing(left, func(t *tenants.Tenant) (string, *tenants.Tenant) { return t.Shared.Media, t.Media })
}

// sharing returns the defined tenants that share something of a leftover, by its name or, as it may
// be defined under another one, by its database. with returns the name and the tenant that a tenant
// shares with.
func (l *planner) sharing(left *Leftover, with func(*tenants.Tenant) (string, *tenants.Tenant)) (names []string) {
	for _, t := range l.Farm.Tenants {
		if name, owner := with(t); name == left.Name || owner != nil && owner.Database == left.row.Database {
			names = append(names, t.Name)
		}
	}
	return names
}

// readersOf returns the tenants without a definition, not removed yet, whose accounts have rights
// in a database of a leftover.
func (l *planner) readersOf(left *Leftover) (names []string) {
	mine := append(session.Names(l.furtherOf(left.Name)), left.row.Database)
	for _, row := range undefined(l.Farm.Tenants, l.rows) {
		if row.Name == left.Name || row.Server != left.row.Server {
			continue
		}
		grants := l.found[row.Server].Beyond(tenants.AccountName(row.Database, "") + "@" + left.tenant.Server.AccountHost)
		if slices.ContainsFunc(grants, func(g mariadb.Grant) bool {
			return slices.ContainsFunc(mine, func(name string) bool { return g.Of(name) || g.Table != "" && g.Database == name })
		}) {
			names = append(names, row.Name)
		}
	}
	slices.Sort(names)
	return names
}

// usersOf returns the defined tenants that have grants on a database of a leftover.
func (l *planner) usersOf(left *Leftover) (names []string) {
	mine := map[string]bool{left.row.Database: true}
	for _, d := range l.furtherOf(left.Name) {
		mine[d.Name] = true
	}
	for _, t := range l.Farm.Tenants {
		if t.Server != nil && t.Server.Name == left.row.Server && slices.ContainsFunc(t.Grants, func(g tenants.Grant) bool { return mine[g.On] }) {
			names = append(names, t.Name)
		}
	}
	return names
}
