package tenants

// Value is one TOML value of a setting, with the place that set it.
//
// Data is one of: string, bool, int64, float64, *big.Int, PHP, []Value or
// map[string]Value. Dates and times arrive as strings in RFC 3339.
type Value struct {
	Data     any
	Position Position
}

// PHP is a PHP expression that TOML can't say, written { php = "…" } and
// allowed only where the farm says allow_php = true.
type PHP string
