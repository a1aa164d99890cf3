package tenants

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"maps"
	"math"
	"math/big"
	"reflect"
	"slices"
	"sync"
)

// Content returns a digest of a tenant's values, in this process and in others: equal digests
// mean equal values. It leaves out where values came from, the codebase, and the tenants to
// which it leads, except the owners of its accounts and files. It reads the values of
// { secret = "…" }; ok is false if one can't be read.
func (t *Tenant) Content() (digest string, ok bool) {
	buffer := buffers.Get().(*[]byte)
	defer buffers.Put(buffer)
	text, ok := t.content((*buffer)[:0])
	for _, other := range []*Tenant{t.Owner, t.Media} {
		text = append(text, '|')
		if other != nil && ok {
			text, ok = other.content(text)
		}
	}
	*buffer = text
	return Digest(text), ok
}

// buffers are reused: contents are needed only for their digests.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

func (t *Tenant) content(text []byte) ([]byte, bool) {
	bare := *t
	bare.Codebase, bare.Owner, bare.Members, bare.Media, bare.Viewers = nil, nil, nil, nil, nil
	bare.Origins, bare.Repeats = nil, nil
	return appendContent(text, reflect.ValueOf(&bare).Elem())
}

// Content returns a digest of the values that a farm as a whole has for its tenants, without
// codebases, servers, policies and tenants. ok is false if one can't be read.
func (f *Farm) Content() (digest string, ok bool) {
	bare := *f
	bare.Codebases, bare.Servers, bare.Ledger, bare.Classes, bare.Tenants = nil, nil, nil, nil, nil
	bare.Policies, bare.Ignores, bare.UpgradeSteps, bare.Origins = nil, nil, nil, nil
	text, ok := appendContent(nil, reflect.ValueOf(&bare).Elem())
	return Digest(text), ok
}

// Digest returns 32 hexadecimal digits that identify a text.
func Digest(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}

// appendContent appends a value in a form that only equal values have. It fails at functions,
// and at tenants and codebases, of which a value has only the address.
func appendContent(text []byte, v reflect.Value) ([]byte, bool) {
	number := func(n uint64) []byte { return binary.LittleEndian.AppendUint64(append(text, byte(v.Kind())), n) }
	switch v.Kind() {
	case reflect.String:
		return append(number(uint64(v.Len())), v.String()...), true
	case reflect.Bool:
		return number(map[bool]uint64{true: 1}[v.Bool()]), true
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return number(uint64(v.Int())), true
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return number(v.Uint()), true
	case reflect.Float64:
		return number(math.Float64bits(v.Float())), true
	case reflect.Slice:
		if list, is := value[[]string](v); is {
			return appendNames(number(uint64(len(list))), list), true
		}
		text, ok := number(uint64(v.Len())), true
		for i := 0; i < v.Len() && ok; i++ {
			text, ok = appendContent(text, v.Index(i))
		}
		return text, ok
	case reflect.Map:
		if table, is := value[map[string]Value](v); is {
			return appendTable(append(text, byte(v.Kind())), table)
		}
		return appendMap(number(uint64(v.Len())), v)
	case reflect.Struct:
		if one, is := value[Value](v); is {
			return appendData(append(text, byte(v.Kind())), one.Data)
		}
		text, ok := append(text, byte(v.Kind())), true
		for i := 0; i < v.NumField() && ok && v.Type() != reflect.TypeFor[Position](); i++ {
			text, ok = appendContent(text, v.Field(i))
		}
		return text, ok
	case reflect.Pointer, reflect.Interface, reflect.Func:
		return appendPointer(append(text, byte(v.Kind())), v)
	}
	return text, false
}

// value returns a value of type T; ok is false if it is of another type.
func value[T any](v reflect.Value) (of T, ok bool) {
	if v.Type() != reflect.TypeFor[T]() || !v.CanInterface() {
		return of, false
	}
	return v.Interface().(T), true
}

// appendData appends the data of a Value as appendContent does, without reflection for the usual
// types, each of which has a letter of its own.
func appendData(text []byte, data any) ([]byte, bool) {
	number := func(kind byte, n uint64) []byte { return binary.LittleEndian.AppendUint64(append(text, kind), n) }
	switch data := data.(type) {
	case nil:
		return append(text, '-'), true
	case string:
		return append(number('s', uint64(len(data))), data...), true
	case bool:
		if data {
			return append(text, 't'), true
		}
		return append(text, 'f'), true
	case int64:
		return number('i', uint64(data)), true
	case []Value:
		text, ok := number('l', uint64(len(data))), true
		for i := 0; i < len(data) && ok; i++ {
			text, ok = appendData(text, data[i].Data)
		}
		return text, ok
	case map[string]Value:
		return appendTable(append(text, 'm'), data)
	}
	v := reflect.ValueOf(data)
	return appendContent(append(append(append(text, 'o'), v.Type().String()...), ';'), v)
}

func appendTable(text []byte, table map[string]Value) ([]byte, bool) {
	text, ok := binary.LittleEndian.AppendUint64(text, uint64(len(table))), true
	names := make([]string, 0, 16)
	for name := range table {
		names = append(names, name)
	}
	slices.Sort(names)
	for i := 0; i < len(names) && ok; i++ {
		text = appendNames(text, names[i:i+1])
		text, ok = appendData(text, table[names[i]].Data)
	}
	return text, ok
}

func appendNames(text []byte, names []string) []byte {
	for _, name := range names {
		text = append(binary.LittleEndian.AppendUint64(text, uint64(len(name))), name...)
	}
	return text
}

// appendMap appends the members of a map with names as keys.
func appendMap(text []byte, v reflect.Value) ([]byte, bool) {
	if v.Type().Key().Kind() != reflect.String {
		return text, false
	}
	members, ok := map[string]reflect.Value{}, true
	for i := v.MapRange(); i.Next(); {
		members[i.Key().String()] = i.Value()
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		text = appendNames(text, []string{name})
		if text, ok = appendContent(text, members[name]); !ok {
			break
		}
	}
	return text, ok
}

func appendPointer(text []byte, v reflect.Value) ([]byte, bool) {
	if v.IsNil() {
		return append(text, '-'), true
	}
	switch v.Type() {
	case reflect.TypeFor[*big.Int]():
		return append(append(text, v.Interface().(*big.Int).String()...), ';'), true
	case reflect.TypeFor[*Hidden]():
		value, err := v.Interface().(*Hidden).Read()
		return append(append(text, Digest([]byte(value))...), ';'), err == nil
	case reflect.TypeFor[*Tenant](), reflect.TypeFor[*Codebase]():
		return text, false
	}
	if v.Kind() == reflect.Func {
		return text, false
	}
	kind := v.Elem().Type().String() // another type may have the same content
	return appendContent(append(append(text, kind...), ';'), v.Elem())
}
