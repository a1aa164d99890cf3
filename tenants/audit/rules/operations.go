package rules

import (
	"fmt"
	"maps"
	"slices"

	"wikictl/tenants"
	"wikictl/tenants/audit"
)

// operationRules find operations on what does not exist.
var operationRules = []rule{{Rule: audit.Rule{
	ID: "operation-vain", Severity: audit.Warning,
	What:      "An operation copies or removes what neither MediaWiki nor the definitions have, probably by a misspelt name.",
	Why:       "It changes nothing: the right stays, or the copied group has no rights.",
	Repair:    "Correct the name, or remove the operation.",
	Reference: "wikictl help files",
}, setting: vainOperation}}

func vainOperation(s *subject, name string, v tenants.Value, r *reporter) {
	if s.code == nil {
		return
	}
	o, is := v.Data.(*tenants.Operation)
	if is {
		s.wrongAddition(name, o, r)
	}
	if !s.code.IsCore(name) {
		return
	}
	if is {
		s.vainRemoval(name, o, r)
		return
	}
	if !slices.Contains(tenants.GroupSettings, name) {
		return
	}
	members, _ := v.Data.(map[string]tenants.Value)
	for _, key := range slices.Sorted(maps.Keys(members)) {
		if o, is := members[key].Data.(*tenants.Operation); is {
			s.vainGroup(name, key, o, members[key].Position, r)
		}
	}
}

// wrongAddition reports elements that are added to a table of truth values: in
// $wgNamespacesToBeSearchedDefault the member 1 would become true, and not the namespace that is added.
func (s *subject) wrongAddition(name string, o *tenants.Operation, r *reporter) {
	isTruth := func(v tenants.Value) bool { _, is := v.Data.(bool); return is }
	own := elements(s.defaultOf(name))
	if len(own) == 0 || !slices.ContainsFunc(own, isTruth) {
		return
	}
	for _, v := range slices.Concat(o.Prepend, o.Append) {
		if !isTruth(v) {
			r.as("setting-type", v.Position, name, fmt.Sprintf("%s.%v = true", name, v.Data), "is no list but a table of truth values, and %v would be one of them", v.Data)
		}
	}
}

// vainGroup reports a group that is copied or taken away. Extensions add groups that their
// settings do not tell of, and classes take away what not all of their wikis have: then only
// names that resemble a known one count.
func (s *subject) vainGroup(name, group string, o *tenants.Operation, at tenants.Position, r *reporter) {
	wanted := o.Copy
	if o.Absent {
		wanted = group
	}
	known := slices.Concat(s.keys("wgGroupPermissions"), s.keys(name))
	if o.Absent && name == "wgGroupPermissions" { // which names the group itself
		known = slices.Clone(s.code.DefaultKeys(s.tenant, name))
	}
	if wanted == "" || slices.Contains(known, wanted) {
		return
	}
	hint := tenants.Suggest(wanted, slices.Values(known))
	if hint != "" || o.Copy != "" && len(s.tenant.Extensions) == 0 {
		r.say(at, name+"."+group, hint, "there is no group %q", wanted)
	}
}

// vainRemoval reports elements that resemble those of MediaWiki's default, which stay. Short
// ones, such as the endings of files, resemble each other.
func (s *subject) vainRemoval(name string, o *tenants.Operation, r *reporter) {
	own, isList := s.defaultOf(name).Data.([]tenants.Value)
	if !isList || !ofTexts(own) {
		return
	}
	var known []string
	for _, v := range own {
		text, _ := v.Data.(string)
		known = append(known, text)
	}
	for _, v := range o.Remove {
		text, isText := v.Data.(string)
		if hint := tenants.Suggest(text, slices.Values(known)); isText && len(text) > 4 && hint != "" && !slices.Contains(known, text) {
			r.say(v.Position, name, hint, "MediaWiki's default has no %q to remove", text)
		}
	}
}
