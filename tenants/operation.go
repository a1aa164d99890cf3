package tenants

import (
	"maps"
	"slices"
)

// Operation is a value that changes a default of MediaWiki or its extensions, in place of
// a literal. It applies after extensions have added their defaults. It has one of these
// kinds: Remove, Prepend and Append together; Replace; Copy; Absent.
type Operation struct {
	Remove  []Value // elements of a list, or keys of a table
	Prepend []Value // elements to put first
	Append  []Value // elements to put last

	Replace *Value // replaces everything, including extensions' additions

	Copy    string           // the sibling key whose value is copied, such as a group
	Members map[string]Value // merged into the copy

	Absent bool // remove the key
}

// Lists reports whether the operation changes the elements of a list.
func (o *Operation) Lists() bool { return len(o.Remove)+len(o.Prepend)+len(o.Append) > 0 }

// Values lists all values in the operation, in the order of the fields.
func (o *Operation) Values() []Value {
	all := slices.Concat(o.Remove, o.Prepend, o.Append)
	if o.Replace != nil {
		all = append(all, *o.Replace)
	}
	for _, name := range slices.Sorted(maps.Keys(o.Members)) {
		all = append(all, o.Members[name])
	}
	return all
}

// equal reports whether two operations have the same effect.
func (o *Operation) equal(other *Operation) bool {
	same := func(a, b []Value) bool { return slices.EqualFunc(a, b, Value.Equal) }
	if (o.Replace == nil) != (other.Replace == nil) || o.Replace != nil && !o.Replace.Equal(*other.Replace) {
		return false
	}
	return same(o.Remove, other.Remove) && same(o.Prepend, other.Prepend) && same(o.Append, other.Append) &&
		o.Copy == other.Copy && o.Absent == other.Absent && maps.EqualFunc(o.Members, other.Members, Value.Equal)
}

// GroupSettings lists the settings with user groups as keys (Manual:User rights): copying
// or removing a group applies to all of them.
var GroupSettings = []string{
	"wgGroupPermissions", "wgRevokePermissions", "wgAddGroups", "wgRemoveGroups",
	"wgGroupsAddToSelf", "wgGroupsRemoveFromSelf", "wgGroupInheritsPermissions",
}
