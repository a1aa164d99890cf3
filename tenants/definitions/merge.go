package definitions

import (
	"maps"
	"slices"
	"strings"

	"wikictl/tenants"
)

// merger puts layers of settings over each other.
type merger struct {
	repeat func(tenants.Repeat)                       // is told of values that were there already
	clash  func(key string, below, own tenants.Value) // is told of an expression over a table, or a table over an expression
}

// merge puts more into base: tables key by key, everything else replaced. What it
// tells has its path in the settings.
func (m merger) merge(base, more map[string]tenants.Value, path string) map[string]tenants.Value {
	if len(base) == 0 {
		return more
	}
	merged := maps.Clone(base)
	for key, value := range more {
		old, there := merged[key]
		members, isTable := old.Data.(map[string]tenants.Value)
		add, addTable := value.Data.(map[string]tenants.Value)
		_, isPHP := old.Data.(tenants.PHP)
		_, addPHP := value.Data.(tenants.PHP)
		switch {
		case there && !old.Equal(value) && (isOperation(old) || isOperation(value)):
			value = m.operate(path+key, old, value)
		case isTable && addTable && len(add) > 0:
			value = tenants.Value{Data: m.merge(members, add, path+key+"."), Position: value.Position}
		case there && old.Equal(value):
			m.repeat(tenants.Repeat{Key: path + key, Position: value.Position, Overridden: old.Position})
		case isTable && addPHP && len(members) > 0, isPHP && addTable && len(add) > 0:
			m.clash(path+key, old, value)
		}
		merged[key] = value
	}
	return merged
}

// mergeLayer puts a layer's settings over those that a tenant inherits, without what
// the layer takes away first.
func (l *loader) mergeLayer(t *tenants.Tenant, layer *layer) {
	m := merger{
		repeat: func(r tenants.Repeat) { t.Repeats = append(t.Repeats, r) },
		clash:  l.reportClash,
	}
	t.Settings = m.merge(l.unset(t.Settings, layer.unset), layer.settings, "")
}

// unset takes settings, or members of tables, away again.
func (l *loader) unset(settings map[string]tenants.Value, names []text) map[string]tenants.Value {
	for _, name := range names {
		left, found := without(settings, name.value)
		if !found {
			l.report(name.at, "unset", tenants.Suggest(name.value, maps.Keys(settings)), "there is no %q to take away", name.value)
		}
		settings = left
	}
	return settings
}

// without returns a table without the value at a dotted path, and whether it was
// there. Keys may hold dots themselves.
func without(table map[string]tenants.Value, path string) (map[string]tenants.Value, bool) {
	if _, there := table[path]; there {
		left := maps.Clone(table)
		delete(left, path)
		return left, true
	}
	for _, key := range slices.Sorted(maps.Keys(table)) {
		v := table[key]
		rest, below := strings.CutPrefix(path, key+".")
		members, isTable := v.Data.(map[string]tenants.Value)
		if !below || !isTable {
			continue
		}
		if members, found := without(members, rest); found {
			left := maps.Clone(table)
			if left[key] = (tenants.Value{Data: members, Position: v.Position}); len(members) == 0 {
				delete(left, key) // an empty table would take the place of MediaWiki's own
			}
			return left, true
		}
	}
	return table, false
}
