package tenants

import (
	"maps"
	"math/big"
	"slices"
)

// Value is one TOML value of a setting, with the place that set it.
//
// Data is one of: string, bool, int64, float64, *big.Int, PHP, []Value,
// map[string]Value, *Operation or *Hidden. Dates and times arrive as strings in RFC 3339.
type Value struct {
	Data     any
	Position Position
}

// PHP is a PHP expression, for values that TOML can't express, written { php = "…" } and
// allowed only with allow_php = true.
type PHP string

// Repeat is a value equal to the one that it overrides.
type Repeat struct {
	Key        string // such as "wgGroupPermissions.user.edit"
	Position   Position
	Overridden Position
}

// Equal reports whether two values are the same, regardless of their place.
func (v Value) Equal(other Value) bool {
	switch data := v.Data.(type) {
	case []Value:
		list, ok := other.Data.([]Value)
		return ok && slices.EqualFunc(data, list, Value.Equal)
	case map[string]Value:
		table, ok := other.Data.(map[string]Value)
		return ok && maps.EqualFunc(data, table, Value.Equal)
	case *Hidden:
		hidden, ok := other.Data.(*Hidden)
		return ok && data.Name == hidden.Name
	case *Operation:
		operation, ok := other.Data.(*Operation)
		return ok && data.equal(operation)
	case *big.Int:
		number, ok := other.Data.(*big.Int)
		return ok && data.Cmp(number) == 0
	}
	switch other.Data.(type) {
	case []Value, map[string]Value:
		return false
	}
	return v.Data == other.Data
}
