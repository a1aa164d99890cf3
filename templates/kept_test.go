package templates

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wikictl/tenants"
	"wikictl/tenants/secrets"
)

// same reports whether two renderings are one in memory.
func same(a, b Rendered) bool {
	return &a.LocalSettings[0] == &b.LocalSettings[0] && &a.Vhost[0] == &b.Vhost[0]
}

// Rendered files are returned again for equal data, and for no other.
func TestKeep(t *testing.T) {
	f := load(t, farmToml)
	d := data(f, "btrfs")
	s := set(t, "")
	render := func(d Data) Rendered {
		t.Helper()
		r, err := s.Render(d)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if same(render(d), render(d)) {
		t.Error("what nobody asked to keep was kept")
	}
	s.Keep(1 << 20)
	first := render(d)
	if !same(first, render(d)) {
		t.Error("rendered twice")
	}
	others := map[string]Data{"secret": d, "codebase": d, "tenant": d, "farm": d}
	for name, other := range others {
		another, farm := *d.Tenant, *d.Farm
		switch name {
		case "secret":
			other.Secrets.SecretKey = "another"
		case "codebase":
			other.Codebase = f.Codebases["1.39"]
		case "tenant":
			another.Sitename = "Another"
			other.Tenant = &another
		case "farm":
			farm.Web.HSTS = 1
			other.Farm = &farm
		}
		fresh, err := set(t, "").Render(other)
		if got := render(other); err != nil || same(first, got) || string(got.LocalSettings) != string(fresh.LocalSettings) || string(got.Vhost) != string(fresh.Vhost) {
			t.Errorf("another %s: not what a new Set renders (%v)", name, err)
		}
	}
	if !same(first, render(d)) {
		t.Error("the first is not kept any more")
	}
	s.Keep(len(first.LocalSettings))
	if same(render(d), render(d)) {
		t.Error("kept beyond its room")
	}
}

// Check renders with the secrets that are known, so that nothing is rendered again, and of tenants
// that are alike and have none it renders one.
func TestCheckKeeps(t *testing.T) {
	alike := "name = \"%s\"\nhosts = [\"%[1]s.example.org\"]\nsitename = \"x\"\n"
	f := load(t, farmToml, fmt.Sprintf(alike, "new"), fmt.Sprintf(alike, "newer"))
	s, d := set(t, ""), data(f, "btrfs")
	s.Keep(1 << 20)
	known := func(one *tenants.Tenant) (secrets.Secrets, bool) { return d.Secrets, one == d.Tenant }
	if err := s.Check(context.Background(), f, known); err != nil {
		t.Fatal(err)
	}
	if _, ok := s.kept.find(d); !ok || len(s.kept.files) != 2 {
		t.Errorf("files of %d tenants are kept, those of btrfs: %t", len(s.kept.files), ok)
	}
}

// A tenant that can't be rendered has a part in what the others' files are made from, so
// that none of them is kept.
func TestCheckForgets(t *testing.T) {
	f := load(t, farmToml, strings.Replace(btrfsToml, "btrfs", "new", -1))
	s, d := set(t, ""), data(f, "btrfs")
	f.Tenant("new").Settings["no name"] = tenants.Value{Data: "x"}
	s.Keep(1 << 20)
	if err := s.Check(context.Background(), f, nil); err != nil || !f.Tenant("new").Blocked() {
		t.Fatal(err, f.Tenant("new").Faults)
	}
	d.Secrets = placeholders()
	if _, ok := s.kept.find(d); ok || len(s.fleets) > 0 {
		t.Error("kept what a tenant that is blocked now had a part in")
	}
	if _, err := s.Render(d); err != nil {
		t.Fatal(err)
	}
	if _, ok := s.kept.find(d); !ok {
		t.Error("nothing is kept afterwards")
	}
}

// The set of created tenants changes during a run: files of a template that reads it are not kept.
func TestKeepNothingOfAskingTemplates(t *testing.T) {
	f := load(t, farmToml)
	dir := filepath.Join(t.TempDir(), "templates")
	text := `{{ define "end" }}{{ range tenants }}{{ if .Created }}# {{ comment .Name }} is there{{ end }}{{ end }}{{ end }}`
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, LocalSettings), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	s := set(t, dir)
	s.Keep(1 << 20)
	for _, created := range []bool{false, true, false} {
		s.Created = func(string) (bool, error) { return created, nil }
		r, err := s.Render(data(f, "btrfs"))
		if err != nil || strings.Contains(string(r.LocalSettings), "is there") != created {
			t.Errorf("created %v: %v\n%s", created, err, r.LocalSettings)
		}
	}
}
