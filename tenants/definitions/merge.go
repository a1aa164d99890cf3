package definitions

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"wikictl/tenants"
)

// merger merges layers of settings.
type merger struct {
	repeat func(tenants.Repeat)                       // is called for values that repeat the inherited one
	clash  func(key string, below, own tenants.Value) // is called for an expression over a table, or a table over an expression
}

// merge merges more into base: tables key by key; other values are replaced. Its
// callbacks get paths in the settings.
func (m merger) merge(base, more map[string]tenants.Value, path string) map[string]tenants.Value {
	if len(base) == 0 {
		return more
	}
	merged := maps.Clone(base)
	for key, value := range more {
		old, found := merged[key]
		members, isTable := old.Data.(map[string]tenants.Value)
		add, addTable := value.Data.(map[string]tenants.Value)
		_, isPHP := old.Data.(tenants.PHP)
		_, addPHP := value.Data.(tenants.PHP)
		switch {
		case found && !old.Equal(value) && (isOperation(old) || isOperation(value)):
			value = m.operate(path+key, old, value)
		case isTable && addTable && len(add) > 0:
			value = tenants.Value{Data: m.merge(members, add, path+key+"."), Position: value.Position}
		case found && old.Equal(value):
			m.repeat(tenants.Repeat{Key: path + key, Position: value.Position, Overridden: old.Position})
		case isTable && addPHP && len(members) > 0, isPHP && addTable && len(add) > 0:
			m.clash(path+key, old, value)
		}
		merged[key] = value
	}
	return merged
}

// mergeLayer removes what a layer unsets from a tenant's inherited settings, and then
// merges the layer's settings.
func (l *loader) mergeLayer(t *tenants.Tenant, layer *layer) {
	m := merger{
		repeat: func(r tenants.Repeat) { t.Repeats = append(t.Repeats, r) },
		clash:  l.reportClash,
	}
	t.Settings = m.merge(t.Settings, layer.settings, "")
}

// quietly merges tables that contain neither expressions nor operations.
var quietly = merger{repeat: func(tenants.Repeat) {}, clash: func(string, tenants.Value, tenants.Value) {}}

// takeAway removes the inherited values that a layer unsets: settings or members of them,
// values such as "language", "extensions.Cite", "skins.Vector" and "namespaces.portal".
func (l *loader) takeAway(t *tenants.Tenant, layer *layer, single map[string]text, extensions, skins []text, namespaces map[string]tenants.Value) ([]text, []text, map[string]tenants.Value) {
	for _, name := range layer.unset {
		kind, rest, _ := strings.Cut(name.value, ".")
		before := len(extensions) + len(skins) + len(namespaces) + len(single)
		named := func(one text) bool { return one.value == rest }
		switch {
		case kind == "extensions":
			extensions = slices.DeleteFunc(slices.Clone(extensions), named)
		case kind == "skins":
			skins = slices.DeleteFunc(slices.Clone(skins), named)
		case kind == "namespaces":
			namespaces, _ = without(namespaces, rest)
		case slices.Contains(singleKeys, name.value):
			delete(single, name.value)
		default:
			t.Settings = l.unset(t.Settings, name)
			continue
		}
		if len(extensions)+len(skins)+len(namespaces)+len(single) == before {
			have := slices.Concat(prefixed("extensions.", extensions), prefixed("skins.", skins), slices.Sorted(maps.Keys(single)))
			l.report(name.at, "unset", tenants.Suggest(name.value, slices.Values(have)), "there is no %q to remove", name.value)
		}
	}
	return extensions, skins, namespaces
}

func prefixed(prefix string, list []text) []string {
	names := make([]string, len(list))
	for i, t := range list {
		names[i] = prefix + t.value
	}
	return names
}

// unset removes a setting, or a member of a table.
func (l *loader) unset(settings map[string]tenants.Value, name text) map[string]tenants.Value {
	parts := strings.Split(name.value, ".")
	for i := range parts {
		parts[i] = constantKey(parts[i])
	}
	left, found := without(settings, strings.Join(parts, "."))
	if !found {
		hint := tenants.Suggest(name.value, maps.Keys(settings))
		if table, member, below := strings.Cut(name.value, "."); below && (hint == "" || settings[table].Data != nil) {
			hint = fmt.Sprintf("no inherited value sets it; to remove MediaWiki's own, write %s.%s = { absent = true } in [settings]", table, tomlKey(member))
		}
		l.report(name.at, "unset", hint, "there is no %q to remove", name.value)
	}
	return left
}

// without returns a table without the value at a dotted path, and whether the table had it. Keys
// may contain dots.
func without(table map[string]tenants.Value, path string) (map[string]tenants.Value, bool) {
	if _, exists := table[path]; exists {
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
				delete(left, key) // an empty table would replace MediaWiki's own
			}
			return left, true
		}
	}
	return table, false
}
