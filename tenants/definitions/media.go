package definitions

import (
	"fmt"

	"wikictl/tenants"
	"wikictl/tenants/mediawiki"
)

// linkMedia finds the tenants whose files others show, and blocks those that can't show them.
func (l *loader) linkMedia() {
	var code mediawiki.Reading
	for _, t := range l.farm.Tenants {
		if t.Shared.Media == "" {
			continue
		}
		owner := l.farm.Tenant(t.Shared.Media)
		if owner != nil {
			if t.MediaDenied = mediaDenied(t, owner); t.MediaDenied != nil {
				continue
			}
		}
		message, hint := mediaFault(t, owner, l.farm)
		if owner != nil && message == "" {
			message, hint = code.Fault(t.Codebase, owner.Codebase), fmt.Sprintf("set the codebase to that of %q", owner.Name)
		}
		if message != "" {
			t.Fault(tenants.Problem{Position: t.Origins["shared.media"], Key: "shared.media", Message: message, Hint: hint})
		}
		if owner != nil {
			owner.Viewers = append(owner.Viewers, t)
			t.Media, t.MediaTables = owner, code.Tables(t.Codebase, owner.Codebase)
		}
	}
}

// mediaFault returns why a tenant can't show the files of another, with a hint; empty if it can.
func mediaFault(t, owner *tenants.Tenant, f *tenants.Farm) (message, hint string) {
	switch {
	case owner == nil:
		return noTenant(t.Shared.Media, f)
	case owner.Shared.Media != "":
		return fmt.Sprintf("%q itself shows the files of %q, and files can't be shown through a third wiki", owner.Name, owner.Shared.Media), fmt.Sprintf("media = %q", owner.Shared.Media)
	case owner.Server != t.Server:
		return fmt.Sprintf("%q is on another server, where the wiki's account can't read", owner.Name), "set wgForeignFileRepos in [settings] to MediaWiki's ForeignAPIRepo, which asks by HTTP, and remove media"
	}
	for _, name := range tenants.ElsewhereSettings {
		if v, set := owner.Settings[name]; set {
			return fmt.Sprintf("%q has its files elsewhere, by $%s at %s", owner.Name, name, v.Position), "set wgForeignFileRepos in [settings] to suit, with grants, and remove media"
		}
	}
	if t.CapitalFiles() && !owner.CapitalFiles() {
		return fmt.Sprintf("names of files of %q may begin with a small letter, those of the wiki may not", owner.Name), "set wgCapitalLinkOverrides.6 to the same in both"
	}
	return "", ""
}

// mediaDenied returns the problem of a tenant that would show the files of a tenant that is not
// open to all readers, or nil. It is not a Fault, which would block the tenant: an existing tenant
// must lose its rights on the owner's tables, and the files in its settings.
func mediaDenied(t, owner *tenants.Tenant) *tenants.Problem {
	p := &tenants.Problem{Position: t.Origins["shared.media"], Key: "shared.media"}
	switch at, right := owner.ReadRight(); right {
	case tenants.ReadOpen:
		return nil
	case tenants.ReadDenied:
		p.Message = fmt.Sprintf("%q is private by %s, and the wiki would show its files to others", owner.Name, at.Position)
		p.Hint = fmt.Sprintf("remove media, or open %q", owner.Name)
	default:
		p.Message = fmt.Sprintf("%q may be private: only PHP knows its readers, by %s", owner.Name, at.Position)
		p.Hint = "write true or false there, or remove media"
	}
	return p
}
