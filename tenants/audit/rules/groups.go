package rules

import (
	"maps"
	"slices"
	"strings"

	"wikictl/tenants"
	"wikictl/tenants/audit"
)

// groupMerged reports tables that look like a complete list of a group's rights.
var groupMerged = rule{Rule: audit.Rule{
	ID: "group-merged", Severity: audit.Warning,
	What:      "A group's rights look like a complete list, but MediaWiki gives the group further rights.",
	Why:       "A table is merged into MediaWiki's own and does not replace it: rights that it does not name stay allowed.",
	Repair:    "Write { replace = { … } }, or set the rights that the group must not have to false.",
	Reference: "wikictl help files",
}, names: []string{"wgGroupPermissions"}, setting: mergedGroups}

// mergedGroups reports tables such as "*" = { createaccount = false, read = true }: read
// is true by default, so its author probably meant a complete list of rights.
func mergedGroups(s *subject, name string, v tenants.Value, r *reporter) {
	groups, _ := v.Data.(map[string]tenants.Value)
	defaults, _ := s.defaultOf(name).Data.(map[string]tenants.Value)
	for _, group := range slices.Sorted(maps.Keys(groups)) {
		rights, _ := groups[group].Data.(map[string]tenants.Value)
		own, _ := defaults[group].Data.(map[string]tenants.Value)
		stated := restated(rights, own)
		if stated == "" {
			continue
		}
		if kept := keptRights(rights, own); len(kept) > 0 {
			r.say(rights[stated].Position, name+"."+group, "write { replace = { … } }, or set the rights that it must not have to false",
				"the group %s keeps rights that MediaWiki gives it: %s", group, strings.Join(kept, ", "))
		}
	}
}

// restated returns a right that both a table in braces and MediaWiki give, or "".
func restated(rights, own map[string]tenants.Value) string {
	for _, right := range slices.Sorted(maps.Keys(rights)) {
		if truthy(rights[right]) && truthy(own[right]) && besideAnother(rights, right) {
			return right
		}
	}
	return ""
}

// besideAnother reports whether another right is set on the same line, as only a table in
// braces does.
func besideAnother(rights map[string]tenants.Value, right string) bool {
	at := rights[right].Position
	for other, v := range rights {
		if other != right && v.Position.File == at.File && v.Position.Line == at.Line {
			return true
		}
	}
	return false
}

// keptRights returns the rights that MediaWiki gives and no definition names.
func keptRights(rights, own map[string]tenants.Value) (kept []string) {
	for _, right := range slices.Sorted(maps.Keys(own)) {
		if _, named := rights[right]; !named && truthy(own[right]) {
			kept = append(kept, right)
		}
	}
	return kept
}
