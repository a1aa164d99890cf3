package tenants

import (
	"maps"
	"slices"
)

// Operation is a value that changes what MediaWiki and its extensions have by default, in
// place of a literal. It acts after extensions have added their defaults. One of its kinds
// is set: Remove, Prepend and Append together; Replace; Copy; Absent.
type Operation struct {
	Remove  []Value // elements of a list, or names of a table's members
	Prepend []Value // elements that come first
	Append  []Value // elements that come last

	Replace *Value // takes the place of everything, also of what extensions add

	Copy    string           // the member beside it that it becomes like, such as a group
	Members map[string]Value // what it has besides, or in place of the copied

	Absent bool // the member is taken away
}

// Lists reports whether the operation changes the elements of a list.
func (o *Operation) Lists() bool { return len(o.Remove)+len(o.Prepend)+len(o.Append) > 0 }

// Values lists what the operation brings in, and what it takes out: all values that the
// definitions have in it, in the order of the fields.
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

// equal reports whether two operations do the same.
func (o *Operation) equal(other *Operation) bool {
	same := func(a, b []Value) bool { return slices.EqualFunc(a, b, Value.Equal) }
	if (o.Replace == nil) != (other.Replace == nil) || o.Replace != nil && !o.Replace.Equal(*other.Replace) {
		return false
	}
	return same(o.Remove, other.Remove) && same(o.Prepend, other.Prepend) && same(o.Append, other.Append) &&
		o.Copy == other.Copy && o.Absent == other.Absent && maps.EqualFunc(o.Members, other.Members, Value.Equal)
}

// GroupSettings are the settings whose members are groups of users (Manual:User rights):
// a group that is copied or taken away is so in all of them.
var GroupSettings = []string{
	"wgGroupPermissions", "wgRevokePermissions", "wgAddGroups", "wgRemoveGroups",
	"wgGroupsAddToSelf", "wgGroupsRemoveFromSelf", "wgGroupInheritsPermissions",
}
