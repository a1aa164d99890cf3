package rules

import (
	"maps"
	"slices"
	"strings"

	"wikictl/tenants"
	"wikictl/tenants/audit"
)

// sameRules find repeated or ineffective values.
var sameRules = []rule{
	{Rule: audit.Rule{
		ID: "setting-repeated", Severity: audit.Note,
		What:      "Every tenant of a class sets the same value.",
		Why:       "The next tenant will lack it, and a change has to be made everywhere.",
		Repair:    "Move it into the class, or into the defaults.",
		Reference: "wikictl help files",
	}, farm: repeatedSettings},
	{Rule: audit.Rule{
		ID: "override-equal", Severity: audit.Note,
		What:      "A value is the same as the one that it overrides.",
		Why:       "It hides later changes of the general value.",
		Repair:    "Remove the more specific one.",
		Reference: "wikictl help files",
	}, farm: equalOverrides},
	{Rule: audit.Rule{
		ID: "class-unused", Severity: audit.Note,
		What:      "No tenant is in the class.",
		Why:       "It may be outdated without notice.",
		Repair:    "Remove the file, or name the class in a tenant.",
		Reference: "wikictl help files",
	}, farm: unusedClasses},
	{Rule: audit.Rule{
		ID: "codebase-unused", Severity: audit.Note,
		What:      "No tenant runs on the codebase.",
		Why:       "Unused code gets no updates.",
		Repair:    "Remove it from wikictl.toml, or upgrade a tenant to it.",
		Reference: "wikictl help files",
	}, farm: unusedCodebases},
}

// few is the number of tenants from which equal values are no coincidence.
const few = 3

// repeatedSettings checks the farm as a whole first, then each class for the remaining
// values.
func repeatedSettings(w *wanted, r *reporter) {
	everywhere := repeated(w.Farm.Tenants, nil)
	reportRepeated(w.Farm.Tenants, everywhere, "every tenant", "[defaults] of wikictl.toml", r)
	members := map[string][]*tenants.Tenant{}
	for _, t := range w.Farm.Tenants {
		for _, class := range t.Classes {
			members[class] = append(members[class], t)
		}
	}
	for _, class := range slices.Sorted(maps.Keys(members)) {
		reportRepeated(members[class], repeated(members[class], everywhere), "every tenant of the class "+class, w.Farm.Classes[class].Position.File, r)
	}
}

// repeated returns the values that all tenants set in their own files, without the known
// ones.
func repeated(list []*tenants.Tenant, known map[string]tenants.Value) map[string]tenants.Value {
	if len(list) < few {
		return nil
	}
	common := map[string]tenants.Value{}
	for name, v := range list[0].Settings {
		each(name, v, func(path string, leaf tenants.Value) {
			if _, given := known[path]; !given && leaf.Position.File == list[0].Position.File {
				common[path] = leaf
			}
		})
	}
	for _, t := range list[1:] {
		for path, leaf := range common {
			own, found := at(t.Settings, path)
			if !found || own.Position.File != t.Position.File || !own.Equal(leaf) {
				delete(common, path)
			}
		}
		if len(common) == 0 {
			break
		}
	}
	return common
}

// at finds the leaf of a dotted path whose parts may contain dots.
func at(settings map[string]tenants.Value, path string) (tenants.Value, bool) {
	name, rest, more := strings.Cut(path, ".")
	v, found := settings[name]
	for more && found {
		table, _ := v.Data.(map[string]tenants.Value)
		if v, found = table[rest]; found {
			return v, true
		}
		key := ""
		for candidate := range table {
			if strings.HasPrefix(rest, candidate+".") && len(candidate) > len(key) {
				key = candidate
			}
		}
		v, found = table[key]
		rest = strings.TrimPrefix(rest, key+".")
	}
	return v, found
}

func reportRepeated(list []*tenants.Tenant, common map[string]tenants.Value, who, where string, r *reporter) {
	for path, leaf := range common {
		names := make([]string, len(list))
		for i, t := range list {
			names[i] = t.Name
		}
		r.add(audit.Finding{
			Rule: r.rule.ID, Severity: r.rule.Severity, Tenants: names, Position: leaf.Position, Key: path,
			Message: who + " sets it to the same value", Hint: "move it to " + where,
		})
	}
}

// equalOverrides reports a value only if it changes nothing for every tenant that gets
// it: a class may follow different classes in different tenants.
func equalOverrides(w *wanted, r *reporter) {
	type where struct {
		key string
		at  tenants.Position
	}
	repeats, over := map[where][]string{}, map[where]tenants.Position{}
	for _, t := range w.Farm.Tenants {
		for _, repeat := range t.Repeats {
			p := where{repeat.Key, repeat.Position}
			repeats[p], over[p] = append(repeats[p], t.Name), repeat.Overridden
		}
	}
	if len(repeats) == 0 {
		return
	}
	users := map[string]int{}
	for _, t := range w.Farm.Tenants {
		for _, file := range t.Files {
			users[file]++
		}
	}
	for p, names := range repeats {
		if len(names) == users[p.at.File] {
			r.add(audit.Finding{
				Rule: r.rule.ID, Severity: r.rule.Severity, Tenants: names, Position: p.at, Key: p.key,
				Message: "is the same as at " + over[p].String(), Hint: "remove it here",
			})
		}
	}
}

func unusedClasses(w *wanted, r *reporter) {
	used := map[string]bool{}
	for _, t := range w.Farm.Tenants {
		for _, class := range t.Classes {
			used[class] = true
		}
	}
	for name, class := range w.Farm.Classes {
		if !used[name] {
			r.say(class.Position, "", "remove the file or name it in a tenant", "no tenant is in the class %s", name)
		}
	}
}

func unusedCodebases(w *wanted, r *reporter) {
	used := map[*tenants.Codebase]bool{}
	for _, t := range w.Farm.Tenants {
		used[t.Codebase] = true
	}
	if w.observed != nil { // tenants that await an upgrade run on another one
		for _, row := range w.observed.Ledger {
			used[w.Farm.Codebases[row.Codebase]] = true
		}
	}
	for name, c := range w.Farm.Codebases {
		if !used[c] {
			r.say(c.Position, "codebases."+name, "remove it or upgrade a tenant to it", "no tenant runs on it")
		}
	}
}
