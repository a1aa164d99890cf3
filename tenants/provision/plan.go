package provision

import (
	"fmt"
	"strings"

	"wikictl/tenants"
	"wikictl/tenants/ledger"
	"wikictl/tenants/plan"
)

// Planned is a defined tenant that differs from its actual state.
type Planned struct {
	plan.Tenant

	tenant   *tenants.Tenant
	row      ledger.Tenant // zero: not in the ledger
	accounts bool          // remake the accounts
	access   bool          // make further databases, and change rights beyond its own
}

// Leftover is the plan to remove the existing parts of a tenant without a definition.
type Leftover struct {
	plan.Leftover

	tenant *tenants.Tenant // without a server if the ledger does not have it
	row    ledger.Tenant   // zero: only in the state folder

	readers []string // other leftovers whose accounts have rights in its databases
}

// Plan is the difference between the definitions and the farm's state, as input of Apply.
type Plan struct {
	Tenants   []*Planned   // those that differ, in the farm's order
	Farm      []plan.Entry // for no tenant
	Leftovers []*Leftover  // by name; only of a plan for the whole farm
	Unchanged int
	Unseen    []string // what could not be read, a sentence each without a full stop

	all []*tenants.Tenant
}

// Outline returns the plan in the form that all commands share.
func (p *Plan) Outline() *plan.Plan {
	o := &plan.Plan{Farm: p.Farm, Unseen: p.Unseen, Unchanged: p.Unchanged}
	for _, t := range p.Tenants {
		o.Tenants = append(o.Tenants, &t.Tenant)
	}
	for _, left := range p.Leftovers {
		o.Leftovers = append(o.Leftovers, &left.Leftover)
	}
	if o.Count(plan.Upgrade) > 0 {
		o.Notes = append(o.Notes, "wikictl upgrade --dry-run shows the upgrades; apply leaves them alone")
	}
	if names := byHTTP(p.all); len(names) > 0 {
		o.Notes = append(o.Notes, fmt.Sprintf("%s served by http until the certificate exists; then run wikictl apply", isOrAre(names)))
	}
	if len(p.Leftovers) > 0 {
		o.Notes = append(o.Notes, "wikictl apply --all --prune removes what is left over; files and a dump of each database go to state/removed")
	}
	if n, allowed := p.Removals(); n > allowed {
		o.Notes = append(o.Notes, fmt.Sprintf("that is more than %d, a tenth of the farm: it also requires --max-removals %d", allowed, n))
	}
	return o
}

// byHTTP lists the tenants whose certificates do not exist yet.
func byHTTP(all []*tenants.Tenant) (names []string) {
	for _, t := range all {
		if t.ByHTTP {
			names = append(names, t.Name)
		}
	}
	return names
}

// isOrAre begins a sentence about tenants, with the names of a few.
func isOrAre(names []string) string {
	const few = 5
	switch {
	case len(names) == 1:
		return names[0] + " is"
	case len(names) > few:
		return fmt.Sprintf("%s and %d more are", strings.Join(names[:few], ", "), len(names)-few)
	}
	return strings.Join(names, ", ") + " are"
}

// Removals returns how many leftovers Apply would remove with Prune, and how many it
// removes without confirmation of their number: a tenth of the farm, and at least one. A
// farm with missing files looks like one that lost many tenants.
func (p *Plan) Removals() (n, allowed int) {
	for _, left := range p.Leftovers {
		if left.Problem == "" {
			n++
		}
	}
	return n, max(1, (len(p.all)+len(p.Leftovers))/10)
}

// renames finds the tenants whose database the ledger has under another name without a
// definition, on the same server: new name to row.
func renames(all []*tenants.Tenant, rows map[string]ledger.Tenant) map[string]ledger.Tenant {
	type place struct{ server, database string }
	free := map[place]ledger.Tenant{}
	for _, row := range undefined(all, rows) {
		free[place{row.Server, row.Database}] = row
	}
	found := map[string]ledger.Tenant{}
	for _, t := range all {
		row, ok := free[place{t.Server.Name, t.Database}]
		if _, known := rows[t.Name]; ok && !known {
			found[t.Name] = row
		}
	}
	return found
}

// undefined returns the rows of tenants without a definition.
func undefined(all []*tenants.Tenant, rows map[string]ledger.Tenant) map[string]ledger.Tenant {
	defined := map[string]bool{}
	for _, t := range all {
		defined[t.Name] = true
	}
	left := map[string]ledger.Tenant{}
	for name, row := range rows {
		if !defined[name] {
			left[name] = row
		}
	}
	return left
}

// owner returns the tenant that is defined with a database, whatever its name, or nil:
// servers may not distinguish upper and lower case.
func owner(all []*tenants.Tenant, server, database string) *tenants.Tenant {
	for _, t := range all {
		if t.Server.Name == server && strings.EqualFold(t.Database, database) {
			return t
		}
	}
	return nil
}

// making describes the work to make a tenant; begun is the state of an earlier run that
// began it.
func (c *creation) making(t *tenants.Tenant, begun string) string {
	what := fmt.Sprintf("database %s on server %s, accounts %s and %s, secrets, release, virtual host of %s",
		t.Database, t.Server.Name, t.WebAccount(), t.SchemaAccount(), strings.Join(t.Places(), " "))
	if c.rows[t.Name].State != ledger.Made {
		if files, _ := c.sql.Pending(t, nil); len(files) > 0 {
			what += ", the farm's SQL (" + strings.Join(files, ", ") + ")"
		}
	}
	if len(t.Databases) > 0 {
		what += ", and databases " + strings.Join(t.Databases, ", ")
	}
	if t.Owner != nil {
		what += fmt.Sprintf(", with the accounts of %s", t.Owner.Name)
	}
	if t.Media != nil {
		what += fmt.Sprintf(", with the files of %s", t.Media.Name)
	}
	for _, g := range t.Grants {
		what += fmt.Sprintf(", %s on %s of %s", strings.Join(g.Rights, ", "), strings.Join(g.Tables, ", "), g.On)
	}
	if begun != "" {
		what += " (" + begun + ")"
	}
	return what
}

// otherCode returns why a tenant requires an upgrade first, or "".
func otherCode(t *tenants.Tenant, row ledger.Tenant, open ledger.Upgrade) string {
	switch {
	case open.Run != "":
		return fmt.Sprintf("%s; %s finishes it", upgrading(open), open.Completion())
	case row.ComponentSet == t.ComponentSet(t.Codebase):
		return ""
	case row.Version == t.Codebase.Version:
		return fmt.Sprintf("MediaWiki %s with other code or extensions, and all other changes: wikictl upgrade %s", row.Version, t.Name)
	}
	return fmt.Sprintf("from MediaWiki %s to %s, and all other changes: wikictl upgrade %s", row.Version, t.Codebase.Version, t.Name)
}
