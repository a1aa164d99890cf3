package definitions

import (
	"slices"
	"strings"

	"wikictl/tenants"
	"wikictl/tenants/mediawiki"
)

// closedReason is the default reason of a closed wiki.
const closedReason = "This wiki is closed."

// states are the values of the key state.
var states = []string{string(tenants.StateOpen), string(tenants.StatePrivate), string(tenants.StateClosed)}

// checkState reports an unknown state.
func checkState(s *section, state text) {
	if state.set() && !slices.Contains(states, state.value) {
		s.report(state.at, "state", tenants.Suggest(state.value, slices.Values(states)), "%q is none of %s", state.value, strings.Join(states, ", "))
	}
}

// setState sets whether a wiki is open, private or closed. A private state sets settings
// that override all others.
func (l *loader) setState(t *tenants.Tenant, v *layer, single map[string]text) {
	t.State = tenants.StateOpen
	state, reason := single["state"], single["reason"]
	if state.set() {
		t.State = tenants.State(state.value)
	}
	l.setStage(t, v)
	switch own := v.single["reason"]; {
	case t.State == tenants.StateClosed && reason.set():
		t.Reason = reason.value
	case t.State == tenants.StateClosed:
		t.Reason = closedReason
	case own.set():
		l.report(own.at, "reason", `set state = "closed" beside it`, "only a closed wiki has a reason, and this one is %s", t.State)
	}
	if t.State == tenants.StatePrivate {
		repeats := t.Repeats // state does more than the settings that it repeats
		l.mergeLayer(t, &layer{settings: forbidden(positionOf(t, "state"), t.Codebase)})
		t.Repeats = repeats
	}
}

// setStage sets the wiki of which a tenant is a staging copy. A staging copy is private, so that
// visitors don't read content that its wiki hides from them, or that new code may have broken.
func (l *loader) setStage(t *tenants.Tenant, v *layer) {
	if !v.stageOf.set() {
		return
	}
	if v.stageOf.value == t.Name {
		l.report(v.stageOf.at, "stage_of", "remove it", "%q is the tenant itself", t.Name)
	}
	if own := v.single["state"]; own.set() && own.value != string(tenants.StatePrivate) {
		l.report(own.at, "state", "remove it, or stage_of", "a staging copy is private")
	}
	t.StageOf, t.Origins["stage_of"], t.State = v.stageOf.value, v.stageOf.at, tenants.StatePrivate
}

// forbidden returns the rights that visitors of a private wiki do not have
// (Manual:Preventing access). From MediaWiki 1.47 on users who are logged in elsewhere
// get an account by default.
func forbidden(at tenants.Position, c *tenants.Codebase) map[string]tenants.Value {
	no := tenants.Value{Data: false, Position: at}
	rights := map[string]tenants.Value{"read": no, "edit": no, "createaccount": no}
	if c != nil && mediawiki.CompareVersions(c.Version, "1.47") >= 0 {
		rights["autocreateaccount"] = no
	}
	visitors := tenants.Value{Data: rights, Position: at}
	return map[string]tenants.Value{"wgGroupPermissions": {Data: map[string]tenants.Value{"*": visitors}, Position: at}}
}
