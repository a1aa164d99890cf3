package templates

import (
	"bytes"
	"fmt"

	"wikictl/tenants"
)

// Accounts are those that a wiki has of another, the owner.
type Accounts struct {
	Of          string   // the owner's name
	Database    string   // $wgSharedDB
	Tables      []string // $wgSharedTables
	ReadOnly    string   // the owner's $wgReadOnlyFile
	Maintenance string   // the owner's maintenance page
}

// sharedAccounts returns the accounts that a tenant has of another, or nil.
func sharedAccounts(t *tenants.Tenant, l tenants.Layout) *Accounts {
	if t.Owner == nil {
		return nil
	}
	return &Accounts{
		Of: t.Owner.Name, Database: t.Owner.Database, Tables: tenants.UserTables(),
		ReadOnly: l.ReadOnly(t.Owner.Name), Maintenance: l.Maintenance(t.Owner.Name),
	}
}

// checkShared refuses the settings of a wiki with the accounts of another that a template of
// the farm's own made without them: it would have none.
func (v *View) checkShared(settings []byte, label string) error {
	if v.Shared == nil || bytes.Contains(settings, []byte("$wgSharedDB")) && bytes.Contains(settings, []byte(v.Shared.ReadOnly)) {
		return nil
	}
	return withoutBlock("shared", label, fmt.Sprintf("it leaves out the accounts that %s has of %s", v.Tenant.Name, v.Shared.Of))
}

// checkStage refuses the settings of a staging copy that a template of the farm's own made
// as those of any wiki: mail would leave it.
func (v *View) checkStage(settings []byte, label string) error {
	if v.Tenant.StageOf == "" || bytes.Contains(settings, []byte("AlternateUserMailer")) {
		return nil
	}
	return withoutBlock("stage", label, fmt.Sprintf("it lets mail leave %s, a staging copy of %s", v.Tenant.Name, v.Tenant.StageOf))
}

// withoutBlock returns the problem of a template of the farm's own that lacks a block of the
// built-in one.
func withoutBlock(block, label, message string) error {
	return tenants.Problems{{
		Position: tenants.Position{File: label}, Message: message,
		Hint: fmt.Sprintf("add the block %q of the built-in template; wikictl templates show prints it", block),
	}}
}
