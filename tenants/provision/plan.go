package provision

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"wikictl/templates/deploy"
	"wikictl/tenants"
	"wikictl/tenants/mariadb"
)

// Kind says what is to be done about a difference.
type Kind string

// Kinds of differences.
const (
	Make    Kind = "make"    // it is defined, and not there or not finished
	Change  Kind = "change"  // files or accounts are not as they are wanted
	Rename  Kind = "rename"  // it is there under a name that is not defined any more
	Upgrade Kind = "upgrade" // only wikictl upgrade may close it
	Blocked Kind = "blocked" // something stands in the way
	Left    Kind = "left"    // it is there, and nothing defines it
)

// Entry is one difference of a tenant.
type Entry struct {
	Kind Kind   `json:"kind"`
	What string `json:"what"`           // a sentence without a full stop
	Diff string `json:"diff,omitempty"` // of a file, unified, secrets masked
}

// Planned is one defined tenant that differs from what is there.
type Planned struct {
	Name    string  `json:"name"`
	From    string  `json:"from,omitempty"` // its name in the ledger, when it is renamed
	Entries []Entry `json:"entries"`

	tenant   *tenants.Tenant
	row      mariadb.TenantRow // the zero row: the ledger has none
	accounts bool              // they are to be made again
}

// Is says whether there are entries of a kind.
func (p *Planned) Is(k Kind) bool {
	for _, e := range p.Entries {
		if e.Kind == k {
			return true
		}
	}
	return false
}

// inTheWay is what stands in the way, as an error: a line for each.
func (p *Planned) inTheWay() error {
	var lines []string
	for _, e := range p.Entries {
		if e.Kind == Blocked {
			lines = append(lines, e.What)
		}
	}
	return errors.New(strings.Join(lines, "\n"))
}

func (p *Planned) add(k Kind, format string, args ...any) {
	p.Entries = append(p.Entries, Entry{Kind: k, What: fmt.Sprintf(format, args...)})
}

// Leftover is what wikictl made for a tenant that nothing defines any more.
type Leftover struct {
	Name    string   `json:"name"`
	Items   []string `json:"items"`             // what Apply removes, when it is told to; files move to state/removed
	Kept    []string `json:"kept,omitempty"`    // what stays, as it is not the tenant's
	Problem string   `json:"problem,omitempty"` // why it can't be removed

	tenant *tenants.Tenant   // without a server when the ledger does not know it
	row    mariadb.TenantRow // the zero row: only the state folder has it
}

// Plan is how the definitions differ from what is there.
type Plan struct {
	Tenants   []*Planned  // that differ, in the farm's order
	Farm      []Entry     // of no tenant
	Left      []*Leftover // by name; only of a plan for the whole farm
	Unchanged int
	Unseen    []string // what whoever looked may not see, a sentence each without a full stop

	all []*tenants.Tenant
}

// Count is how many tenants have differences of a kind.
func (p *Plan) Count(k Kind) int {
	if k == Left {
		return len(p.Left)
	}
	n := 0
	for _, t := range p.Tenants {
		if t.Is(k) {
			n++
		}
	}
	return n
}

// Empty says that nothing differs, as far as it could be seen.
func (p *Plan) Empty() bool { return len(p.Tenants)+len(p.Farm)+len(p.Left) == 0 }

// InTheWay reports whether Apply would fail at something that it can see now. With
// prune that may be a leftover that can't be removed.
func (p *Plan) InTheWay(prune bool) bool {
	stuck := func(left *Leftover) bool { return left.Problem != "" }
	return p.Count(Blocked) > 0 || prune && slices.ContainsFunc(p.Left, stuck)
}

// Removals says how many leftovers Apply would remove with Prune, and how many it
// removes without being told their number: a tenth of the farm, and one in any case. A
// farm's files that are half there look like a farm that lost many tenants.
func (p *Plan) Removals() (n, allowed int) {
	for _, left := range p.Left {
		if left.Problem == "" {
			n++
		}
	}
	return n, max(1, (len(p.all)+len(p.Left))/10)
}

// renames finds the tenants that the ledger has under another name, which no file
// defines any more, with the same database on the same server: new name to row.
func renames(all []*tenants.Tenant, rows map[string]mariadb.TenantRow) map[string]mariadb.TenantRow {
	type place struct{ server, database string }
	free := map[place]mariadb.TenantRow{}
	for _, row := range undefined(all, rows) {
		free[place{row.Server, row.Database}] = row
	}
	found := map[string]mariadb.TenantRow{}
	for _, t := range all {
		row, ok := free[place{t.Server.Name, t.Database}]
		if _, known := rows[t.Name]; ok && !known {
			found[t.Name] = row
		}
	}
	return found
}

// undefined are the rows of tenants that no file defines.
func undefined(all []*tenants.Tenant, rows map[string]mariadb.TenantRow) map[string]mariadb.TenantRow {
	defined := map[string]bool{}
	for _, t := range all {
		defined[t.Name] = true
	}
	left := map[string]mariadb.TenantRow{}
	for name, row := range rows {
		if !defined[name] {
			left[name] = row
		}
	}
	return left
}

// owner is the tenant that is defined on a database, whatever it is called: a
// server may not tell capital letters from small ones. nil when there is none.
func owner(all []*tenants.Tenant, server, database string) *tenants.Tenant {
	for _, t := range all {
		if t.Server.Name == server && strings.EqualFold(t.Database, database) {
			return t
		}
	}
	return nil
}

// making says what of a tenant is to be made; begun is what became of the run that
// began it, if one did.
func making(t *tenants.Tenant, begun string) string {
	what := fmt.Sprintf("database %s on server %s, accounts %s and %s, secrets, release, virtual host of %s",
		t.Database, t.Server.Name, t.WebAccount(), t.SchemaAccount(), strings.Join(t.Hosts, " "))
	if begun != "" {
		what += " (" + begun + ")"
	}
	return what
}

// otherCode says why only an upgrade may touch a tenant; empty when it need not.
func otherCode(t *tenants.Tenant, row mariadb.TenantRow, open mariadb.UpgradeRow) string {
	switch {
	case open.Run != "":
		return fmt.Sprintf("%s; wikictl upgrade %s finishes it", upgrading(open), t.Name)
	case row.ComponentSet == t.ComponentSet(t.Codebase):
		return ""
	case row.Version == t.Codebase.Version:
		return fmt.Sprintf("MediaWiki %s with other code or extensions, and what else changed: wikictl upgrade %s", row.Version, t.Name)
	}
	return fmt.Sprintf("from MediaWiki %s to %s, and what else changed: wikictl upgrade %s", row.Version, t.Codebase.Version, t.Name)
}

// addChange notes a file that differs.
func (p *Planned) addChange(c deploy.Change) {
	p.Entries = append(p.Entries, Entry{Kind: Change, What: string(c.Kind) + " " + c.Path, Diff: c.Diff})
}
