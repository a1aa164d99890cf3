package definitions

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"wikictl/tenants"
	"wikictl/tenants/mediawiki"
)

// constants resolves the constants of a tenant's own namespaces and those of its extensions.
type constants struct {
	known map[string]int64
	fault func(at tenants.Position, key, hint, format string, args ...any)
	of    string // the tenant's name
}

// resolveConstants replaces the constants of a tenant's own namespaces and those of its
// extensions by numbers. MediaWiki's own were resolved when they were read.
func (l *loader) resolveConstants(t *tenants.Tenant) {
	c := constants{known: mediawiki.ExtensionConstants(t), of: t.Name}
	for _, n := range t.Namespaces {
		c.known[n.Constant], c.known[n.Constant+"_TALK"] = n.Number, n.Number+1
	}
	c.fault = func(at tenants.Position, key, hint, format string, args ...any) {
		t.Fault(tenants.Problem{Position: at, Key: key, Hint: hint, Message: fmt.Sprintf(format, args...)})
	}
	for name, v := range t.Settings {
		if resolved, changed := c.replace("settings."+name, v); changed {
			t.Settings[name] = resolved
		}
	}
}

// number returns the number of a constant, and reports a constant that is not known.
func (c constants) number(name, key string, at tenants.Position) (number int64, found bool) {
	if !namespaceConstant.MatchString(name) {
		return 0, false
	}
	if number, found = c.known[name]; !found {
		names := slices.AppendSeq(mediawiki.ConstantNames(), maps.Keys(c.known))
		c.fault(at, key, tenants.Suggest(name, slices.Values(names)), "%s is not a namespace of MediaWiki, of [namespaces] or of an extension of the tenant %q", name, c.of)
	}
	return number, found
}

// replace resolves constants in a value, at any depth. It does not change the given value, because
// other tenants may share it.
func (c constants) replace(key string, v tenants.Value) (resolved tenants.Value, changed bool) {
	switch data := v.Data.(type) {
	case string:
		if number, found := c.number(data, key, v.Position); found {
			v.Data, changed = number, true
		}
	case []tenants.Value:
		if data, changed = c.list(key, data); changed {
			v.Data = data
		}
	case map[string]tenants.Value:
		if data, changed = c.table(key, data); changed {
			v.Data = data
		}
	case *tenants.Operation:
		if data, changed = c.operation(key, v.Position, data); changed {
			v.Data = data
		}
	}
	return v, changed
}

func (c constants) list(key string, elements []tenants.Value) (resolved []tenants.Value, changed bool) {
	elements = slices.Clone(elements)
	for i := range elements {
		var one bool
		elements[i], one = c.replace(elementKey(key, i), elements[i])
		changed = changed || one
	}
	return elements, changed
}

// table also resolves keys. A constant and its number are one key, of which PHP would keep one value.
func (c constants) table(key string, members map[string]tenants.Value) (resolved map[string]tenants.Value, changed bool) {
	resolved = make(map[string]tenants.Value, len(members))
	for _, name := range sorted(members) {
		member, one := c.replace(key+"."+name, members[name])
		changed = changed || one
		if number, found := c.number(name, key+"."+name, member.Position); found {
			constant := name
			name, changed = strconv.FormatInt(number, 10), true
			if other, twice := members[name]; twice {
				c.fault(member.Position, key+"."+constant, "write "+constant+" in both places", "is the same as %s at %s", name, other.Position)
			}
		}
		resolved[name] = member
	}
	return resolved, changed
}

func (c constants) operation(key string, at tenants.Position, o *tenants.Operation) (resolved *tenants.Operation, changed bool) {
	copied := *o
	for _, list := range []*[]tenants.Value{&copied.Remove, &copied.Prepend, &copied.Append} {
		var one bool
		*list, one = c.list(key, *list)
		changed = changed || one
	}
	if o.Replace != nil {
		whole, one := c.replace(key, *o.Replace)
		copied.Replace, changed = &whole, changed || one
	}
	if number, found := c.number(o.Copy, key+".copy", at); found {
		copied.Copy, changed = strconv.FormatInt(number, 10), true
	}
	if len(o.Members) > 0 {
		var one bool
		copied.Members, one = c.table(key, o.Members)
		changed = changed || one
	}
	return &copied, changed
}
