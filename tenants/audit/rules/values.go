package rules

import (
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"

	"wikictl/tenants"
)

// truthy reports whether PHP treats a value as true (PHP manual: Booleans). For a PHP
// expression, whose value is unknown, it is false.
func truthy(v tenants.Value) bool {
	switch data := v.Data.(type) {
	case bool:
		return data
	case int64:
		return data != 0
	case float64:
		return data != 0
	case *big.Int:
		return data.Sign() != 0
	case string:
		return data != "" && data != "0"
	case []tenants.Value:
		return len(data) > 0
	case map[string]tenants.Value:
		return len(data) > 0
	case *tenants.Hidden:
		return true
	case *tenants.Operation:
		return data.Replace != nil && truthy(*data.Replace)
	}
	return false
}

// falsy reports whether PHP treats a value as false; it is false if that is unknown.
func falsy(v tenants.Value) bool {
	switch data := v.Data.(type) {
	case tenants.PHP:
		return false
	case *tenants.Operation: // its result depends on the default
		return data.Replace != nil && falsy(*data.Replace)
	}
	return !truthy(v)
}

// elements returns the elements of a list or table, or those that an operation adds.
func elements(v tenants.Value) []tenants.Value {
	switch data := v.Data.(type) {
	case []tenants.Value:
		return data
	case map[string]tenants.Value:
		all := make([]tenants.Value, 0, len(data))
		for _, member := range data {
			all = append(all, member)
		}
		return all
	case *tenants.Operation:
		if data.Replace != nil {
			return elements(*data.Replace)
		}
		return slices.Concat(data.Prepend, data.Append, slices.Collect(maps.Values(data.Members)))
	}
	return nil
}

// member returns the value of a table's key.
func member(v tenants.Value, key string) (tenants.Value, bool) {
	if o, is := v.Data.(*tenants.Operation); is {
		if o.Replace != nil {
			return member(*o.Replace, key)
		}
		found, ok := o.Members[key]
		return found, ok
	}
	table, _ := v.Data.(map[string]tenants.Value)
	found, ok := table[key]
	return found, ok
}

// each calls do for every leaf of a value with its dotted path, including the leaves that
// an operation adds.
func each(path string, v tenants.Value, do func(path string, leaf tenants.Value)) {
	table, _ := v.Data.(map[string]tenants.Value)
	if o, is := v.Data.(*tenants.Operation); is && o.Replace != nil {
		each(path, *o.Replace, do)
		return
	} else if is {
		table = o.Members
	}
	if len(table) == 0 {
		do(path, v)
		return
	}
	for key, member := range table {
		each(path+"."+key, member, do)
	}
}

// kind describes a value's type and content.
func kind(v tenants.Value) string {
	switch data := v.Data.(type) {
	case string:
		if len(data) > 40 {
			return "a string"
		}
		return fmt.Sprintf("the string %q", data)
	case bool:
		return fmt.Sprint(data)
	case int64, *big.Int:
		return fmt.Sprintf("the integer %v", data)
	case float64:
		return fmt.Sprintf("the number %v", data)
	case []tenants.Value:
		return "a list"
	case map[string]tenants.Value:
		return "a table"
	case *tenants.Hidden:
		return "a secret"
	case *tenants.Operation:
		return "an operation"
	}
	return "an expression"
}

// scalarText returns a scalar as PHP would print it; ok is false for other values.
func scalarText(v tenants.Value) (text string, ok bool) {
	switch data := v.Data.(type) {
	case string:
		return data, true
	case bool, int64, float64, *big.Int:
		return fmt.Sprint(data), true
	}
	return "", false
}

// or joins alternatives.
func or(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}
