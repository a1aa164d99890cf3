package deploy

import (
	"context"
	"errors"
	"strings"
	"testing"

	"wikictl/php"
)

// prepare prepares one tenant's release and returns its number.
func prepare(t *testing.T, d *Deployer, w Wanted) int {
	t.Helper()
	p, err := d.Prepare(t.Context(), Of(w))
	if err != nil || p[0].Err != nil || p[0].Tenant != w.Tenant {
		t.Fatal(p, err)
	}
	return p[0].Release
}

func TestPrepareChecksUnservedReleases(t *testing.T) {
	d := deployer(t, "", "")
	refused, checks := "", 0
	d.Lint = func(_ context.Context, files []php.Source) error {
		checks++
		for _, f := range files {
			if refused != "" && strings.Contains(f.Path, "/"+refused+"/") {
				return errors.New(f.Path + " is wrong")
			}
		}
		return nil
	}
	four := Of(wanted("a", "one"), wanted("b", "one"), wanted("c", "one"), wanted("d", "one"))
	if _, err := d.Prepare(t.Context(), four); err != nil || checks != 1 {
		t.Fatalf("%d checks for all: %v", checks, err)
	}
	refused = "c" // as if a run had been killed before its check
	p, err := d.Prepare(t.Context(), four)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range p {
		if (one.Err != nil) != (one.Tenant == "c") || (one.Err == nil && one.Release != 1) {
			t.Errorf("%+v", one)
		}
	}
	if Exists(d.layout.Release("c", 1)) || !Exists(d.layout.Release("d", 1)) {
		t.Error("not just the wrong release is gone")
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.Prepare(cancelled, Of(wanted("e", "one"))); err == nil || Exists(d.layout.Release("e", 1)) {
		t.Errorf("a release that was not checked stays: %v", err)
	}
	if err := d.Switch(t.Context(), "a", 1); err != nil {
		t.Fatal(err)
	}
	checks = 0
	if n := prepare(t, d, wanted("a", "one")); n != 1 || checks != 0 {
		t.Errorf("what is served was checked again: release %d, %d checks", n, checks)
	}
}

// servedFrom is the release that a tenant is served from, and its codebase.
func servedFrom(d *Deployer, tenant string) (release int, core string, err error) {
	if release, err = d.Current(tenant); err == nil {
		core, err = d.Core(tenant, release)
	}
	return release, core, err
}
