package tenants

import (
	"fmt"
	"slices"
)

// checkAdmin refuses an administrator who could not log in.
func (l *loader) checkAdmin(t *Tenant, name text) {
	why, hint := userNameProblem(name.value)
	if why == "" && l.reservedHere(t, name.value) {
		why, hint = fmt.Sprintf("%q is a name that this wiki reserves", name.value), "choose another"
	}
	if why != "" {
		l.report(name.at, "admin", hint, "%s", why)
	}
}

// reservedHere reports whether the tenant's settings or the messages of its language
// reserve a name.
func (l *loader) reservedHere(t *Tenant, name string) bool {
	own, _ := t.Settings["wgReservedUsernames"].Data.([]Value)
	if slices.ContainsFunc(own, func(v Value) bool { return v.Data == name }) {
		return true
	}
	if t.Codebase == nil || !languageCode.MatchString(t.Language) {
		return false
	}
	key := [2]string{t.Codebase.Path, t.Language}
	known, ok := l.reserved.Load(key)
	if !ok {
		known = reservedIn(t.Codebase, t.Language)
		l.reserved.Store(key, known)
	}
	return slices.Contains(known.([]string), name)
}
