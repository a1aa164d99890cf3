package tenants

import (
	"io/fs"
	"math/big"
	"reflect"
	"slices"
	"testing"

	"wikictl/cmd/testbed/needs"
)

// Each field of a tenant changes its content, but those that say where values came from, and
// those that lead elsewhere.
func TestContent(t *testing.T) {
	one := Tenant{Name: "a", Hosts: []string{"a.example.org"}, Settings: map[string]Value{"wgA": {Data: "x"}}}
	first, ok := one.Content()
	if again, _ := new(Tenant).Content(); !ok || again == first {
		t.Fatal(first, ok)
	}
	free := []string{"Codebase", "Members", "Viewers", "Origins", "Repeats", "Position"}
	for i := range reflect.TypeFor[Tenant]().NumField() {
		name := reflect.TypeFor[Tenant]().Field(i).Name
		another := one
		needs.Vary(reflect.ValueOf(&another).Elem().Field(i))
		if content, ok := another.Content(); !ok || content == first != slices.Contains(free, name) {
			t.Errorf("%s: %t, %t", name, ok, content == first)
		}
	}
}

// Values of other types, keys and shapes differ; places make no difference; of what has to be
// read elsewhere nothing is known.
func TestContentOfSettings(t *testing.T) {
	of := func(data any) string {
		digest, ok := (&Tenant{Settings: map[string]Value{"wgA": {Data: data}}}).Content()
		if !ok {
			t.Errorf("%v: not known", data)
		}
		return digest
	}
	list := func(all ...any) (values []Value) {
		for _, data := range all {
			values = append(values, Value{Data: data})
		}
		return values
	}
	seen := map[string]any{}
	for _, data := range []any{
		nil, "", "1", int64(1), 1.0, true, false, int64(0), big.NewInt(1), big.NewInt(12), PHP("1"), list(), list("a", "b"), list("ab"), list("a", list("b")), list(list("a"), "b"),
		map[string]Value{}, map[string]Value{"a": {Data: "b"}}, map[string]Value{"b": {Data: "a"}}, map[string]Value{"a": {Data: list("b")}},
		&Operation{Append: list("a")}, &Operation{Prepend: list("a")}, &Operation{Replace: &Value{Data: "a"}}, &Operation{Absent: true}, &Operation{Copy: "a"},
	} {
		digest := of(data)
		if other, twice := seen[digest]; twice {
			t.Errorf("%#v is as %#v", data, other)
		}
		seen[digest] = data
	}
	placed := Tenant{Settings: map[string]Value{"wgA": {Data: "1", Position: Position{File: "x", Line: 3}}}}
	if digest, _ := placed.Content(); digest != of("1") {
		t.Error("a place makes a difference")
	}
	hidden := func(value string, err error) (digest string, ok bool) {
		secret := &Hidden{Name: "x", Read: func() (string, error) { return value, err }}
		return (&Tenant{Settings: map[string]Value{"wgA": {Data: list("a")}, "wgB": {Data: []Value{{Data: secret}}}}}).Content()
	}
	first, ok := hidden("1", nil)
	again, _ := hidden("1", nil)
	other, _ := hidden("2", nil)
	if !ok || first != again || first == other {
		t.Errorf("digests with the secrets 1, 1 and 2 are %q, %q and %q, %t", first, again, other, ok)
	}
	if _, ok := hidden("1", fs.ErrPermission); ok {
		t.Error("the content of a file that can't be read is known")
	}
}
