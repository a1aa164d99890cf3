package definitions

import (
	"fmt"
	"slices"

	"wikictl/tenants"
	"wikictl/tenants/mediawiki"
)

// checkAdmin refuses an administrator's name that MediaWiki would not let log in.
func (l *loader) checkAdmin(t *tenants.Tenant, name text) {
	why, hint := mediawiki.UserNameProblem(name.value)
	if why == "" && l.reservedHere(t, name.value) {
		why, hint = fmt.Sprintf("%q is a name that this wiki reserves", name.value), "choose another"
	}
	if why != "" {
		l.report(name.at, "admin", hint, "%s", why)
	}
}

// reservedHere reports whether the tenant's settings or the messages of its language reserve
// a name.
func (l *loader) reservedHere(t *tenants.Tenant, name string) bool {
	own, _ := t.Settings["wgReservedUsernames"].Data.([]tenants.Value)
	if slices.ContainsFunc(own, func(v tenants.Value) bool { return v.Data == name }) {
		return true
	}
	if t.Codebase == nil || !tenants.LanguageCode.MatchString(t.Language) {
		return false
	}
	key := [2]string{t.Codebase.Path, t.Language}
	known, ok := l.reserved.Load(key)
	if !ok {
		known = mediawiki.ReservedIn(t.Codebase, t.Language)
		l.reserved.Store(key, known)
	}
	return slices.Contains(known.([]string), name)
}
