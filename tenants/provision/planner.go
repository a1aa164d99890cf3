package provision

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/ledger"
	"wikictl/tenants/mariadb"
	"wikictl/tenants/mediawiki"
	"wikictl/tenants/plan"
	"wikictl/tenants/session"
)

// PlanOptions set the scope of NewPlan.
type PlanOptions struct {
	Whole bool // list is the whole farm: find leftovers, too
	// SQL returns, by tenant, the farm's own SQL that an upgrade would apply; may be nil.
	SQL func(context.Context, []*tenants.Tenant) (map[string][]string, error)

	defined string // a tenant that a file defines, although the farm is planned without it
}

// NewPlan compares tenants with the ledger, the servers and the disk, without writing. The
// error is tenants.Problems if tenants can't be rendered.
func NewPlan(ctx context.Context, h *session.Host, list []*tenants.Tenant, o PlanOptions) (*Plan, error) {
	c := &creation{Host: h}
	if err := c.inspect(ctx, list); err != nil {
		return nil, err
	}
	l := &planner{creation: c, defined: o.defined, databases: map[*tenants.Server]map[string]bool{}}
	var err error
	if l.open, err = c.openUpgrades(ctx); err != nil {
		return nil, err
	}
	if l.begun, err = c.begun(ctx, list); err != nil {
		return nil, err
	}
	l.removed, err = AllRemoved(l.Layout)
	if err != nil && !errors.Is(err, fs.ErrPermission) && !errors.As(err, new(*DamagedError)) {
		return nil, err
	}
	return l.plan(ctx, list, o)
}

// planner is the state of one NewPlan.
type planner struct {
	*creation
	defined   string                              // PlanOptions.defined
	open      map[string]ledger.Upgrade           // by tenant
	begun     map[string]string                   // the state of the run that began to make a tenant, by name
	databases map[*tenants.Server]map[string]bool // of all tenants, as known returns them
	removed   []*Removed                          // newest first; empty if unreadable
	chosen    []*tenants.Tenant                   // that the plan is for
}

func (l *planner) plan(ctx context.Context, list []*tenants.Tenant, o PlanOptions) (*Plan, error) {
	p := &Plan{all: list}
	l.chosen = list
	planned := make([]*Planned, len(list))
	var whole, served []*Planned
	var expected []string
	for i, t := range list {
		planned[i] = l.checkAll(ctx, t)
		if !planned[i].Is(plan.Blocked) && (planned[i].Is(plan.Make) || planned[i].Is(plan.Rename)) {
			expected = append(expected, t.Name)
		}
		if ready := planned[i].row.State == ledger.Ready && !planned[i].Is(plan.Blocked) && !planned[i].Is(plan.Rename); ready {
			served = append(served, planned[i])
			if !planned[i].Is(plan.Upgrade) && l.half[t.Name] == "" {
				whole = append(whole, planned[i])
			}
		}
	}
	l.Expect(expected)
	if err := l.compare(ctx, p, whole); err != nil {
		return nil, err
	}
	if err := pendingSQL(ctx, served, o); err != nil {
		return nil, err
	}
	l.remarkWithdrawn(ctx, served)
	for _, t := range planned {
		if len(t.Entries) > 0 {
			p.Tenants = append(p.Tenants, t)
		}
	}
	p.Unchanged = len(list) - len(p.Tenants)
	if l.Deploy.Unfinished() {
		p.Farm = append(p.Farm, plan.Entry{Kind: plan.Change, What: "the web server has not read its whole configuration, because a run was interrupted"})
	}
	if !o.Whole {
		return p, nil
	}
	var err error
	p.Leftovers, err = l.leftovers(ctx, p)
	return p, err
}

// remarkWithdrawn remarks on tenants that change what their databases have of the extensions
// and namespaces that are taken away.
func (l *planner) remarkWithdrawn(ctx context.Context, served []*Planned) {
	var list []*tenants.Tenant
	for _, t := range served {
		if len(t.Entries) > 0 {
			list = append(list, t.tenant)
		}
	}
	remarks := l.Withdrawn(ctx, list)
	for _, t := range served {
		for _, remark := range remarks[t.Name] {
			t.Add(plan.Remark, "%s", remark)
		}
	}
}

// unseenFiles returns a line about tenants whose files were not compared; why has the
// reasons by tenant and is not empty.
func unseenFiles(why map[string]error) string {
	first := slices.Sorted(maps.Keys(why))[0]
	if len(why) == 1 {
		return fmt.Sprintf("the files of %s: %s", first, why[first])
	}
	return fmt.Sprintf("the files of %d wikis, such as %s: %s", len(why), first, why[first])
}

