package tenants

import "slices"

// ReadRight is the definitions' answer to whether visitors may read.
type ReadRight int

// The values of ReadRight.
const (
	ReadOpen    ReadRight = iota // yes
	ReadDenied                   // no
	ReadUnclear                  // only PHP knows: an expression, or a value that is not a boolean
)

// Private reports whether the wiki may be closed to visitors without a log-in. Its files
// are then served by img_auth.php, which asks MediaWiki (Manual:Image authorization). Any
// wiki that is not plainly open counts as private: img_auth.php also serves the files of
// an open wiki, and nothing else protects those of a closed one.
func (t *Tenant) Private() bool {
	_, right := t.ReadRight()
	return right != ReadOpen
}

// ReadRight returns whether visitors without a log-in may read, and the value of the
// definitions that forbids it, if any.
func (t *Tenant) ReadRight() (Value, ReadRight) {
	if v, right := t.visitorsRead("wgGroupPermissions", true); right != ReadOpen {
		return v, right
	}
	return t.visitorsRead("wgRevokePermissions", false)
}

// visitorsRead evaluates the visitors' right to read in a table of rights; gives tells
// whether true there grants the right or revokes it. An empty table replaces MediaWiki's
// own, which grants it.
func (t *Tenant) visitorsRead(table string, gives bool) (Value, ReadRight) {
	v, found := t.Settings[table]
	for _, key := range []string{"*", "read"} {
		if !found {
			return Value{}, ReadOpen // the default
		}
		if operation, is := v.Data.(*Operation); is {
			return operation.visitorsRead(v, key, gives)
		}
		members, isTable := v.Data.(map[string]Value)
		switch {
		case !isTable:
			return v, ReadUnclear
		case len(members) == 0 && gives:
			return v, ReadDenied
		}
		v, found = members[key]
	}
	if operation, is := v.Data.(*Operation); is && operation.Absent {
		return v, map[bool]ReadRight{true: ReadDenied, false: ReadOpen}[gives]
	}
	given := v.Data == true || v.Data == int64(1)
	switch {
	case !found || given == gives && isBoolean(v):
		return Value{}, ReadOpen
	case isBoolean(v):
		return v, ReadDenied
	}
	return v, ReadUnclear
}

// visitorsRead evaluates an operation at v; key is the member that applies in its place.
// A group that is replaced or removed has only the rights that are granted again.
func (o *Operation) visitorsRead(v Value, key string, gives bool) (Value, ReadRight) {
	without := map[bool]ReadRight{true: ReadDenied, false: ReadOpen}[gives]
	switch {
	case o.Absent:
		return v, without
	case o.Replace == nil:
		return v, ReadUnclear
	}
	inner := *o.Replace
	for _, name := range []string{"*", "read"}[slices.Index([]string{"*", "read"}, key):] {
		members, isTable := inner.Data.(map[string]Value)
		if !isTable {
			return v, ReadUnclear
		}
		found := false
		if inner, found = members[name]; !found {
			return v, without
		}
	}
	given := inner.Data == true || inner.Data == int64(1)
	switch {
	case !isBoolean(inner):
		return inner, ReadUnclear
	case given == gives:
		return Value{}, ReadOpen
	}
	return inner, ReadDenied
}

// isBoolean reports whether a value is a boolean, or one of the numbers for it.
func isBoolean(v Value) bool {
	return v.Data == true || v.Data == false || v.Data == int64(0) || v.Data == int64(1)
}
