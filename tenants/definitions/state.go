package definitions

import (
	"slices"
	"strings"

	"wikictl/tenants"
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
	switch own := v.single["reason"]; {
	case t.State == tenants.StateClosed && reason.set():
		t.Reason = reason.value
	case t.State == tenants.StateClosed:
		t.Reason = closedReason
	case own.set():
		l.report(own.at, "reason", `set state = "closed" beside it`, "it is of a closed wiki, and this one is %s", t.State)
	}
	if t.State == tenants.StatePrivate {
		l.mergeLayer(t, &layer{settings: forbidden(state.at)})
	}
}

// forbidden returns the rights that visitors of a private wiki do not have
// (Manual:Preventing access).
func forbidden(at tenants.Position) map[string]tenants.Value {
	no := tenants.Value{Data: false, Position: at}
	visitors := tenants.Value{Data: map[string]tenants.Value{"read": no, "edit": no, "createaccount": no}, Position: at}
	return map[string]tenants.Value{"wgGroupPermissions": {Data: map[string]tenants.Value{"*": visitors}, Position: at}}
}
