package definitions

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"wikictl/tenants"
)

// listVerbs are the operations on lists, which may be combined in one table.
var listVerbs = []string{"append", "prepend", "remove"}

// literally is the hint for a table that looks like an operation and is not one.
const literally = "{ replace = { … } } takes a table as it stands"

// operation reads a table as an operation on the defaults of MediaWiki and extensions;
// nil means an ordinary table. key is the dotted path of the value.
func (l *loader) operation(s *section, key string, at tenants.Position, table map[string]tenants.Value) *tenants.Operation {
	only := func(verb string) (tenants.Value, bool) {
		v, found := table[verb]
		return v, found && len(table) == 1
	}
	if v, is := only("replace"); is {
		v.Data = l.settingValue(s, key+".replace", v, true)
		return &tenants.Operation{Replace: &v}
	}
	if v, is := only("absent"); is && kind(v.Data) != "a table" {
		return l.absent(s, key, v)
	}
	if v, found := table["copy"]; found && (len(table) == 1 || isGroup(key)) {
		return l.copied(s, key, v, table)
	}
	return l.listOperation(s, key, at, table)
}

// isGroup reports whether a dotted path is that of a group of users.
func isGroup(key string) bool {
	name, _, below := strings.Cut(key, ".")
	return below && slices.Contains(tenants.GroupSettings, name)
}

func (l *loader) absent(s *section, key string, v tenants.Value) *tenants.Operation {
	switch _, _, below := strings.Cut(key, "."); {
	case v.Data != true:
		s.report(v.Position, key+".absent", literally, "is %s, want true", kind(v.Data))
	case !below:
		s.report(v.Position, key+".absent", `such as `+key+`.member = { absent = true }; or { replace = [] }`, "MediaWiki needs each setting; only members of a setting can be absent")
	}
	return &tenants.Operation{Absent: true}
}

// copied reads { copy = "user", edit = false }: a copy of another member with some
// changes.
func (l *loader) copied(s *section, key string, v tenants.Value, table map[string]tenants.Value) *tenants.Operation {
	source, isText := v.Data.(string)
	source = constantKey(source)
	l.noteConstant(source)
	o := &tenants.Operation{Copy: source, Members: map[string]tenants.Value{}}
	name := constantKey(key[strings.LastIndexByte(key, '.')+1:])
	switch _, _, below := strings.Cut(key, "."); {
	case !isText || source == "":
		s.report(v.Position, key+".copy", literally, "is %s, want the name of the member to copy", kind(v.Data))
	case !below:
		s.report(v.Position, key, literally, "only a member of a setting can be copied, such as a group")
	case source == name:
		s.report(v.Position, key+".copy", "", "copies itself")
	}
	for name, member := range table {
		if name != "copy" {
			member.Data = l.settingValue(s, key+"."+name, member, true)
			o.Members[name] = member
		}
	}
	return o
}

// listOperation reads { append = […], prepend = […], remove = […] }.
func (l *loader) listOperation(s *section, key string, at tenants.Position, table map[string]tenants.Value) *tenants.Operation {
	if !slices.ContainsFunc(listVerbs, func(verb string) bool { _, found := table[verb]; return found }) {
		return nil
	}
	var strangers []string
	lists := map[string][]tenants.Value{}
	for _, name := range sorted(table) {
		list, isList := table[name].Data.([]tenants.Value)
		switch {
		case !slices.Contains(listVerbs, name):
			strangers = append(strangers, name)
		case isList:
			lists[name], _ = l.settingValue(s, key+"."+name, table[name], true).([]tenants.Value)
			if len(list) == 0 {
				s.report(table[name].Position, key+"."+name, "", "is an empty list, which changes nothing")
			}
		case len(table) == 1 || len(lists) > 0:
			s.report(table[name].Position, key+"."+name, literally, "is %s, want a list", kind(table[name].Data))
		}
	}
	if len(lists) == 0 {
		return nil
	}
	if len(strangers) > 0 {
		s.report(at, key, literally, "has %s beside %s", strings.Join(strangers, ", "), strings.Join(slices.Sorted(maps.Keys(lists)), ", "))
	}
	return tidy(&tenants.Operation{Remove: lists["remove"], Prepend: lists["prepend"], Append: lists["append"]})
}

// tidy removes duplicates from an operation, and does not remove what it adds.
func tidy(o *tenants.Operation) *tenants.Operation {
	o.Prepend = unique(o.Prepend)
	o.Append = unique(difference(o.Append, o.Prepend))
	o.Remove = unique(difference(o.Remove, slices.Concat(o.Prepend, o.Append)))
	return o
}

// difference returns a list without the elements of another.
func difference(list, gone []tenants.Value) []tenants.Value {
	return slices.DeleteFunc(slices.Clone(list), func(v tenants.Value) bool { return slices.ContainsFunc(gone, v.Equal) })
}

func unique(list []tenants.Value) []tenants.Value {
	var found []tenants.Value
	for _, v := range list {
		if !slices.ContainsFunc(found, v.Equal) {
			found = append(found, v)
		}
	}
	return found
}

// hasVerbs reports whether a table, or one in it, has a key that may make it an operation.
func hasVerbs(v tenants.Value) bool {
	table, _ := v.Data.(map[string]tenants.Value)
	for name, member := range table {
		if name == "replace" || slices.Contains(listVerbs, name) || hasVerbs(member) {
			return true
		}
	}
	return false
}

// stripped returns a table with operations replaced by their results, without removed elements, so
// that the checks for settings apply to operations, too. In a literal table no member is an
// operation.
func stripped(v tenants.Value, literal bool) tenants.Value {
	table, isTable := v.Data.(map[string]tenants.Value)
	if !isTable {
		return v
	}
	if replaced, is := table["replace"]; is && len(table) == 1 {
		return stripped(replaced, true)
	}
	_, copies := table["copy"]
	plain := make(map[string]tenants.Value, len(table))
	var list []tenants.Value
	for name, member := range table {
		elements, isList := member.Data.([]tenants.Value)
		switch {
		case !isList || !slices.Contains(listVerbs, name):
			plain[name] = stripped(member, literal || copies)
		case literal || name != "remove":
			list = append(list, elements...)
		}
	}
	if len(list) > 0 && len(plain) == 0 {
		v.Data = list
		return v
	}
	v.Data = plain
	return v
}

// operationText formats an operation as in a definition.
func operationText(o *tenants.Operation) string {
	return fmt.Sprintf("{ %s }", strings.Join(slices.Sorted(maps.Keys(operationTable(o))), ", "))
}

// operationTable converts an operation to TOML values without places.
func operationTable(o *tenants.Operation) map[string]any {
	table := map[string]any{}
	for verb, list := range map[string][]tenants.Value{"append": o.Append, "prepend": o.Prepend, "remove": o.Remove} {
		if len(list) > 0 {
			table[verb] = plain(list)
		}
	}
	if o.Replace != nil {
		table["replace"] = plain(o.Replace.Data)
	}
	if o.Copy != "" {
		table["copy"] = o.Copy
	}
	if o.Absent {
		table["absent"] = true
	}
	for name, member := range o.Members {
		table[name] = plain(member.Data)
	}
	return table
}
