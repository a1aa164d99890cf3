package session

import (
	"encoding/json"

	"wikictl/tenants"
	"wikictl/tenants/disk"
	"wikictl/tenants/ledger"
)

// Completion returns the command that completes what was interrupted in a tenant's state, or ""
// for a ready one. Without the journal of a restore, or to a user who may not read it, it is
// wikictl restore, which finishes a clone and a staging copy, too.
func Completion(l tenants.Layout, t *tenants.Tenant, row ledger.Tenant) string {
	return row.Completion(CopyingOf(l, t, row))
}

// CopyingOf reads of which wiki an unfinished restore makes a tenant a copy.
func CopyingOf(l tenants.Layout, t *tenants.Tenant, row ledger.Tenant) (c ledger.Copying) {
	if row.State != ledger.Recovering {
		return c
	}
	data, err := disk.Read(l.RestoreJournal(t.Name))
	if err != nil || json.Unmarshal(data, &c) != nil {
		return ledger.Copying{}
	}
	c.Staged = c.Of != "" && c.Of == t.StageOf
	return c
}
