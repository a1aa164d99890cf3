package tenants

import "slices"

// Grant is a set of rights of a tenant's database accounts in a database of another tenant.
type Grant struct {
	On       string   // the database
	Tables   []string // "*": all of them
	Rights   []string // of DataRights
	Position Position
}

// DataRights returns the privileges that a Grant may give: those that read and write rows.
func DataRights() []string { return []string{"DELETE", "INSERT", "SELECT", "UPDATE"} }

// HasDatabase reports whether a database is one of the tenant's.
func (t *Tenant) HasDatabase(name string) bool {
	return t.Database == name || slices.Contains(t.Databases, name)
}

// MayUse reports whether a database is one of the tenant's, or one in which its definition gives
// it rights.
func (t *Tenant) MayUse(database string) bool {
	return t.HasDatabase(database) || slices.ContainsFunc(t.AllGrants(), func(g Grant) bool { return g.On == database })
}
