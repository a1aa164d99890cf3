package definitions

import (
	"maps"
	"math"
	"regexp"
	"strconv"

	"wikictl/tenants"
	"wikictl/tenants/mediawiki"
)

// variable matches the name of a PHP variable, in ASCII.
var variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// readSettings checks the names and shapes of a table of settings.
func (l *loader) readSettings(s *section) map[string]tenants.Value {
	if len(s.table) == 0 {
		return nil
	}
	settings := make(map[string]tenants.Value, len(s.table))
	for _, name := range sorted(s.table) {
		v := s.table[name]
		if !variable.MatchString(name) {
			s.report(v.Position, name, `the full name without $, such as "wgMaxUploadSize"`, "is not a name of a PHP variable")
			continue
		}
		plain := v
		if hasVerbs(v) {
			plain = stripped(v, false)
		}
		if l.refuseOwn(s, name, plain) || l.refuseCode(s, name, plain) {
			continue
		}
		v.Data = l.settingValue(s, name, v, false)
		settings[name] = v
	}
	return settings
}

// settingValue converts { php = "…" } to PHP and { append = […] } to an operation, at any
// depth, and refuses values without a literal in PHP. In a literal value no table is an
// operation.
func (l *loader) settingValue(s *section, key string, v tenants.Value, literal bool) any {
	switch data := v.Data.(type) {
	case float64:
		if math.IsNaN(data) || math.IsInf(data, 0) {
			s.report(v.Position, key, "", "%v can't be written in PHP", data)
		}
	case []tenants.Value:
		for i := range data {
			data[i].Data = l.settingValue(s, elementKey(key, i), data[i], true)
		}
	case map[string]tenants.Value:
		if code, ok := data["php"]; ok && len(data) == 1 {
			return l.expression(s, key, code)
		}
		if name, ok := data["secret"].Data.(string); ok && len(data) == 1 {
			return l.hidden(s, key, name, data["secret"].Position)
		}
		if !literal {
			if o := l.operation(s, key, v.Position, data); o != nil {
				return o
			}
		}
		return l.members(s, key, data, literal)
	case string:
		if value, is := mediawiki.Constants[data]; is {
			return value
		}
		l.noteConstant(data)
	}
	return v.Data
}

// elementKey returns the path of an element of a list.
func elementKey(key string, i int) string { return key + "[" + strconv.Itoa(i) + "]" }

// members converts the values of a table, and returns it with constants among its keys replaced by
// their values.
func (l *loader) members(s *section, key string, table map[string]tenants.Value, literal bool) map[string]tenants.Value {
	found := table
	for _, name := range sorted(table) {
		member := table[name]
		member.Data = l.settingValue(s, key+"."+name, member, literal)
		resolved := constantKey(name)
		if _, twice := table[resolved]; twice && resolved != name {
			s.report(member.Position, key+"."+name, "remove one of them", "is the same as %s", resolved)
		}
		l.noteConstant(resolved)
		if resolved != name {
			found = maps.Clone(found) // table tells which names are in the definition
			delete(found, name)
		}
		found[resolved] = member
	}
	return found
}

// noteConstant records that settings use the constant of a namespace that is not
// MediaWiki's own: its number depends on the tenant.
func (l *loader) noteConstant(name string) {
	if namespaceConstant.MatchString(name) {
		*l.constants = true
	}
}

func (l *loader) expression(s *section, key string, code tenants.Value) any {
	text, ok := code.Data.(string)
	switch {
	case !ok || text == "":
		s.report(code.Position, key, "", "php is %s, want an expression", kind(code.Data))
	case !l.farm.AllowPHP:
		s.report(code.Position, key, "set allow_php = true in "+tenants.FarmFile+" if all who write definitions may run code", "PHP expressions are not allowed on this farm")
	}
	return tenants.PHP(text)
}