// checkAll plans a tenant without its files.
func (l *planner) checkAll(ctx context.Context, t *tenants.Tenant) *Planned {
	p := &Planned{Tenant: plan.Tenant{Name: t.Name}, tenant: t, row: l.rows[t.Name]}
	if problems := l.obstacles[t.Name]; problems != nil {
		for _, problem := range problems {
			p.Add(plan.Blocked, "%s", problem)
		}
		return p
	}
	if row, ok := l.renamed[t.Name]; ok {
		p.row, p.From = row, row.Name
		l.checkRename(p)
		return p
	}
	if other := l.half[t.Name]; other != "" {
		p.Add(plan.Change, "a rename to %s was interrupted and is no longer wanted: its files move back", other)
		return p
	}
	o := l.check(ctx, t)
	switch {
	case o.Err != nil:
		p.Add(plan.Blocked, "%s", o.Err)
	case o.Status == "" && p.row.State != ledger.Ready:
		p.Add(plan.Make, "%s", l.making(t, l.begun[t.Name]))
		if p.row.State == "" {
			l.remarkRemoved(p)
		}
	case deploy.SecretsMissing(l.Layout, t.Name) != "":
		p.Add(plan.Blocked, "%s", deploy.SecretsMissing(l.Layout, t.Name))
	default:
		if why := otherCode(t, p.row, l.open[t.Name]); why != "" {
			p.Add(plan.Upgrade, "%s", why)
			if l.open[t.Name].Run == "" && mediawiki.NewerSchema(p.row.Version, t.Codebase.Version) {
				p.Add(plan.Remark, "its database has the schema of MediaWiki %s, which %s can't go back from; set a codebase of that version or newer, or see wikictl rollback", p.row.Version, t.Codebase.Version)
			}
			return p
		}
		l.checkAccounts(p)
		l.checkFurther(ctx, p)
		l.checkSeen(p)
	}
	return p
}

// remarkRemoved remarks that a tenant to be made was removed before, under its name or,
// after a rename that did not end, under its former one.
func (l *planner) remarkRemoved(p *Planned) {
	for _, r := range l.removed {
		switch {
		case r.Name == p.Name && r.returns():
			p.Add(plan.Make, "a new wiki, although run %s removed one of that name; wikictl undelete %s brings it back instead", r.Run, r.Name)
			return
		case r.heldDatabaseOf(p.tenant) && r.returns():
			p.Add(plan.Make, "a new wiki, although run %s removed %s, which had its database; %s instead", r.Run, r.Name, r.underItsName())
			return
		}
	}
}

// checkSeen checks whether a tenant has answered since its last change.
func (l *planner) checkSeen(p *Planned) {
	current, seen, err := l.Unseen(p.Name)
	if errors.Is(err, fs.ErrPermission) { // compare reports unreadable files
		return
	}
	switch {
	case err != nil:
		p.Add(plan.Blocked, "%s", err)
	case current != 0:
		p.Add(plan.Change, "probe it: its release %d has not answered, because a run was interrupted or failed; if it does not answer, release %d, which did, becomes current again", current, seen)
	}
}

// checkAccounts checks that both accounts exist and are the tenant's.
func (l *planner) checkAccounts(p *Planned) {
	accounts := l.AccountsOf(p.tenant)
	for _, foreign := range l.found[p.tenant.Server.Name].Of(accounts).InTheWay(accounts) {
		p.Add(plan.Blocked, "%s; ALTER USER gives it that password, if it is the tenant's", mariadb.ForeignAccount(p.tenant.Server.Name, foreign))
	}
	for _, name := range []string{p.tenant.WebAccount(), p.tenant.SchemaAccount()} {
		full := name + "@" + p.tenant.Server.AccountHost
		if !l.found[p.tenant.Server.Name].Accounts[full] {
			p.accounts = true
			p.Add(plan.Change, "make account %s on server %s, which is missing", full, p.tenant.Server.Name)
		}
	}
}

// compare adds the differing files of tenants that run on their wanted code.
func (l *planner) compare(ctx context.Context, p *Plan, planned []*Planned) error {
	list := make([]*tenants.Tenant, len(planned))
	by := map[string]*plan.Tenant{}
	for i, t := range planned {
		list[i], by[t.Name] = t.tenant, &t.Tenant
	}
	farm, unseen, err := inspectFiles(ctx, l.Host, list, by, true)
	p.Farm, p.Unseen = append(p.Farm, farm...), append(p.Unseen, unseen...)
	return err
}

