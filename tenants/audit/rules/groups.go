package rules

import (
	"maps"
	"slices"
	"strings"

	"wikictl/tenants"
	"wikictl/tenants/audit"
)

// groupMerged is the rule about tables that look as if they were all of a group.
var groupMerged = rule{Rule: audit.Rule{
	ID: "group-merged", Severity: audit.Warning,
	What:      "A group's rights are written as if they were all of it, and MediaWiki gives it others.",
	Why:       "A table is merged into MediaWiki's own and does not replace it: what it does not name stays allowed.",
	Repair:    "Write { replace = { … } }, or set the rights that the group shall not have to false.",
	Reference: "wikictl help files",
}, names: []string{"wgGroupPermissions"}, setting: mergedGroups}

// mergedGroups looks for tables such as "*" = { createaccount = false, read = true }:
// nobody would write that visitors may read, as they may anyway, but in a list of all
// that they may.
func mergedGroups(s *subject, name string, v tenants.Value, r *reporter) {
	groups, _ := v.Data.(map[string]tenants.Value)
	for _, group := range slices.Sorted(maps.Keys(groups)) {
		rights, _ := groups[group].Data.(map[string]tenants.Value)
		own, _ := s.defaultOf(name + "." + group).Data.(map[string]tenants.Value)
		stated := statedAgain(rights, own)
		if kept := keptRights(rights, own); stated != "" && len(kept) > 0 {
			r.say(rights[stated].Position, name+"."+group, "write { replace = { … } }, or set to false what it shall not have",
				"the group %s keeps rights that MediaWiki gives it: %s", group, strings.Join(kept, ", "))
		}
	}
}

// statedAgain is a right that a table in braces gives and MediaWiki gives, too; empty
// when there is none.
func statedAgain(rights, own map[string]tenants.Value) string {
	for _, right := range slices.Sorted(maps.Keys(rights)) {
		if truthy(rights[right]) && truthy(own[right]) && besideAnother(rights, right) {
			return right
		}
	}
	return ""
}

// besideAnother reports whether another right is set on the same line, as only a table
// in braces does.
func besideAnother(rights map[string]tenants.Value, right string) bool {
	at := rights[right].Position
	for other, v := range rights {
		if other != right && v.Position.File == at.File && v.Position.Line == at.Line {
			return true
		}
	}
	return false
}

// keptRights are those that MediaWiki gives and no definition names.
func keptRights(rights, own map[string]tenants.Value) (kept []string) {
	for _, right := range slices.Sorted(maps.Keys(own)) {
		if _, named := rights[right]; !named && truthy(own[right]) {
			kept = append(kept, right)
		}
	}
	return kept
}
