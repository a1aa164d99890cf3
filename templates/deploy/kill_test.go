package deploy

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wikictl/tenants"
)

const many = 60

// version is the content of all tenants at one time; the last ten are new in "two".
func version(text string) Source {
	n := many
	if text == "one" {
		n -= 10
	}
	return Source{Len: n, Default: []byte("# default " + text + "\n"), At: func(i int) (Wanted, error) { return wanted(fmt.Sprintf("t%02d", i), text), nil }}
}

// deployerAt has a check that fails when a file "refuse" exists, and counts reloads.
func deployerAt(t *testing.T, dir string) *Deployer {
	d, err := New(tenants.Layout{State: filepath.Join(dir, "state")}, tenants.Web{
		Kind:   "nginx",
		Check:  []string{"sh", "-c", "sleep 0.01; test ! -e " + dir + "/refuse"},
		Reload: []string{"sh", "-c", "cat " + dir + "/state/vhosts/*.conf > " + dir + "/loaded.$$ && mv " + dir + "/loaded.$$ " + dir + "/loaded"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestHelper is not a test: it is the process that TestKill kills.
func TestHelper(t *testing.T) {
	dir := os.Getenv("WIKICTL_DEPLOY_HELPER")
	if dir == "" {
		t.Skip("only runs as a child of TestKill")
	}
	if _, err := deployerAt(t, dir).Apply(t.Context(), version("two")); err != nil {
		t.Fatal(err)
	}
}

// killed starts the change to "two" and kills it after a while.
func killed(t *testing.T, dir string, after time.Duration) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestHelper$")
	cmd.Env = append(os.Environ(), "WIKICTL_DEPLOY_HELPER="+dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(after)
	_ = cmd.Process.Kill()
	_ = cmd.Wait() // killed, or done before
}

// duration is how long the change takes when nothing disturbs it.
func duration(t *testing.T) time.Duration {
	t.Helper()
	dir, _, _, _ := begin(t)
	cmd := exec.Command(os.Args[0], "-test.run=^TestHelper$")
	cmd.Env = append(os.Environ(), "WIKICTL_DEPLOY_HELPER="+dir)
	start := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return time.Since(start)
}

// checkWhole fails when a tenant is served something that is neither version,
// or when the web server includes a tenant that has no release.
func checkWhole(t *testing.T, d *Deployer) {
	t.Helper()
	vhosts, err := filepath.Glob(d.layout.Vhosts() + "/t*.conf")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range vhosts {
		name := strings.TrimSuffix(filepath.Base(path), ".conf")
		release, core, err := servedFrom(d, name)
		if err != nil || release == 0 || core == "" {
			t.Errorf("%s names nothing: release %d %s %v", path, release, core, err)
			continue
		}
		got := read(t, d.layout.LocalSettings(name))
		if got != string(wanted(name, "one").LocalSettings) && got != string(wanted(name, "two").LocalSettings) {
			t.Errorf("%s is served %q", name, got)
		}
	}
}

func names() (all []string) {
	for i := range many {
		all = append(all, fmt.Sprintf("t%02d", i))
	}
	return all
}

// servedState returns everything that is served, without the numbers of releases.
func servedState(t *testing.T, d *Deployer) string {
	t.Helper()
	var b strings.Builder
	for _, name := range names() {
		if n, core, err := servedFrom(d, name); err != nil || n > 0 {
			fmt.Fprintln(&b, name, core, err, read(t, d.layout.LocalSettings(name)))
		}
	}
	files, _ := filepath.Glob(d.layout.Vhosts() + "/*")
	hidden, _ := filepath.Glob(d.layout.Vhosts() + "/.*")
	for _, path := range append(files, hidden...) {
		fmt.Fprintf(&b, "%s %q\n", filepath.Base(path), read(t, path))
	}
	unfinishedOnes, _ := filepath.Glob(d.layout.State + "/wikis/*/releases/" + unfinished)
	links, _ := filepath.Glob(d.layout.State + "/wikis/*/.current.new")
	fmt.Fprintln(&b, len(unfinishedOnes), len(links), Exists(d.journalPath()))
	return b.String()
}

// begin makes a farm at "one", and returns its served state at both versions.
func begin(t *testing.T) (dir string, d *Deployer, one, two string) {
	t.Helper()
	undisturbed := deployerAt(t, t.TempDir())
	for _, text := range []string{"one", "two"} {
		if _, err := undisturbed.Apply(t.Context(), version(text)); err != nil {
			t.Fatal(err)
		}
		if text == "one" {
			one = servedState(t, undisturbed)
		}
	}
	dir = t.TempDir()
	d = deployerAt(t, dir)
	if _, err := d.Apply(t.Context(), version("one")); err != nil {
		t.Fatal(err)
	}
	return dir, d, one, servedState(t, undisturbed)
}

func TestKillThenFinish(t *testing.T) {
	full := duration(t)
	for range 6 {
		dir, d, _, two := begin(t)
		for range 3 {
			killed(t, dir, rand.N(full))
			checkWhole(t, d)
		}
		if _, err := d.Apply(t.Context(), version("two")); err != nil {
			t.Fatal(err)
		}
		if got := servedState(t, d); got != two {
			t.Fatalf("after kills and a run:\n%s\nwithout kills:\n%s", got, two)
		}
		if loaded := read(t, dir+"/loaded"); strings.Contains(loaded, "one") || strings.Count(loaded, "two") != many+1 {
			t.Fatalf("the web server has loaded:\n%s", loaded)
		}
	}
}

func TestKillThenUndo(t *testing.T) {
	full, middle := duration(t), 0
	for range 6 {
		dir, d, one, two := begin(t)
		killed(t, dir, full/3+rand.N(full))
		if Exists(d.journalPath()) {
			middle++
		}
		if err := os.WriteFile(dir+"/refuse", nil, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := d.Apply(t.Context(), version("two"))
		got := servedState(t, d)
		var hook *HookError
		switch {
		case err == nil && got == two: // only the clean-up remained
		case errors.As(err, &hook) && got == one:
		default:
			t.Fatalf("%v\n%s\nwas\n%s", err, got, one)
		}
		checkWhole(t, d)
	}
	t.Logf("%d of 6 were killed amid the change of %s", middle, full)
}

// A run that was killed after the reload, while it removed what an undoing
// needs, has made its change: a later check that fails does not take back half.
func TestKilledWhileSettling(t *testing.T) {
	dir, d, _, _ := begin(t)
	if _, err := d.Apply(t.Context(), version("two")); err != nil {
		t.Fatal(err)
	}
	before := servedState(t, d)
	release, err := d.Current("t00")
	if err != nil {
		t.Fatal(err)
	}
	j := journal{Swaps: []swap{{Tenant: "t00", From: release - 1, To: release, Vhost: Edit}}, Done: true}
	if err := errors.Join(d.writeJournal(j), os.WriteFile(dir+"/refuse", nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Apply(t.Context(), version("two")); err != nil {
		t.Error(err)
	}
	if got := servedState(t, d); got != before {
		t.Errorf("%s\nwas\n%s", got, before)
	}
}

func TestJournalOutlivesANarrowerRun(t *testing.T) {
	dir, d, _, _ := begin(t)
	j := journal{Swaps: []swap{{Tenant: "t00", From: 1, To: 2, Vhost: Edit}}}
	prepare(t, d, wanted("t00", "two"))
	// As if a run had been killed between the link and the virtual host.
	if err := errors.Join(d.writeJournal(j), d.serve("t00", 2)); err != nil {
		t.Fatal(err)
	}
	applied, err := d.Apply(t.Context(), Of(wanted("t01", "one")))
	if err != nil || applied.Recovered != 1 || !applied.Reloaded {
		t.Fatalf("%+v %v", applied, err)
	}
	if got := read(t, d.layout.Vhost("t00")); got != "# two\n" {
		t.Errorf("vhost is %q", got)
	}
	if !strings.Contains(read(t, dir+"/loaded"), "# two\n") {
		t.Error("it was not loaded")
	}
	// A switch by something else since is left alone.
	if err := errors.Join(d.writeJournal(j), d.Switch(t.Context(), "t00", 1)); err != nil {
		t.Fatal(err)
	}
	if applied, err = d.Apply(t.Context(), Of(wanted("t01", "one"))); err != nil || applied.Recovered != 0 {
		t.Fatalf("%+v %v", applied, err)
	}
	if n, _ := d.Current("t00"); n != 1 {
		t.Errorf("release is %d", n)
	}
}
