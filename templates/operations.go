package templates

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"wikictl/templates/escape"
	"wikictl/tenants"
)

// operationsTitle is the heading of the settings that change defaults of MediaWiki and
// its extensions. They are assigned after the defaults of extensions, and before any
// service of MediaWiki has copied them: an extension function would run after the rights
// of the session's user were read.
const operationsTitle = "Changes of what MediaWiki and its extensions have by default"

// operation returns the operation of a setting, or nil.
func (s Setting) operation() *tenants.Operation {
	o, _ := s.Value.Data.(*tenants.Operation)
	return o
}

// empty reports whether a setting is a table without members.
func (s Setting) empty() bool {
	table, isTable := s.Value.Data.(map[string]tenants.Value)
	return s.operation() != nil || isTable && len(table) == 0
}

// hasOperation reports whether a value is or contains an operation.
func hasOperation(v tenants.Value) bool {
	switch data := v.Data.(type) {
	case *tenants.Operation:
		return true
	case map[string]tenants.Value:
		for _, inner := range data {
			if hasOperation(inner) {
				return true
			}
		}
	}
	return false
}

// split separates the operations of a setting from its literal values, at any depth.
func split(s Setting) (literal Setting, operations []Setting) {
	if s.operation() != nil {
		return s, []Setting{s}
	}
	table, isTable := s.Value.Data.(map[string]tenants.Value)
	if !isTable || len(table) == 0 {
		return s, nil
	}
	var left map[string]tenants.Value // a copy, made when the first member is left out
	for _, key := range slices.SortedFunc(maps.Keys(table), escape.ComparePHPKeys) {
		inner, found := split(Setting{Name: s.Name, Value: table[key], path: append(slices.Clone(s.path), key)})
		if len(found) == 0 {
			continue
		}
		operations = append(operations, found...)
		if left == nil {
			left = maps.Clone(table)
		}
		if left[key] = inner.Value; inner.empty() {
			delete(left, key)
		}
	}
	if left != nil {
		s.Value.Data = left
	}
	return s, operations
}

// ordered sorts operations in the order of execution: changes precede copies of their results,
// and removals are last, so that a member can be copied before it is removed.
func ordered(operations []Setting, settings map[string]tenants.Value) []Setting {
	var first, copies, last []Setting
	for _, s := range operations {
		switch o := s.operation(); {
		case o.Copy != "":
			s.copying = copiedIn(s, settings)
			copies = append(copies, s)
		case o.Absent:
			last = append(last, s)
		default:
			first = append(first, s)
		}
	}
	return slices.Concat(first, sourcesFirst(copies), last)
}

// sourcesFirst puts each copy after the copy that is its source.
func sourcesFirst(copies []Setting) []Setting {
	var sorted []Setting
	seen := map[string]bool{}
	var visit func(s Setting)
	visit = func(s Setting) {
		target := s.target(s.path)
		if seen[target] {
			return
		}
		seen[target] = true
		for _, other := range copies {
			if other.target(other.path) == s.target(s.beside()) {
				visit(other)
			}
		}
		sorted = append(sorted, s)
	}
	for _, s := range copies {
		visit(s)
	}
	return sorted
}

// beside returns the path of the source of a copy.
func (s Setting) beside() []string {
	return append(slices.Clone(s.path[:len(s.path)-1]), s.operation().Copy)
}

// copiedIn lists the settings in which a group is copied: all settings whose members are groups,
// except those in which the definitions set the group themselves.
func copiedIn(s Setting, settings map[string]tenants.Value) []string {
	if s.Name != "wgGroupPermissions" || len(s.path) != 1 {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(tenants.GroupSettings), func(name string) bool {
		members, _ := settings[name].Data.(map[string]tenants.Value)
		_, named := members[s.path[0]]
		return named && name != s.Name
	})
}

// target returns the PHP variable, with keys, of a path below a setting.
func (s Setting) target(path []string) string {
	target := "$" + s.Name
	for _, key := range path {
		target += "[" + escape.PHPKey(key) + "]"
	}
	return target
}

// writeOperations writes one PHP function that carries out operations in order. MediaWiki calls
// the function after its extensions are loaded. Operations that act at once are carried out before,
// too.
func writeOperations(w *escape.Code, settings []Setting) error {
	var early, late []Setting
	for _, s := range settings {
		if !escape.IsPHPName(s.Name) {
			return &escape.Error{Value: s.Name, At: s.Value.Position, Why: "is not a name of a PHP variable"}
		}
		if s.actsAtOnce() {
			early = append(early, s)
		} else {
			late = append(late, s)
		}
	}
	w.Add("# They act in this order, when extensions have added theirs; those above \"loaded\" also at once.\n")
	w.Add("$wikictlChange = static function ( bool $loaded ) {\n")
	w.Add(onlyOnce)
	writeHelpers(w, settings)
	completed := completing(settings)
	for _, c := range completed {
		for _, name := range c.settings {
			w.Add(fmt.Sprintf("\t$was['%s'] = $GLOBALS['%[1]s'] ?? [];\n", name))
		}
	}
	if err := writeEach(w, early); err != nil {
		return err
	}
	// The word global makes a variable, which an extension would not give its default any more.
	w.Add("\tif ( !$loaded ) {\n\t\treturn;\n\t}\n")
	if err := writeEach(w, late); err != nil {
		return err
	}
	if len(completed) > 0 {
		w.Add("\t# MediaWiki completed these before.\n")
	}
	for _, c := range completed {
		w.Add(c.code)
	}
	w.Add("};\n" + callChange)
	return nil
}