// inspectFiles adds the differing files of tenants to by, and the reasons why a tenant's
// could not be compared. It returns the differing files that belong to no tenant, and
// those that may not be read.
func inspectFiles(ctx context.Context, h *session.Host, list []*tenants.Tenant, by map[string]*plan.Tenant, diffs bool) (farm []plan.Entry, unseen []string, err error) {
	if unread := h.Unreadable(ctx, list, wantedCode); len(unread) > 0 {
		unseen = append(unseen, unseenFiles(unread))
		list = slices.DeleteFunc(list, func(t *tenants.Tenant) bool { return unread[t.Name] != nil })
	}
	source, err := h.Source(ctx, list, wantedCode, session.Leaving{})
	if err != nil {
		return nil, unseen, err
	}
	changes, err := h.Deploy.Compare(ctx, source, diffs)
	var unknown *deploy.PartialError
	switch {
	case errors.As(err, &unknown):
		for _, o := range unknown.Failed {
			by[o.Tenant].Add(plan.Blocked, "%s", o.Err)
		}
	case err != nil:
		return nil, unseen, err
	}
	more, faults, err := h.Deploy.CompareFiles(ctx, source, diffs)
	if err != nil {
		return nil, unseen, err
	}
	changes = append(changes, more...)
	for _, f := range faults {
		if errors.Is(f.Err, fs.ErrPermission) {
			unseen = append(unseen, fmt.Sprintf("the file %s: %s", f.Path, f.Err))
			continue
		}
		farm = append(farm, plan.Entry{Kind: plan.Blocked, What: fmt.Sprintf("file %s: %s", f.Path, f.Err)})
	}
	for _, c := range changes {
		entry := plan.Entry{Kind: plan.Change, What: string(c.Kind) + " " + c.Path, Diff: c.Diff}
		if t := by[c.Tenant]; t != nil {
			t.Entries = append(t.Entries, entry)
		} else {
			farm = append(farm, entry)
		}
	}
	return farm, unseen, nil
}

// pendingSQL adds the farm's own SQL that an upgrade would apply.
func pendingSQL(ctx context.Context, served []*Planned, o PlanOptions) error {
	if o.SQL == nil || len(served) == 0 {
		return nil
	}
	list := make([]*tenants.Tenant, len(served))
	for i, t := range served {
		list[i] = t.tenant
	}
	pending, err := o.SQL(ctx, list)
	for _, t := range served {
		for _, what := range pending[t.Name] {
			t.Add(plan.Upgrade, "%s: wikictl upgrade %s", what, t.Name)
		}
	}
	return err
}

// takeInventory reads a server's inventory once. A managed server that was never started
// has an empty one.
func (c *creation) takeInventory(ctx context.Context, def *tenants.Server) error {
	if c.found[def.Name] != nil || c.unreached[def.Name] != nil {
		return c.unreached[def.Name]
	}
	s, err := c.Server(ctx, def)
	if err != nil && def.Managed && !deploy.Exists(c.Layout.Server(def.Name)) {
		c.found[def.Name] = &mariadb.Inventory{Databases: map[string]bool{}, Accounts: map[string]bool{}, Farms: map[string]string{}}
		return nil
	}
	var found *mariadb.Inventory
	if err == nil {
		found, err = s.Inventory(ctx)
	}
	if err != nil {
		c.unreached[def.Name] = err
		return err
	}
	c.found[def.Name] = found
	return nil
}

// readLedger reads the tenants in the ledger; none if there is no ledger yet.
func (c *creation) readLedger(ctx context.Context) (err error) {
	if err := c.takeInventory(ctx, c.Farm.Ledger); err != nil {
		return err
	}
	c.rows = map[string]ledger.Tenant{}
	if len(c.found[c.Farm.Ledger.Name].Databases) == 0 { // it was never started
		return nil
	}
	s, err := c.Server(ctx, c.Farm.Ledger)
	if err != nil {
		return err
	}
	if c.farms, err = s.Farms(ctx); err != nil {
		return err
	}
	c.ledger, err = c.Ledger(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if c.rows, err = c.ledger.Tenants(ctx); err != nil {
		return err
	}
	c.further, err = c.ledger.Databases(ctx)
	c.renamed = renames(c.Farm.Tenants, c.rows)
	return err
}

// errMade reports that another run has made a tenant meanwhile.
var errMade = errors.New("another run has made it meanwhile")
