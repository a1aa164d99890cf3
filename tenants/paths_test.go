package tenants

import "testing"

func TestPathsCollide(t *testing.T) {
	for _, tc := range []struct {
		a, b string
		want bool
	}{
		{"", "", true}, {"/en", "/en", true}, {"/en", "/en/sub", true},
		{"", "/en", false}, {"/en", "/de", false}, {"/en", "/english", false},
	} {
		if PathsCollide(tc.a, tc.b) != tc.want || PathsCollide(tc.b, tc.a) != tc.want {
			t.Errorf("%q and %q: want %t", tc.a, tc.b, tc.want)
		}
	}
}
