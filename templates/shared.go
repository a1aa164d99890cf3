package templates

import (
	"bytes"
	"fmt"

	"wikictl/tenants"
)

// Accounts describes the accounts of another wiki, the owner, that a wiki uses as its own.
type Accounts struct {
	Of          string   // the owner's name
	Database    string   // $wgSharedDB
	Tables      []string // $wgSharedTables
	ReadOnly    string   // the file that makes the owner read-only
	Maintenance string   // the owner's maintenance page
}

// sharedAccounts describes the accounts of another wiki that a tenant uses; nil if it has its own.
func sharedAccounts(t *tenants.Tenant, l tenants.Layout) *Accounts {
	if t.Owner == nil {
		return nil
	}
	return &Accounts{
		Of: t.Owner.Name, Database: t.Owner.Database, Tables: tenants.UserTables(),
		ReadOnly: l.ReadOnly(t.Owner.Name), Maintenance: l.Maintenance(t.Owner.Name),
	}
}

// checkShared refuses settings that a template of the farm's own rendered without the other
// wiki's accounts: the tenant would have no accounts.
func (v *View) checkShared(settings []byte, label string) error {
	if v.Shared == nil || bytes.Contains(settings, []byte("$wgSharedDB")) && bytes.Contains(settings, []byte(v.Shared.ReadOnly)) {
		return nil
	}
	return withoutBlock("shared", label, fmt.Sprintf("it leaves out that %s uses the accounts of %s", v.Tenant.Name, v.Shared.Of))
}

// checkStage refuses settings that a template of the farm's own rendered for a staging copy as
// for any wiki: the copy would send mail.
func (v *View) checkStage(settings []byte, label string) error {
	if v.Tenant.StageOf == "" || bytes.Contains(settings, []byte("AlternateUserMailer")) {
		return nil
	}
	return withoutBlock("stage", label, fmt.Sprintf("it lets %s, a staging copy of %s, send mail", v.Tenant.Name, v.Tenant.StageOf))
}

// withoutBlock returns the problem of a template of the farm's own that lacks a block of the
// built-in one.
func withoutBlock(block, label, message string) error {
	return tenants.Problems{{
		Position: tenants.Position{File: label}, Message: message,
		Hint: fmt.Sprintf("add the block %q of the built-in template; wikictl templates show prints it", block),
	}}
}
