package provision

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/ledger"
	"wikictl/tenants/mariadb"
	"wikictl/tenants/session"
)

// facts determine the action for a tenant that may have to be made.
type facts struct {
	row       ledger.Tenant   // zero: not in the ledger
	other     string          // the ledger's name for the tenant with its database
	half      string          // the other name of its files after an interrupted rename
	others    string          // the tenant whose files have its name after an interrupted rename
	returning string          // file that exists while undelete brings it back
	deleted   string          // run that removed it, but not the file that defines it
	holder    string          // the defined tenant that has its database in the ledger
	holding   mariadb.Holding // its database and accounts on the server
	tables    int             // in its database, if the ledger has no row
	farm      string          // this farm's id
	owner     string          // of the database, if another farm's
	served    bool            // it has a release
	copying   ledger.Copying  // how an unfinished restore makes it
	upgrading string          // run of its open upgrade
}

// check compares a tenant's definition with the facts found without a lock. An outcome
// without a status requires work.
func (c *creation) check(ctx context.Context, t *tenants.Tenant) session.Outcome {
	if problems := c.obstacles[t.Name]; problems != nil {
		return session.Outcome{Tenant: t, Status: session.Blocked, Err: session.InTheWay(problems)}
	}
	holding := c.found[t.Server.Name].Of(c.AccountsOf(t))
	o := decide(t, facts{
		row: c.rows[t.Name], other: c.renamed[t.Name].Name, holder: c.holder(t),
		half: c.half[t.Name], others: c.half.whose(t.Name), returning: c.announced[t.Name], deleted: c.deleted[t.Name],
		holding: holding, tables: c.tables[t.Name], farm: c.FarmID(), owner: c.owner(holding.Farm),
		served:  deploy.Exists(c.Layout.LocalSettings(t.Name)),
		copying: session.CopyingOf(c.Layout, t, c.rows[t.Name]),
	})
	if err := c.furtherFault(t); err != nil && o.Status == "" {
		return session.Outcome{Tenant: t, Status: session.Failed, Err: err}
	}
	if t.MediaDenied != nil && o.Status == "" {
		return session.Outcome{Tenant: t, Status: session.Blocked, Err: session.InTheWay(tenants.Problems{*t.MediaDenied})}
	}
	if o.Status != "" {
		return o
	}
	if why := c.adminFault(ctx, t); why != nil {
		return session.Outcome{Tenant: t, Status: session.Blocked, Err: session.InTheWay(tenants.Problems{*why})}
	}
	if why := c.grantsFault(ctx, t); why != "" {
		return session.Outcome{Tenant: t, Status: session.Blocked, Err: errors.New(why)}
	}
	return o
}

// adminFault returns the problem of a new tenant whose administrator is not an account of its
// owner. An owner that is not made yet will have its own administrator alone.
func (c *creation) adminFault(ctx context.Context, t *tenants.Tenant) *tenants.Problem {
	state := c.rows[t.Name].State
	if t.Owner == nil || state != "" && state != ledger.Creating {
		return nil
	}
	has := t.Admin == t.Owner.Admin
	if row := cmp.Or(c.renamed[t.Owner.Name], c.rows[t.Owner.Name]); row.State == ledger.Made || row.State == ledger.Ready {
		server, err := c.Server(ctx, t.Server)
		if err == nil {
			has, err = server.HasAccount(ctx, row.Database, t.Admin)
		}
		if err != nil {
			return nil // the step that needs the account returns it
		}
	}
	if has {
		return nil
	}
	return &tenants.Problem{
		Position: cmp.Or(t.Origins["admin"], t.Origins["shared.users"]), Key: "admin",
		Message: fmt.Sprintf("%s, which is to hold its accounts, has no account %q", t.Owner.Name, t.Admin),
		Hint:    fmt.Sprintf("create that account in %s first, or set admin to one that it has, such as %q", t.Owner.Name, t.Owner.Admin),
	}
}

// holder returns the tenant that has a tenant's database in the ledger, or "".
func (c *creation) holder(t *tenants.Tenant) string {
	if !c.found[t.Server.Name].Databases[t.Database] {
		return ""
	}
	return ledger.HolderOf(t, c.rows)
}

// owner describes a farm by the id in its mark.
func (c *creation) owner(id string) string {
	for _, f := range c.farms {
		if f.ID == id {
			return f.String()
		}
	}
	return "one with the id " + id + ", whose ledger is on another server"
}

// recheck repeats check under the tenant's lock, as another run may have changed the
// facts.
func (c *creation) recheck(ctx context.Context, t *tenants.Tenant) (ledger.Tenant, error) {
	f := facts{other: c.renamed[t.Name].Name, holder: c.holder(t), others: c.half.whose(t.Name), returning: c.announced[t.Name], deleted: c.deleted[t.Name], farm: c.FarmID(), served: deploy.Exists(c.Layout.LocalSettings(t.Name))}
	var err error
	if f.row, _, err = c.ledger.Tenant(ctx, t.Name); err != nil {
		return f.row, err
	}
	f.copying = session.CopyingOf(c.Layout, t, f.row)
	open, _, err := c.ledger.OpenUpgrade(ctx, t.Name)
	if err != nil {
		return f.row, err
	}
	f.upgrading = open.Run
	server, err := c.Server(ctx, t.Server)
	if err != nil {
		return f.row, err
	}
	if f.holding, err = server.Holds(ctx, c.AccountsOf(t)); err != nil {
		return f.row, err
	}
	f.owner = c.owner(f.holding.Farm)
	o := decide(t, f)
	if o.Status == session.Unchanged {
		return f.row, errMade
	}
	return f.row, o.Err
}

