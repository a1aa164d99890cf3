package tenants

import "slices"

// Shared names the tenants whose accounts or files a tenant shares.
type Shared struct {
	Users string // name of the owner of its accounts; empty: it has its own
	Media string // the tenant whose files it shows beside its own; empty: none
}

// MediaTables lists the tables that MediaWiki reads of a wiki whose files another one shows
// (MediaWiki: LocalRepo and LocalFile), those of newer versions included.
func MediaTables() []string {
	return []string{"actor", "comment", "file", "filerevision", "filetypes", "image", "oldimage", "page", "redirect"}
}

// UserTables lists the tables of accounts that wikis share (Manual:$wgSharedTables). Without
// actor the authors of edits would be other ones. user_groups and blocks stay each wiki's own:
// what a block says of its reason is in a table that is not shared.
func UserTables() []string {
	return []string{"actor", "user", "user_autocreate_serial", "user_properties"}
}

// AllGrants returns the grants of the tenant's definition and, if it has another tenant's
// accounts or shows its files, those on their tables.
func (t *Tenant) AllGrants() []Grant {
	all := slices.Clip(t.Grants)
	if t.Owner != nil {
		all = append(all, Grant{On: t.Owner.Database, Tables: UserTables(), Rights: DataRights(), Position: t.Origins["shared.users"]})
	}
	if t.Media != nil {
		all = append(all, Grant{On: t.Media.Database, Tables: t.MediaTables, Rights: []string{"SELECT"}, Position: t.Origins["shared.media"]})
	}
	return all
}

// ReadsFrom returns the other tenants whose tables the tenant's pages need.
func (t *Tenant) ReadsFrom() (others []*Tenant) {
	for _, other := range []*Tenant{t.Owner, t.Media} {
		if other != nil && !slices.Contains(others, other) {
			others = append(others, other)
		}
	}
	return others
}

// NamingIt returns the other tenants whose settings name the tenant's folder: those that have its
// accounts or show its files.
func (t *Tenant) NamingIt() []*Tenant {
	others := slices.Clone(t.Members)
	for _, viewer := range t.Viewers {
		if !slices.Contains(others, viewer) {
			others = append(others, viewer)
		}
	}
	return others
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

// CapitalFiles reports whether the names of a tenant's files begin with a capital letter
// (Manual:$wgCapitalLinks). An expression counts as MediaWiki's default.
func (t *Tenant) CapitalFiles() bool {
	overrides, _ := t.Settings["wgCapitalLinkOverrides"].Data.(map[string]Value)
	if v, set := overrides["6"]; set { // NS_FILE
		return v.Data != false
	}
	return t.Settings["wgCapitalLinks"].Data != false
}
