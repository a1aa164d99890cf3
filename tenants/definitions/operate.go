package definitions

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"wikictl/tenants"
)

// operate merges a value with an inherited one if at least one of them is an operation.
func (m merger) operate(path string, below, own tenants.Value) tenants.Value {
	if o, is := own.Data.(*tenants.Operation); is {
		if !o.Lists() {
			return own
		}
		return m.operateList(path, o, below, own)
	}
	inherited, _ := below.Data.(*tenants.Operation)
	add, isTable := own.Data.(map[string]tenants.Value)
	if !isTable || len(add) == 0 {
		return own
	}
	switch {
	case inherited.Copy != "":
		changed := *inherited
		changed.Members = m.merge(inherited.Members, add, path+".")
		return tenants.Value{Data: &changed, Position: own.Position}
	case inherited.Absent:
		return tenants.Value{Data: &tenants.Operation{Replace: &own}, Position: own.Position}
	case inherited.Replace != nil:
		members, isTable := inherited.Replace.Data.(map[string]tenants.Value)
		if !isTable {
			return own
		}
		whole := tenants.Value{Data: m.merge(members, add, path+"."), Position: own.Position}
		return tenants.Value{Data: &tenants.Operation{Replace: &whole}, Position: own.Position}
	}
	if len(inherited.Append)+len(inherited.Prepend) > 0 {
		m.clash(path, below, own)
		return own
	}
	return tenants.Value{Data: m.merge(absentMembers(inherited.Remove), add, path+"."), Position: own.Position}
}

// operateList merges an operation on a list with an inherited value.
func (m merger) operateList(path string, o *tenants.Operation, below, own tenants.Value) tenants.Value {
	switch data := below.Data.(type) {
	case []tenants.Value:
		return tenants.Value{Data: applied(data, o), Position: own.Position}
	case map[string]tenants.Value:
		switch {
		case len(data) == 0:
			return tenants.Value{Data: applied(nil, o), Position: own.Position}
		case len(o.Append)+len(o.Prepend) == 0:
			return tenants.Value{Data: m.merge(data, absentMembers(o.Remove), path+"."), Position: own.Position}
		}
	case *tenants.Operation:
		if data.Lists() {
			return tenants.Value{Data: tidy(&tenants.Operation{
				Remove:  slices.Concat(difference(data.Remove, slices.Concat(o.Append, o.Prepend)), o.Remove),
				Prepend: slices.Concat(o.Prepend, difference(data.Prepend, o.Remove)),
				Append:  slices.Concat(difference(data.Append, slices.Concat(o.Remove, o.Append)), o.Append),
			}), Position: own.Position}
		}
		if data.Absent {
			whole := tenants.Value{Data: applied(nil, o), Position: own.Position}
			return tenants.Value{Data: &tenants.Operation{Replace: &whole}, Position: own.Position}
		}
		if data.Replace != nil {
			if whole := m.operateList(path, o, *data.Replace, own); !isOperation(whole) {
				return tenants.Value{Data: &tenants.Operation{Replace: &whole}, Position: own.Position}
			}
		}
	}
	m.clash(path, below, own)
	return own
}

func isOperation(v tenants.Value) bool { _, is := v.Data.(*tenants.Operation); return is }

// applied returns a list after an operation on it.
func applied(list []tenants.Value, o *tenants.Operation) []tenants.Value {
	rest := difference(list, o.Remove)
	front := difference(o.Prepend, nil)
	rest = difference(rest, front)
	return append(append(front, rest...), difference(o.Append, rest)...)
}

// absentMembers removes members of a table by name.
func absentMembers(names []tenants.Value) map[string]tenants.Value {
	members := map[string]tenants.Value{}
	for _, name := range names {
		members[fmt.Sprint(name.Data)] = tenants.Value{Data: &tenants.Operation{Absent: true}, Position: name.Position}
	}
	return members
}

// reportClash refuses to drop an inherited value silently: only PHP knows the value of an
// expression, so it can't be merged with a table, nor a list with a table.
func (l *loader) reportClash(key string, below, own tenants.Value) {
	l.report(own.Position, "settings."+key, fmt.Sprintf("unset = [%q] beside it drops what is inherited; or set single members", key),
		"%s would take the place of %s at %s", called("this", own), called("the", below), below.Position)
}

// called names a value with an article.
func called(article string, v tenants.Value) string {
	switch data := v.Data.(type) {
	case map[string]tenants.Value:
		if article == "the" {
			return "the table with " + strings.Join(slices.Sorted(maps.Keys(data)), ", ")
		}
		return article + " table"
	case tenants.PHP:
		return article + " expression"
	case *tenants.Operation:
		return article + " operation " + operationText(data)
	case []tenants.Value:
		return article + " list"
	}
	return article + " value"
}

// checkCopies reports cycles of copies.
func (l *loader) checkCopies(t *tenants.Tenant) {
	var copies []string // settings with copies: most tenants have none
	for name, v := range t.Settings {
		table, _ := v.Data.(map[string]tenants.Value)
		for _, member := range table {
			if o, is := member.Data.(*tenants.Operation); is && o.Copy != "" {
				copies = append(copies, name)
				break
			}
		}
	}
	slices.Sort(copies)
	for _, name := range copies {
		table, _ := t.Settings[name].Data.(map[string]tenants.Value)
		for _, member := range slices.Sorted(maps.Keys(table)) {
			if path := copiedFrom(table, member); len(path) > 0 && path[len(path)-1] == member {
				t.Fault(tenants.Problem{Position: table[member].Position, Key: "settings." + name + "." + member, Hint: "define one of them without copy",
					Message: fmt.Sprintf("is copied from %s: in a circle", strings.Join(path, ", which is copied from "))})
				return
			}
		}
	}
}

// copiedFrom returns the chain of copies of a member, up to a member that is not a copy or that
// is repeated.
func copiedFrom(table map[string]tenants.Value, member string) (path []string) {
	for {
		o, is := table[member].Data.(*tenants.Operation)
		if !is || o.Copy == "" || slices.Contains(path, o.Copy) {
			return path
		}
		member = o.Copy
		path = append(path, member)
	}
}
