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
	return CopyOf(t, c.Of, c.Masked)
}

// CopyOf describes an unfinished restore that makes a tenant a copy of a wiki, of none if of is
// empty. It is a staging copy if the tenant is defined as one of that wiki.
func CopyOf(t *tenants.Tenant, of string, masked bool) ledger.Copying {
	return ledger.Copying{Of: of, Masked: masked, Staged: of != "" && of == t.StageOf}
}