// writeEach writes the statements of operations, with the variables in them.
func writeEach(w *escape.Code, operations []Setting) error {
	if len(operations) > 0 {
		w.Add("\tglobal " + strings.Join(globals(operations), ", ") + ";\n")
	}
	for _, s := range operations {
		if err := writeOperation(w, s); err != nil {
			return err
		}
	}
	return nil
}

// writeHelpers writes the functions that some operations need.
func writeHelpers(w *escape.Code, settings []Setting) {
	uses := func(does func(o *tenants.Operation, s Setting) bool) bool {
		return slices.ContainsFunc(settings, func(s Setting) bool { return does(s.operation(), s) })
	}
	if uses(func(o *tenants.Operation, _ Setting) bool { return o.Lists() }) {
		w.Add(changeList)
	}
	if uses(func(o *tenants.Operation, s Setting) bool { return o.Absent && s.isGroup() }) {
		w.Add(fmt.Sprintf(removeGroup, escape.PHPStrings(tenants.GroupSettings)))
	}
}

// isGroup reports whether the setting holds all rights of one group.
func (s Setting) isGroup() bool { return s.Name == "wgGroupPermissions" && len(s.path) == 1 }

// globals lists the variables in operations and in their expressions.
func globals(settings []Setting) []string {
	names := map[string]bool{}
	var expressions func(v tenants.Value)
	expressions = func(v tenants.Value) {
		switch data := v.Data.(type) {
		case tenants.PHP:
			for _, m := range phpVariable.FindAllString(string(data), -1) {
				names[m] = m != "$GLOBALS" && m != "$this"
			}
		case []tenants.Value:
			for _, inner := range data {
				expressions(inner)
			}
		case map[string]tenants.Value:
			for _, inner := range data {
				expressions(inner)
			}
		case *tenants.Operation:
			for _, inner := range data.Values() {
				expressions(inner)
			}
		}
	}
	for _, s := range settings {
		names["$"+s.Name] = true
		expressions(s.Value)
	}
	return slices.DeleteFunc(slices.Sorted(maps.Keys(names)), func(name string) bool { return !names[name] || superglobal[name] })
}

// writeOperation writes the statements of one operation.
func writeOperation(w *escape.Code, s Setting) error {
	target, o := s.target(s.path), s.operation()
	switch {
	case o.Absent && s.isGroup():
		w.Add("\t$removeGroup( " + escape.PHPString(s.path[0]) + " );\n")
		return nil
	case o.Absent:
		w.Add("\tunset( " + target + " );\n")
		return nil
	case o.Copy != "":
		return writeCopy(w, s)
	case o.Replace != nil:
		return writeStatement(w, target, *o.Replace)
	}
	w.Add("\t" + target + " = $changeList( " + target + " ?? []")
	for _, list := range [][]tenants.Value{o.Remove, o.Prepend, o.Append} {
		w.Add(", ")
		if err := w.Value(list, 1); err != nil {
			return located(err, s.Value.Position)
		}
	}
	w.Add(" );\n")
	return nil
}

// writeCopy writes the copy of a member and its additional members.
func writeCopy(w *escape.Code, s Setting) error {
	target, source := s.target(s.path), s.target(s.beside())
	if len(s.copying) > 0 {
		w.Add(fmt.Sprintf(copyGroup, escape.PHPStrings(s.copying), escape.PHPString(s.operation().Copy), escape.PHPString(s.path[0])))
	} else {
		w.Add("\t" + target + " = " + source + " ?? [];\n")
	}
	members := s.operation().Members
	for _, key := range slices.SortedFunc(maps.Keys(members), escape.ComparePHPKeys) {
		if err := writeStatement(w, target+"["+escape.PHPKey(key)+"]", members[key]); err != nil {
			return err
		}
	}
	return nil
}

// writeStatement assigns a value unchanged.
func writeStatement(w *escape.Code, target string, v tenants.Value) error {
	w.Add("\t" + target + " = ")
	if err := w.Value(v, 1); err != nil {
		return err
	}
	w.Add(";\n")
	return nil
}

// located adds a place to an error that has none.
func located(err error, at tenants.Position) error {
	if unfit, ok := err.(*escape.Error); ok && unfit.At.File == "" {
		unfit.At = at
	}
	return err
}
