package tenants

import "slices"

// ReadRight is what the definitions say of reading without a log-in.
type ReadRight int

// The answers to whether a visitor may read.
const (
	ReadOpen    ReadRight = iota // yes
	ReadDenied                   // no
	ReadUnclear                  // only PHP knows: an expression, or a value that is no boolean
)

// Private reports whether visitors without a log-in may be kept from reading the
// wiki. Its files then go through img_auth.php, which asks MediaWiki (Manual:Image
// authorization). All but a wiki that is plainly open counts as private: img_auth.php
// serves the files of an open wiki too, and nothing else guards those of a closed one.
func (t *Tenant) Private() bool {
	_, right := t.ReadRight()
	return right != ReadOpen
}

// ReadRight says whether visitors without a log-in may read, and which value of the
// definitions keeps them from it; none where they may.
func (t *Tenant) ReadRight() (Value, ReadRight) {
	if v, right := t.visitorsRead("wgGroupPermissions", true); right != ReadOpen {
		return v, right
	}
	return t.visitorsRead("wgRevokePermissions", false)
}

// visitorsRead follows a table of rights to the visitors' right to read; gives tells
// whether true there gives the right or takes it away. An empty table takes the place
// of MediaWiki's own, which gives the right.
func (t *Tenant) visitorsRead(table string, gives bool) (Value, ReadRight) {
	v, there := t.Settings[table]
	for _, key := range []string{"*", "read"} {
		if !there {
			return Value{}, ReadOpen // as by default
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
		v, there = members[key]
	}
	if operation, is := v.Data.(*Operation); is && operation.Absent {
		return v, map[bool]ReadRight{true: ReadDenied, false: ReadOpen}[gives]
	}
	given := v.Data == true || v.Data == int64(1)
	switch {
	case !there || given == gives && isBoolean(v):
		return Value{}, ReadOpen
	case isBoolean(v):
		return v, ReadDenied
	}
	return v, ReadUnclear
}

// visitorsRead follows an operation at v to the visitors' right to read; key is the member
// that is looked for in its place. A group that is replaced or taken away has no right
// that is not given again.
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
		there := false
		if inner, there = members[name]; !there {
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

// isBoolean reports whether a value is true or false, or one of the numbers for them.
func isBoolean(v Value) bool {
	return v.Data == true || v.Data == false || v.Data == int64(0) || v.Data == int64(1)
}
