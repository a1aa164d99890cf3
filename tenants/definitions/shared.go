package definitions

import (
	"fmt"
	"slices"

	"wikictl/tenants"
	"wikictl/tenants/mediawiki"
)

// setShared sets the tenants whose accounts and files a tenant shares. These may be members of the
// class that sets them.
func (l *loader) setShared(t *tenants.Tenant, v *layer, layers []*layer) {
	for key, name := range map[string]*string{"users": &t.Shared.Users, "media": &t.Shared.Media} {
		for _, layer := range layers {
			if value := layer.shared[key]; value.set() {
				*name, t.Origins["shared."+key] = value.value, value.at
			}
		}
		if *name != t.Name {
			continue
		}
		if own := v.shared[key]; own.set() {
			l.report(own.at, "shared."+key, "remove it", "%q is the tenant itself", t.Name)
		}
		*name = ""
	}
}

// linkShared finds the tenants whose accounts are shared, and blocks those that can't share them.
func (l *loader) linkShared() {
	for _, t := range l.farm.Tenants {
		if t.Shared.Users == "" {
			continue
		}
		owner := l.farm.Tenant(t.Shared.Users)
		if owner != nil {
			owner.Members = append(owner.Members, t)
			t.Owner = owner
		}
		if message, hint := sharedFault(t, owner, l.farm); message != "" {
			t.Fault(tenants.Problem{Position: t.Origins["shared.users"], Key: "shared.users", Message: message, Hint: hint})
		}
	}
}

// sharedFault returns why a tenant can't share the accounts of another, with a hint; empty if it
// can.
func sharedFault(t, owner *tenants.Tenant, f *tenants.Farm) (message, hint string) {
	for _, name := range []string{"wgSharedDB", "wgSharedTables", "wgSharedPrefix", "wgSharedSchema"} {
		if v, set := t.Settings[name]; set {
			return fmt.Sprintf("$%s is set, too, at %s", name, v.Position), "unset it"
		}
	}
	switch {
	case owner == nil:
		return noTenant(t.Shared.Users, f)
	case owner.Shared.Users != "":
		return fmt.Sprintf("%q has the accounts of %q itself", owner.Name, owner.Shared.Users), fmt.Sprintf("users = %q", owner.Shared.Users)
	case owner.Server != t.Server:
		return fmt.Sprintf("%q is on another server", owner.Name), "MediaWiki joins its tables with the wiki's own, which have to be on one server"
	case owner.Pool.User != t.Pool.User:
		return fmt.Sprintf("%q runs as another user, whose files the wiki can't see: it would not be read-only with it", owner.Name), "set the same user in [pool]"
	case owner.Codebase == nil || t.Codebase == nil || len(owner.Codebase.Faults)+len(t.Codebase.Faults) > 0:
		return "", "" // reported for the codebase
	case mediawiki.NewerSchema(t.Codebase.Version, owner.Codebase.Version):
		return fmt.Sprintf("%q is on MediaWiki %s, which is older than the wiki's own %s", owner.Name, owner.Codebase.Version, t.Codebase.Version), fmt.Sprintf("set the codebase of %q first: the tables are as its version has them", owner.Name)
	}
	if problem := mediawiki.SharingFault(t.Codebase, owner.Codebase, tenants.SharedTables(t)); problem != "" {
		return problem, fmt.Sprintf("set the codebase to that of %q", owner.Name)
	}
	return "", ""
}

// noTenant returns the message for an unknown tenant, and a hint with a similar name.
func noTenant(name string, f *tenants.Farm) (message, hint string) {
	return fmt.Sprintf("there is no tenant %q", name), tenants.Suggest(name, slices.Values(tenants.NamesOf(f.Tenants)))
}
