package templates

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"wikictl/tenants"
)

// hub is a template by which one tenant lists a class.
const hub = `{{ define "end" }}{{ if eq .Tenant.Name "w1" }}
# {{ range tenants "class=kernel" }}{{ comment .Name }} {{ comment .Sitename }} {{ end }}
{{- end }}{{ end }}`

// inputs returns the digest of all from which a tenant is rendered.
func inputs(t *testing.T, s *Set, d Data, asked []string) (string, bool) {
	t.Helper()
	digest, ok := s.Inputs(d)
	for _, where := range asked {
		answer, known := s.Answer(d.Farm, where)
		digest, ok = digest+answer, ok && known
	}
	return digest, ok
}

// Tenants of farms that differ in something have equal files wherever their inputs, and the
// answers that they got, are equal: and that is so for those that are the same.
func TestInputs(t *testing.T) {
	f := load(t, farmToml)
	s, err := own(t, LocalSettings, hub)
	if err != nil {
		t.Fatal(err)
	}
	base := varied(*f, rand.New(rand.NewPCG(0, 0)))
	base.Tenants = base.Tenants[:20]
	farms := []*tenants.Farm{base}
	for i, change := range variations {
		another := *base
		another.Tenants = nil
		for n, one := range base.Tenants {
			changed := *one
			changed.Settings = map[string]tenants.Value{}
			for name, v := range one.Settings {
				v.Position.Line += i
				changed.Settings[name] = v
			}
			if n == i%20 {
				change(&changed, func(name string, data any) { changed.Settings[name] = tenants.Value{Data: data} })
			}
			another.Tenants = append(another.Tenants, &changed)
		}
		farms = append(farms, &another)
	}
	for _, change := range []func(f *tenants.Farm){
		func(f *tenants.Farm) { f.State = "/other" }, func(f *tenants.Farm) { f.Dir = "/other" }, func(f *tenants.Farm) { f.Web.URL = "http://{host}" },
		func(f *tenants.Farm) { f.Web.FPM = "127.0.0.1:9" }, func(f *tenants.Farm) { f.Jobs.Service = true }, func(f *tenants.Farm) { f.Web.AccessLog = "/log" },
		func(f *tenants.Farm) { f.Web.Pools = true }, func(f *tenants.Farm) { f.Web.Proxies = []string{"::1"} }, func(f *tenants.Farm) { f.Tenants = f.Tenants[:19] },
	} {
		another := *base
		change(&another)
		farms = append(farms, &another)
	}
	same := 0
	for i := range 20 {
		files := map[string]string{} // by inputs
		for _, other := range farms {
			if i >= len(other.Tenants) || len(other.Tenants[i].Hosts) == 0 {
				continue
			}
			if s.refused(other, other.Tenants[i], nil, nil) != nil {
				continue
			}
			d := Data{Farm: other, Tenant: other.Tenants[i], Codebase: other.Tenants[i].Codebase, Secrets: placeholders()}
			r, err := s.Render(d)
			if err != nil {
				t.Fatal(err)
			}
			digest, ok := inputs(t, s, d, r.Asked)
			if !ok {
				continue
			}
			text := fmt.Sprintf("%s %s %s", r.LocalSettings, r.Vhost, r.Pool)
			if before, known := files[digest]; known {
				same++
				if before != text {
					t.Fatalf("%s: equal inputs, other files:\n%s\n%s", d.Tenant.Name, before, text)
				}
			}
			files[digest] = text
		}
	}
	if same < 10*len(variations) {
		t.Errorf("only %d times were inputs equal", same)
	}
}

// A tenant depends on the others only if its own templates asked for them.
func TestInputsOfOthers(t *testing.T) {
	f := load(t, farmToml, strings.ReplaceAll(btrfsToml, "btrfs", "w1"), strings.ReplaceAll(btrfsToml, "btrfs", "w2"))
	s, err := own(t, LocalSettings, hub)
	if err != nil {
		t.Fatal(err)
	}
	fewer := *f
	fewer.Tenants = fewer.Tenants[:2]
	for name, want := range map[string]bool{"btrfs": true, "w1": false} {
		r, err := s.Render(data(f, name))
		if err != nil || len(r.Asked) > 0 == want {
			t.Fatalf("%s asked for %q, %v", name, r.Asked, err)
		}
		first, ok := inputs(t, s, data(f, name), r.Asked)
		second, ok2 := inputs(t, s, data(&fewer, name), r.Asked)
		if !ok || !ok2 || first == second != want {
			t.Errorf("%s: %t %t, equal %t, want %t", name, ok, ok2, first == second, want)
		}
	}
}

// Own templates that can name more than a digest knows have tenants rendered always.
func TestInputsAreBounded(t *testing.T) {
	f := load(t, farmToml)
	for text, want := range map[string]bool{
		`{{ comment .Tenant.Name }}`:                                                     true,
		`{{ comment .Farm.Web.Kind }}{{ comment .Codebase.Name }}`:                       true,
		`{{ range tenants }}{{ comment .Name }}{{ comment .Codebase.Version }}{{ end }}`: true,
		`{{ $t := .Tenant }}{{ comment $t.Name }}{{ comment $.Tenant.Name }}`:            true,
		`{{ range .Farm.Tenants }}{{ comment .Name }}{{ end }}`:                          false,
		`{{ with .Farm }}{{ range .Tenants }}{{ comment .Name }}{{ end }}{{ end }}`:      false,
		`{{ $f := .Farm }}{{ comment ($f.Tenant "x").Name }}`:                            false,
		`{{ comment (.Farm.Tenant "x").Name }}`:                                          false,
		`{{ if .Tenant.Owner }}{{ comment .Tenant.Owner.Name }}{{ end }}`:                false,
		`{{ range tenants }}{{ range .Members }}{{ comment .Name }}{{ end }}{{ end }}`:   false,
		`{{ comment (index .Farm.Codebases "1.43").Path }}`:                              false,
		`{{ comment (.Codebase.Fingerprint) }}`:                                          false,
		`{{ range tenants }}{{ range .Faults }}{{ comment .Error }}{{ end }}{{ end }}`:   false,
		`{{ range tenants }}{{ if .Created }}{{ comment .Name }}{{ end }}{{ end }}`:      false,
	} {
		s, err := own(t, LocalSettings, "{{ define \"end\" }}\n# "+text+"{{ end }}")
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := s.Inputs(data(f, "btrfs")); ok != want {
			t.Errorf("%s: %t", text, ok)
		}
	}
	first, _ := set(t, "").Inputs(data(f, "btrfs"))
	second, ok := set(t, "").Inputs(data(load(t, farmToml), "btrfs"))
	if s, _ := own(t, LocalSettings, `{{ define "end" }}{{ end }}`); !ok {
		t.Error("not known")
	} else if third, _ := s.Inputs(data(f, "btrfs")); third == first {
		t.Error("another template makes no difference")
	}
	if second == first {
		t.Error("another folder of the farm makes no difference")
	}
}
