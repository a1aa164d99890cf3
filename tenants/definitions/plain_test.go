package definitions

import (
	"reflect"
	"testing"
)

// parsePlain accepts what definitions usually have, and nothing that has to be decoded or is a
// mistake.
func TestPlain(t *testing.T) {
	for text, plain := range map[string]bool{
		"":                         true,
		"a = 'x'\nb = [1, -20, 0]": true,
		"a.b = 1\na.c = true\n[d.e]\nx = { y.z = [], y.u = { } }\n[d]\nv = 1": true,
		"[a.b]\nx = 1\n[a]\nb.y = 2":                                          false,
		"[a]\nb.c = 1\n[a.b]\nx = 2":                                          false,
		"[a]\nb.c = 1\n[a.b.d]\nx= 2":                                         false,
		"a = {}\na.b = 1":                                                     false,
		"a = {}\n[a]":                                                         false,
		"a = {}\n[a.b]":                                                       false,
		"a = 1\na = 1":                                                        false,
		"a.b = 1\na = 1":                                                      false,
		"a = { b = 1, b = 2 }":                                                false,
		"a = { b.c = 1, b = 2 }":                                              false,
		"[a]\n[a]":                                                            false,
		"[a]\n[b]\n[a]":                                                       false,
		"a = 1\n[a]":                                                          false,
		"[[a]]":                                                               false,
		"a = 01":                                                              false,
		"a = -":                                                               false,
		"a = 0x1f":                                                            false,
		"a = 9223372036854775808":                                             false,
		"a = 1.0":                                                             false,
		"a = 1979-05-27":                                                      false,
		"a = [1, 2.0]":                                                        false,
		"a = \"x":                                                             false,
	} {
		if _, ok := parsePlain("x", []byte(text)); ok != plain {
			t.Errorf("%q is plain: %v, want %v", text, ok, plain)
		}
		comparePlain(t, text)
	}
}

// comparePlain compares the values, and their places, with those of the decoder.
func comparePlain(t *testing.T, text string) {
	t.Helper()
	root, ok := parsePlain("x", []byte(text))
	if !ok || invalidUTF8([]byte(text)) >= 0 {
		return
	}
	want, problems := decodeDocument("x", []byte(text))
	if len(problems) > 0 {
		t.Errorf("%q is accepted, although %v", text, problems)
	}
	if !reflect.DeepEqual(want, root) { // cmp would not compare places
		t.Errorf("%q: got %v, want %v", text, root, want)
	}
}

func FuzzPlain(f *testing.F) {
	f.Add("[a.b]\n'c' = { d.e = [1, { f = \"g\" }], h = true }\n[a]\ni.j = [\n[],\n-2]\n[[k]]\nl = 1.0")
	f.Fuzz(comparePlain)
}
