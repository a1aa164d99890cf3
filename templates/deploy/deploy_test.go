package deploy

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"wikictl/php"
	"wikictl/tenants"
	"wikictl/tenants/secrets"
)

// deployer works below a new folder; check and reload are shell commands.
func deployer(t testing.TB, check, reload string) *Deployer {
	t.Helper()
	web := tenants.Web{Kind: "nginx"}
	if check != "" {
		web.Check = []string{"sh", "-c", check}
	}
	if reload != "" {
		web.Reload = []string{"sh", "-c", reload}
	}
	d, err := New(tenants.Layout{State: filepath.Join(t.TempDir(), "state")}, web)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func wanted(name, text string) Wanted {
	return Wanted{
		Tenant: name, Core: "/srv/mediawiki", LocalSettings: []byte("<?php\n# " + text + "\n$wgDBpassword = 'hidden-" + text + "';\n"),
		Vhost: []byte("# " + text + "\n"), Secrets: func() []string { return []string{"hidden-" + text} },
	}
}

// tree lists everything below a folder with mode and content, but for times.
func tree(t testing.TB, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		if name == "run" {
			return filepath.SkipDir
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%s %s", info.Mode(), name)
		if e.Type()&os.ModeSymlink != 0 {
			target, _ := os.Readlink(path)
			fmt.Fprintf(&b, " -> %s", target)
		} else if e.Type().IsRegular() {
			data, _ := os.ReadFile(path)
			fmt.Fprintf(&b, " %q", data)
		}
		b.WriteByte('\n')
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func apply(t testing.TB, d *Deployer, wanted ...Wanted) Applied {
	t.Helper()
	applied, err := d.Apply(t.Context(), Of(wanted...))
	if err != nil {
		t.Fatal(err)
	}
	return applied
}

// makeOwn makes what a tenant's wiki writes into.
func makeOwn(t testing.TB, d *Deployer, tenant string) {
	t.Helper()
	if err := d.MakeOwn(tenant, d.layout.Images(tenant), d.layout.Cache(tenant)); err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestApplyWritesOnceAndServes(t *testing.T) {
	d := deployer(t, "", "")
	makeOwn(t, d, "a") // of b nothing is there yet
	apply(t, d, wanted("a", "one"), wanted("b", "one"))
	for path, mode := range map[string]os.FileMode{
		d.layout.LocalSettings("a"): 0o640, d.layout.Vhost("a"): 0o644, d.layout.Images("a"): 0o750, d.layout.Cache("a"): 0o750, d.layout.Wiki("b"): 0o750,
	} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v %v, want mode %o", path, info, err, mode)
		}
	}
	before := tree(t, d.layout.State)
	if again := apply(t, d, wanted("a", "one"), wanted("b", "one")); again.Unchanged != 2 || again.Reloaded {
		t.Errorf("a second run did %+v", again)
	}
	if after := tree(t, d.layout.State); after != before {
		t.Errorf("unchanged content wrote something:\n%s\n%s", before, after)
	}
	apply(t, d, wanted("a", "two"), wanted("b", "one"))
	for name, want := range map[string]int{"a": 2, "b": 1} {
		if n, core, err := servedFrom(d, name); n != want || core != "/srv/mediawiki" || err != nil {
			t.Errorf("%s is at %d %s %v", name, n, core, err)
		}
	}
	if got := read(t, d.layout.Vhost("a")); got != "# two\n" {
		t.Errorf("vhost is %q", got)
	}
}

// What the web server's check refuses of one tenant is taken back, and the others are
// served; when it refuses what was there before, nothing changes.
func TestCheckRefusesOneTenant(t *testing.T) {
	d := deployer(t, "! grep -Hs bad VHOSTS/*.conf || { echo is bad; false; }", "echo reload >> RELOADS")
	reloads := filepath.Join(t.TempDir(), "reloads")
	d.web.Check[2] = strings.ReplaceAll(d.web.Check[2], "VHOSTS", d.layout.Vhosts())
	d.web.Reload[2] = strings.ReplaceAll(d.web.Reload[2], "RELOADS", reloads)
	apply(t, d, wanted("a", "one"), wanted("b", "one"))
	all := Of(wanted("a", "two"), wanted("b", "bad"), wanted("c", "new"))
	all.Default = []byte("# default\n")
	applied, err := d.Apply(t.Context(), all)
	var partial *PartialError
	var hook *HookError
	if !errors.As(err, &partial) || len(partial.Failed) != 1 || partial.Failed[0].Tenant != "b" || !errors.As(err, &hook) || !strings.Contains(err.Error(), "is bad") {
		t.Fatalf("error is %v", err)
	}
	if !applied.Reloaded {
		t.Error("the web server was not reloaded")
	}
	for name, want := range map[string]string{"a": "# two", "b": "# one", "c": "# new", "+default": "# default"} {
		if text := read(t, d.layout.Vhost(name)); strings.TrimSpace(text) != want {
			t.Errorf("%s is %q, want %q", name, text, want)
		}
	}
	if n, _ := d.Current("b"); n != 1 {
		t.Errorf("b is served from release %d", n)
	}
	apply(t, d, wanted("a", "two"), wanted("b", "three"), wanted("c", "new"))
	if n, _ := d.Current("b"); n != 3 {
		t.Errorf("the number of a refused release was given again: %d", n)
	}
	if err := os.WriteFile(filepath.Join(d.layout.Vhosts(), "other.conf"), []byte("bad"), 0o644); err != nil {
		t.Fatal(err)
	}
	before := served(t, d, "a", "b", "c")
	if _, err := d.Apply(t.Context(), Of(wanted("a", "three"), wanted("c", "newer"))); !errors.As(err, &hook) || errors.As(err, &partial) || !strings.Contains(err.Error(), "check "+filepath.Join(d.layout.Vhosts(), "other.conf")) {
		t.Errorf("error is %v", err)
	}
	if after := served(t, d, "a", "b", "c"); after != before {
		t.Errorf("not everything was undone:\n%s\nwas\n%s", after, before)
	}
}

// served is what the web server sees.
func served(t testing.TB, d *Deployer, names ...string) string {
	var b strings.Builder
	vhosts, _ := filepath.Glob(d.layout.Vhosts() + "/*")
	hidden, _ := filepath.Glob(d.layout.Vhosts() + "/.*")
	for _, path := range append(vhosts, hidden...) {
		fmt.Fprintf(&b, "%s %q\n", filepath.Base(path), read(t, path))
	}
	for _, name := range names {
		n, core, err := servedFrom(d, name)
		fmt.Fprintln(&b, name, n, core, err)
		if n > 0 {
			b.WriteString(read(t, d.layout.LocalSettings(name)))
		}
	}
	return b.String()
}

func TestLintKeepsOnlyTheTenantAtFault(t *testing.T) {
	d := deployer(t, "", "")
	d.Lint = func(_ context.Context, files []php.Source) error {
		for _, f := range files {
			if strings.Contains(read(t, f.Path), "syntax") {
				return errors.New("is not PHP")
			}
		}
		return nil
	}
	var all []Wanted
	for i := range 9 {
		all = append(all, wanted(fmt.Sprint("t", i), "fine"))
	}
	all[4] = wanted("t4", "syntax")
	_, err := d.Apply(t.Context(), Of(all...))
	var partial *PartialError
	if !errors.As(err, &partial) || len(partial.Failed) != 1 || partial.Failed[0].Tenant != "t4" {
		t.Fatalf("error is %v", err)
	}
	for i := range 9 {
		n, _ := d.Current(fmt.Sprint("t", i))
		if want := 1; i == 4 && n != 0 || i != 4 && n != want {
			t.Errorf("t%d is at release %d", i, n)
		}
	}
	if Exists(d.layout.Vhost("t4")) {
		t.Error("a tenant without a release has a vhost")
	}
}

// PHP parses what it loads. Others are parsed, and those that it refused, to name their mistakes.
func TestParserChecksReleasesThatWereNotLoaded(t *testing.T) {
	d := deployer(t, "", "")
	load, parse := errors.New("has no class Foo"), errors.New("unexpected token")
	d.Load = func(_ context.Context, tenant, _ string) (bool, error) {
		return tenant != "like", map[string]error{"class": load, "token": load}[tenant]
	}
	var parsed sync.Map
	d.Lint = func(_ context.Context, files []php.Source) (err error) {
		for _, f := range files {
			tenant := filepath.Base(strings.TrimSuffix(f.Path, "/releases/1/LocalSettings.php"))
			if parsed.Store(tenant, true); tenant == "token" {
				err = parse
			}
		}
		return err
	}
	applied, err := d.Apply(t.Context(), Of(wanted("class", "one"), wanted("like", "one"), wanted("loaded", "one"), wanted("token", "one")))
	if !errors.As(err, new(*PartialError)) || len(applied.Outcomes) != 4 {
		t.Fatal(applied, err)
	}
	for i, want := range []error{load, nil, nil, parse} {
		o := applied.Outcomes[i]
		if !errors.Is(o.Err, want) || Exists(d.layout.Release(o.Tenant, 1)) != (want == nil) {
			t.Errorf("%s: %v, want %v", o.Tenant, o.Err, want)
		}
		if _, is := parsed.Load(o.Tenant); is != (o.Tenant != "loaded") {
			t.Errorf("%s: parsed is %t", o.Tenant, is)
		}
	}
}

// A tenant that can't be rendered is left as it is; the others are served.
func TestProblemsOfOneTenant(t *testing.T) {
	d := deployer(t, "", "")
	two := Of(wanted("a", "one"), wanted("b", "one"))
	good := two.At
	two.At = func(i int) (Wanted, error) {
		if i == 1 {
			return Wanted{}, tenants.Problems{{Message: "does not fit"}}
		}
		return good(i)
	}
	for name, err := range map[string]error{
		"compare": func() error { _, err := d.Compare(t.Context(), two, false); return err }(),
		"apply":   func() error { _, err := d.Apply(t.Context(), two); return err }(),
	} {
		var partial *PartialError
		var problems tenants.Problems
		if !errors.As(err, &partial) || len(partial.Failed) != 1 || partial.Failed[0].Tenant != "b" || !errors.As(err, &problems) {
			t.Errorf("%s: error is %v", name, err)
		}
	}
	if Exists(d.layout.Wiki("b")) || !Exists(d.layout.LocalSettings("a")) {
		t.Error("b was written, or a was not")
	}
}

func TestCompareMasksSecrets(t *testing.T) {
	d := deployer(t, "", "")
	apply(t, d, wanted("a", "one"))
	changes, err := d.Compare(t.Context(), Of(wanted("a", "two"), wanted("b", "one")), true)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, c := range changes {
		kinds = append(kinds, fmt.Sprint(c.Tenant, " ", filepath.Base(c.Path), " ", c.Kind))
		if strings.Contains(c.Diff, "hidden") {
			t.Errorf("a secret shows:\n%s", c.Diff)
		}
	}
	want := []string{"a LocalSettings.php edit", "a a.conf edit", "b LocalSettings.php add", "b core add", "b b.conf add"}
	if !slices.Equal(kinds, want) {
		t.Errorf("changes are %q", kinds)
	}
	if !strings.Contains(changes[0].Diff, "+# two") {
		t.Errorf("no difference shows:\n%s", changes[0].Diff)
	}
}

func TestReadableSecretsAreFound(t *testing.T) {
	d := deployer(t, "", "")
	apply(t, d, wanted("a", "one"))
	if err := os.Chmod(d.layout.LocalSettings("a"), 0o644); err != nil {
		t.Fatal(err)
	}
	if changes, err := d.Compare(t.Context(), Of(wanted("a", "one")), false); err != nil || len(changes) != 1 || changes[0].Kind != Mode {
		t.Errorf("changes are %v %v", changes, err)
	}
	apply(t, d, wanted("a", "one"))
	if info, err := os.Stat(d.layout.LocalSettings("a")); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("%v %v", info, err)
	}
}

func TestPrepareSwitchPublishWithdraw(t *testing.T) {
	d := deployer(t, "", "")
	ctx := t.Context()
	if n := prepare(t, d, wanted("a", "one")); n != 1 || Exists(d.layout.Current("a")) {
		t.Fatal(n)
	}
	if err := d.Switch(ctx, "a", 1); err != nil || Exists(d.layout.Vhost("a")) {
		t.Fatal("a switch published the tenant or failed:", err)
	}
	if reloaded, err := d.Publish(ctx, "a"); err != nil || !reloaded || read(t, d.layout.Vhost("a")) != "# one\n" {
		t.Fatal(reloaded, err)
	}
	if reloaded, err := d.Publish(ctx, "a"); err != nil || reloaded {
		t.Fatal(reloaded, err)
	}
	for range 2 {
		if n := prepare(t, d, wanted("a", "two")); n != 2 {
			t.Fatal(n)
		}
	}
	if err := d.Switch(ctx, "a", 2); err != nil || read(t, d.layout.Vhost("a")) != "# two\n" {
		t.Fatal(err)
	}
	if err := d.Switch(ctx, "a", 1); err != nil || read(t, d.layout.Vhost("a")) != "# one\n" {
		t.Fatal(err)
	}
	removed := d.layout.RemovedTenant("a", "run")
	if err := d.Retire(ctx, "a", removed); err == nil {
		t.Fatal("a served tenant was removed")
	}
	if _, err := d.Withdraw(ctx, "a"); err != nil || Exists(d.layout.Vhost("a")) || !Exists(d.layout.Current("a")) {
		t.Fatal(err)
	}
	for range 2 {
		if err := d.Retire(ctx, "a", removed); err != nil || Exists(d.layout.Wiki("a")) || !Exists(removed+"/wiki/releases/2") {
			t.Fatal(err)
		}
		if err := d.RetireSecrets(ctx, "a", removed); err != nil {
			t.Fatal(err)
		}
	}
	if n := prepare(t, d, wanted("a", "another wiki")); n != 3 {
		t.Errorf("another wiki of the name begins with release %d, whose path may be known to PHP", n)
	}
	if err := os.RemoveAll(d.layout.Wiki("a")); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := d.BringBack(ctx, "a", removed); err != nil || Exists(removed+"/wiki") || !strings.Contains(read(t, d.layout.LocalSettings("a")), "# one\n") {
			t.Fatal(err)
		}
	}
}

func TestSecretsAndReadOnly(t *testing.T) {
	d := deployer(t, "", "")
	apply(t, d, wanted("a", "one"))
	want := secrets.Secrets{WebPassword: "w", SchemaPassword: "s", SecretKey: "k", UpgradeKey: "u", Admin: "Admin"}
	if err := d.WriteSecrets("a", want); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(d.layout.Secrets("a")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	if got, err := d.ReadSecrets("a"); err != nil || got != want {
		t.Errorf("%+v %v", got, err)
	}
	if err := d.SetReadOnly("a", "upgrade"); err != nil || read(t, d.layout.ReadOnly("a")) != "upgrade" {
		t.Error(err)
	}
	if err := d.ClearReadOnly("a"); err != nil || Exists(d.layout.ReadOnly("a")) {
		t.Error(err)
	}
}
