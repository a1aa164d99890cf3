package definitions

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"wikictl/tenants"
)

// tableName matches the names of tables that a grant may have.
var tableName = regexp.MustCompile(`^[A-Za-z0-9_$]{1,64}$`)

// readGrants reads a layer's grants.
func (l *loader) readGrants(s *section) (grants []tenants.Grant) {
	s.list("grants", func(at tenants.Position, sub *section) {
		defer sub.end()
		on, tables, rights := sub.text("on"), sub.texts("tables"), sub.texts("rights")
		g := tenants.Grant{On: on.value, Position: at}
		if !on.set() && !on.wrong {
			sub.report(at, "on", `such as on = "wiki_pool"`, "is missing: the database")
		}
		if isEmpty(sub.table["tables"]) {
			sub.report(at, "tables", `such as tables = ["user"], or ["*"] for all`, "is missing: the tables")
		}
		if isEmpty(sub.table["rights"]) {
			sub.report(at, "rights", `such as rights = ["SELECT"]`, "is missing: what is allowed")
		}
		for _, t := range tables {
			if t.value != "*" && !tableName.MatchString(t.value) {
				sub.report(t.at, "tables", "without prefix and database", "%q is not a table's name", t.value)
				continue
			}
			g.Tables = append(g.Tables, t.value)
		}
		for _, t := range rights {
			right := strings.ToUpper(t.value)
			if !slices.Contains(tenants.DataRights(), right) {
				sub.report(t.at, "rights", "want "+strings.Join(tenants.DataRights(), ", "), "%q is more than reading and writing rows", t.value)
				continue
			}
			g.Rights = append(g.Rights, right)
		}
		if g.On != "" && len(g.Tables) > 0 && len(g.Rights) > 0 {
			grants = append(grants, g)
		}
	})
	return grants
}

// isEmpty reports whether a value is not given, or is a list without elements.
func isEmpty(v tenants.Value) bool {
	list, isList := v.Data.([]tenants.Value)
	return v.Data == nil || isList && len(list) == 0
}

// setGrants sets a tenant's grants from all its layers, except those on itself: the owner
// of the tables may be a member of the class, too.
func setGrants(t *tenants.Tenant, layers []*layer) {
	for _, layer := range layers {
		for _, g := range layer.grants {
			if !t.HasDatabase(g.On) {
				t.Grants = append(t.Grants, g)
			}
		}
	}
}

// setDatabases sets a tenant's further databases.
func (l *loader) setDatabases(t *tenants.Tenant, v *layer) {
	for _, d := range v.databases {
		switch {
		case !tenants.ValidDatabase(d.value):
			l.report(d.at, "databases", "", "%q is not made of 1 to 64 letters, digits and _", d.value)
		case isReserved(d.value):
			l.report(d.at, "databases", "choose another", "%q belongs to the server or to wikictl", d.value)
		case t.HasDatabase(d.value):
			l.report(d.at, "databases", "name each once", "the tenant has %q already", d.value)
		default:
			t.Databases = append(t.Databases, d.value)
			t.Origins["databases."+d.value] = d.at
			if len(t.Databases) == 1 {
				t.Origins["databases"] = d.at
			}
		}
	}
}

// checkGrants blocks the tenants with grants on databases that no tenant has.
func (l *loader) checkGrants(databases map[string]*tenants.Tenant) {
	for _, t := range l.farm.Tenants {
		for _, g := range t.Grants {
			owner := databases[onServer(t, g.On)]
			if owner != nil && owner.HasDatabase(g.On) && owner.Server == t.Server {
				continue
			}
			p := tenants.Problem{Position: g.Position, Key: "grants.on", Message: fmt.Sprintf("no tenant on its server has the database %q", g.On)}
			for _, other := range l.farm.Tenants {
				if other.HasDatabase(g.On) && other.Server != t.Server && other.Server != nil {
					p.Hint = fmt.Sprintf("tenant %s has it on server %s, which no grant reaches", other.Name, other.Server.Name)
				} else if other.Name == g.On {
					p.Hint = fmt.Sprintf("the database of tenant %s is %q", other.Name, other.Database)
				}
			}
			t.Fault(p)
		}
	}
}

// grantsTable converts grants to the form of a definition.
func grantsTable(grants []tenants.Grant) []map[string]any {
	list := make([]map[string]any, len(grants))
	for i, g := range grants {
		list[i] = map[string]any{"on": g.On, "tables": g.Tables, "rights": g.Rights}
	}
	return list
}
