package definitions

import (
	"errors"
	"strings"
	"testing"

	"wikictl/tenants"
	"wikictl/tenants/mediawiki"
)

func smallFarm() *tenants.Farm {
	tenant := func(name, version string, classes ...string) *tenants.Tenant {
		return &tenants.Tenant{
			Name: name, Codebase: &tenants.Codebase{Name: version}, Server: &tenants.Server{Name: "main"}, Classes: classes,
			Hosts: []string{name + ".example"}, Extensions: []string{"Cite"},
			Settings: map[string]tenants.Value{"wgEnableUploads": {Data: version == "1.43"}},
		}
	}
	return &tenants.Farm{Tenants: []*tenants.Tenant{tenant("a", "1.39"), tenant("btrfs", "1.43", "kernel"), tenant("test-c", "1.43", "kernel", "test")}}
}

func TestSelect(t *testing.T) {
	cases := []struct{ names, where, want string }{
		{"a", "", "a"},
		{"t*", "", "test-c"},
		{"a btrfs", "", "a btrfs"},
		{"", "class=kernel", "btrfs test-c"},
		{"", "class=kernel and not class=test", "btrfs"},
		{"", "codebase=1.39 or (class=kernel and name=test-*)", "a test-c"},
		{"", "class!=kernel", "a"},
		{"", "setting.wgEnableUploads=true", "btrfs test-c"},
		{"b*", "extension=Cite", "btrfs"},
	}
	for _, tc := range cases {
		chosen, err := tenants.Select(smallFarm(), strings.Fields(tc.names), tc.where)
		var got []string
		for _, c := range chosen {
			got = append(got, c.Name)
		}
		if err != nil || strings.Join(got, " ") != tc.want {
			t.Errorf("%q where %q: got %v, %v; want %q", tc.names, tc.where, got, err, tc.want)
		}
	}
}

func TestSelectRefuses(t *testing.T) {
	cases := []struct{ names, where, want string }{
		{"", "", "name them"},
		{"btrsf", "", `did you mean "btrfs"`},
		{"a", "class=kernel", "no tenant matches"},
		{"", "klass=kernel", `"klass" is not a field`},
		{"", "class=", "is not field=value"},
		{"", "class=a and", "something is missing"},
		{"", "(class=a", "not closed"},
		{"", "class=a class=b", "left over"},
		{"", strings.Repeat("not ", 1000) + "class=a", "nested"},
	}
	for _, tc := range cases {
		_, err := tenants.Select(smallFarm(), strings.Fields(tc.names), tc.where)
		if !errors.Is(err, tenants.ErrSelect) || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%q where %q: got %v, want %q", tc.names, tc.where, err, tc.want)
		}
		// A selection that matches no tenant is another kind of error than an invalid selection.
		if none := tc.want == "no tenant matches"; errors.Is(err, tenants.ErrNone) != none {
			t.Errorf("%q where %q: %v is ErrNone: %t", tc.names, tc.where, err, !none)
		}
	}
}

func TestSatisfies(t *testing.T) {
	cases := []struct {
		version, constraint string
		want                bool
	}{
		{"1.43.9", ">= 1.43.0", true}, {"1.39.17", ">= 1.43", false}, {"1.43.0-rc.1", ">=1.43", true},
		{"1.39.17", ">= 1.35.0, < 1.40", true}, {"2.0.0", "^1.2", false}, {"1.9.1", "^1.2", true},
		{"1.9.1", "~1.2", true}, {"1.9.1", "~1.2.0", false}, {"1.39.2", "1.39.*", true}, {"1.4", "*", true},
		{"3.1", "^2.0 || ^3.0", true},
	}
	for _, tc := range cases {
		if got := mediawiki.Satisfies(tc.version, tc.constraint); got != tc.want {
			t.Errorf("%s %s is %v", tc.version, tc.constraint, got)
		}
	}
}

func FuzzWhere(f *testing.F) {
	f.Add("class=kernel and not (extension=Echo or name=test-*)")
	f.Fuzz(func(t *testing.T, where string) {
		if m, err := tenants.Match(where); err == nil {
			m(smallFarm().Tenants[0])
		}
	})
}
