package tenants

import "slices"

// Shared says what a tenant has in common with another, by the other's name.
type Shared struct {
	Users string // the tenant whose accounts it has, the owner; empty: it has its own
}

// UserTables lists the tables of accounts that wikis share (Manual:$wgSharedTables). Without
// actor the authors of edits would be other ones. user_groups and blocks stay each wiki's own:
// what a block says of its reason is in a table that is not shared.
func UserTables() []string {
	return []string{"actor", "user", "user_autocreate_serial", "user_properties"}
}

// AllGrants returns the grants of the tenant's definition and, if it has another tenant's
// accounts, the one on their tables.
func (t *Tenant) AllGrants() []Grant {
	if t.Owner == nil {
		return t.Grants
	}
	return append(slices.Clip(t.Grants), Grant{On: t.Owner.Database, Tables: UserTables(), Rights: DataRights(), Position: t.Origins["shared.users"]})
}

// NamesOf lists the names of tenants.
func NamesOf(list []*Tenant) []string {
	names := make([]string, len(list))
	for i, t := range list {
		names[i] = t.Name
	}
	return names
}

// SharedTables lists the tables of accounts that a tenant's code reads or writes. That of
// numbers of temporary accounts is used only where the settings switch them on.
func SharedTables(t *Tenant) []string {
	if _, set := t.Settings["wgAutoCreateTempUser"]; set {
		return UserTables()
	}
	return slices.DeleteFunc(UserTables(), func(table string) bool { return table == "user_autocreate_serial" })
}