// decide compares a tenant's definition with the facts.
func decide(t *tenants.Tenant, f facts) session.Outcome {
	row, known := f.row, f.row.Name != ""
	fail := func(format string, args ...any) session.Outcome {
		return session.Outcome{Tenant: t, Status: session.Failed, Err: fmt.Errorf(format, args...)}
	}
	switch {
	case f.other != "":
		return fail("the ledger has its database as that of %s; wikictl apply %s renames it", f.other, t.Name)
	case known && f.half != "":
		return fail("a rename of it to %s was interrupted: wikictl apply %s moves its files back", f.half, t.Name)
	case !known && f.others != "":
		return fail("the files under its name belong to %s, whose rename was interrupted: wikictl apply %[1]s moves them back", f.others)
	case !known && f.returning != "":
		return fail("it is being brought back, or that was interrupted: wikictl undelete %s finishes it; without the file %s a new wiki is made", t.Name, f.returning)
	case !known && f.deleted != "":
		return fail("run %s deleted it, and did not come to the file that defines it, %s: wikictl delete %s finishes that, or wikictl undelete %s brings it back", f.deleted, t.Position.File, t.Name, t.Name)
	case !known && t.StageOf != "":
		return fail("it is a staging copy, which only %s makes or finishes; remove its definition %s if you don't want it", copyingOf(t), t.Position.File)
	case !known && f.holder != "":
		return fail("the ledger has its database %s as that of %s, which is now the name of another tenant: rename one after the other, first %[2]s to %s, and run wikictl apply in between", t.Database, f.holder, t.Name)
	case known && row.Server != t.Server.Name:
		return fail("the ledger has tenant %s on server %s, the definitions on %s; wikictl does not move databases", t.Name, row.Server, t.Server.Name)
	case known && row.Database != t.Database:
		return fail("the ledger has tenant %s in database %s, the definitions in %s; wikictl does not rename databases", t.Name, row.Database, t.Database)
	case known && row.State == ledger.Leaving:
		return fail("run %s began to remove it and did not finish: wikictl delete %s finishes that; wikictl undelete %[2]s keeps it, or completes the removal and brings it back", row.Run, t.Name)
	case known && row.State == ledger.Returning:
		return fail("it is being brought back, or that was interrupted: wikictl undelete %s finishes it", t.Name)
	case known && row.State == ledger.Recovering:
		return fail("run %s began to restore it, or to copy another into it, and did not finish: %s finishes it", row.Run, row.Completion(f.copying))
	case known && row.State == ledger.Creating && f.served:
		return fail("the ledger says that run %s began to make it, but it has a release in %s: its database is not made again; restore the ledger from a backup", row.Run, "state/wikis/"+t.Name)
	case f.holding.Farm != "" && f.holding.Farm != f.farm:
		return fail("the database %s exists on server %s and belongs to another farm: %s; set another database", t.Database, t.Server.Name, f.owner)
	case !known && f.tables > 0 && f.holding.Farm != "":
		return fail("the database %s exists on server %s with %d tables and this farm's mark, but the ledger does not have it: set ledger in wikictl.toml to the server that has it, or restore it from a backup; remove the database only if nothing in it is needed", t.Database, t.Server.Name, f.tables)
	case !known && f.tables > 0:
		return fail("the database %s exists on server %s with %d tables that wikictl did not make; remove it or set another database", t.Database, t.Server.Name, f.tables)
	case (!known || row.State == ledger.Creating) && len(f.holding.Foreign) > 0:
		return fail("the account %s exists on server %s and wikictl did not make it for this tenant; remove it or set another database", f.holding.Foreign[0].Name(), t.Server.Name)
	case known && row.State != ledger.Creating && !f.holding.Database:
		return fail("the database %s is missing on server %s, but the ledger says that it was made on %s; restore it from a backup", t.Database, t.Server.Name, row.Changed.Format(time.DateTime))
	case f.upgrading != "" && !f.served:
		return fail("run %s is upgrading it, or was interrupted, and its releases are missing; restore state/wikis/%s from a backup, then wikictl upgrade %s", f.upgrading, t.Name, t.Name)
	case known && row.State == ledger.Ready && f.served:
		return session.Outcome{Tenant: t, Status: session.Unchanged}
	case known && row.State != ledger.Creating && row.ComponentSet != t.ComponentSet(t.Codebase):
		return fail("its database was made for other code (MediaWiki %s) and is not served yet; set codebase, extensions and skins back, run this again, and then wikictl upgrade %s", row.Version, t.Name)
	}
	return session.Outcome{Tenant: t}
}

// copyingOf returns the command that makes a staging copy.
func copyingOf(t *tenants.Tenant) string {
	row := ledger.Tenant{Name: t.Name, State: ledger.Recovering}
	return row.Completion(session.CopyOf(t, t.StageOf, true))
}

// countTables counts the tables in existing databases of tenants that the ledger does not
// have.
func (c *creation) countTables(ctx context.Context, list []*tenants.Tenant) error {
	c.tables = map[string]int{}
	for _, t := range list {
		if t.Server == nil || c.obstacles[t.Name] != nil || c.rows[t.Name].Name != "" || !c.found[t.Server.Name].Databases[t.Database] {
			continue
		}
		s, err := c.Server(ctx, t.Server)
		if err == nil {
			var tables []string
			tables, err = s.Tables(ctx, t.Database)
			c.tables[t.Name] = len(tables)
		}
		if err != nil {
			c.obstacles[t.Name] = tenants.Problems{session.ServerFault(t.Server, err)}
		}
	}
	return ctx.Err()
}
