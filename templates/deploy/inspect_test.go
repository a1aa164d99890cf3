package deploy

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"wikictl/cmd/testbed/needs"
)

// inspected is a deployer with one tenant, alpha, whose code is real enough.
func inspected(t *testing.T) (d *Deployer, code string) {
	t.Helper()
	d = deployer(t, "", "")
	code = filepath.Join(t.TempDir(), "code")
	put(t, filepath.Join(code, "includes", "Defines.php"), "<?php", 0o644)
	w := wanted("alpha", "one")
	w.Core = code
	makeOwn(t, d, "alpha")
	if _, err := d.Apply(t.Context(), Of(w)); err != nil {
		t.Fatal(err)
	}
	return d, code
}

// put writes a file and the folders above it.
func put(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

// old makes a file older than a run takes.
func old(t *testing.T, path string) {
	t.Helper()
	then := time.Now().Add(-2 * halfWrittenAge)
	if err := os.Chtimes(path, then, then); err != nil {
		t.Fatal(err)
	}
}

func inspect(t *testing.T, d *Deployer) Inspection {
	t.Helper()
	i, err := d.Inspect("alpha")
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func TestBrokenLinks(t *testing.T) {
	for _, c := range []struct {
		name, link, target string // empty: the link is removed
		why                string
	}{
		{"current gone", "current", "", "does not exist"},
		{"current no release", "current", "releases/old", "leads to releases/old, which is not a release"},
		{"current to a release that is gone", "current", "releases/9", "leads to releases/9, which does not exist"},
		{"core gone", "releases/1/core", "", "does not exist"},
		{"core without MediaWiki", "releases/1/core", "/usr", "leads to /usr, which is not a MediaWiki tree"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, code := inspected(t)
			if i := inspect(t, d); len(i.Broken) != 0 || i.Release != 1 {
				t.Fatalf("before: %+v", i)
			}
			link := filepath.Join(d.layout.Wiki("alpha"), c.link)
			if err := os.Remove(link); err != nil {
				t.Fatal(err)
			}
			if c.target != "" {
				if err := os.Symlink(c.target, link); err != nil {
					t.Fatal(err)
				}
			}
			i := inspect(t, d)
			if len(i.Broken) != 1 || i.Broken[0].Why != c.why {
				t.Fatalf("found %+v, want %q", i.Broken, c.why)
			}
			if err := d.RepairLinks(t.Context(), "alpha", code); err != nil {
				t.Fatal(err)
			}
			if i := inspect(t, d); len(i.Broken) != 0 || i.Release != 1 {
				t.Errorf("after: %+v", i)
			}
		})
	}
}

// Without a release of that code nothing is led anywhere.
func TestRepairLinksNeedsARelease(t *testing.T) {
	d, _ := inspected(t)
	if err := os.Remove(d.layout.Current("alpha")); err != nil {
		t.Fatal(err)
	}
	if err := d.RepairLinks(t.Context(), "alpha", "/usr"); err == nil || !strings.Contains(err.Error(), "no release of tenant") {
		t.Error(err)
	}
	if Exists(d.layout.Current("alpha")) {
		t.Error("there is a link")
	}
}

// What PHP writes into is missing until somebody makes it: no release makes lost
// uploads look as if there never were any.
func TestMissingFolders(t *testing.T) {
	d, code := inspected(t)
	images, cache := d.layout.Images("alpha"), d.layout.Cache("alpha")
	if i := inspect(t, d); i.Missing != nil {
		t.Fatalf("before: %v", i.Missing)
	}
	for _, path := range []string{images, cache} {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	w := wanted("alpha", "two")
	w.Core = code
	apply(t, d, w)
	if i := inspect(t, d); !slices.Equal(i.Missing, []string{images, cache}) {
		t.Errorf("missing are %v", i.Missing)
	}
	disk := t.TempDir()
	if err := os.Symlink(disk, images); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(disk, "x.gif"), "content", 0o644)
	makeOwn(t, d, "alpha")
	if i := inspect(t, d); i.Missing != nil || read(t, filepath.Join(images, "x.gif")) != "content" {
		t.Errorf("after: %v", i.Missing)
	}
	if err := os.Rename(disk, disk+"-unmounted"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(disk + "-unmounted") })
	if i := inspect(t, d); !slices.Equal(i.Missing, []string{images}) {
		t.Errorf("a link that leads nowhere: %v", i.Missing)
	}
	if err := d.MakeOwn("alpha", images); err == nil {
		t.Error("uploads of a disk that is away were made anew")
	}
}

func TestWrongModes(t *testing.T) {
	d, _ := inspected(t)
	l := d.layout
	put(t, l.Secrets("alpha"), "secret", 0o600)
	if err := os.Chmod(filepath.Dir(l.Secrets("alpha")), 0o700); err != nil {
		t.Fatal(err)
	}
	if i := inspect(t, d); len(i.Rights) != 0 {
		t.Fatalf("before: %+v", i.Rights)
	}
	for path, want := range map[string]os.FileMode{
		l.Secrets("alpha"): 0o600, l.LocalSettings("alpha"): 0o640, l.Vhost("alpha"): 0o644, l.Images("alpha"): 0o755, l.Wiki("alpha"): 0o755,
	} {
		if err := os.Chmod(path, 0o777); err != nil {
			t.Fatal(err)
		}
		i := inspect(t, d)
		if len(i.Rights) != 1 || i.Rights[0].WantMode&^0o111 != want&^0o111 || i.Rights[0].WrongOwner() {
			t.Fatalf("%s: found %+v", path, i.Rights)
		}
		if err := d.SetRights(t.Context(), i.Rights[0]); err != nil {
			t.Fatal(err)
		}
		if i := inspect(t, d); len(i.Rights) != 0 {
			t.Errorf("after: %+v", i.Rights)
		}
	}
	if err := os.Chmod(l.Cache("alpha"), 0o555); err != nil {
		t.Fatal(err)
	}
	if i := inspect(t, d); len(i.Rights) != 1 || i.Rights[0].ModeText() != "has mode 0555, not 0755" {
		t.Errorf("a cache that can't be written: %+v", i.Rights)
	}
}

func TestWrongOwners(t *testing.T) {
	needs.Root(t, "giving files away")
	d, _ := inspected(t)
	d.uid, d.gid = 33, 33
	i := inspect(t, d)
	for _, r := range i.Rights {
		if err := d.SetRights(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	if i := inspect(t, d); len(i.Rights) != 0 {
		t.Errorf("still wrong: %+v", i.Rights)
	}
	if err := os.Chown(d.layout.LocalSettings("alpha"), 33, 33); err != nil {
		t.Fatal(err)
	}
	i = inspect(t, d)
	if len(i.Rights) != 1 || i.Rights[0].OwnerText() != "belongs to user www-data, group www-data, not user root, group www-data" {
		t.Errorf("settings that the web server may change: %+v", i.Rights)
	}
}

func TestUnusedReleases(t *testing.T) {
	for _, c := range []struct {
		name     string
		releases []int
		current  int
		needed   int
		want     []int
	}{
		{"as many as Apply keeps", []int{1, 2, 3}, 3, 0, nil},
		{"one more", []int{1, 2, 3, 4}, 4, 0, []int{1}},
		{"needed for a rollback", []int{1, 2, 3, 4, 5}, 5, 2, []int{1}},
		{"the current one is old", []int{1, 2, 3, 4, 5}, 1, 0, []int{2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Unused(Inspection{Release: c.current, Releases: c.releases}, c.needed)
			if !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestDiscardKeepsServedReleases(t *testing.T) {
	d, _ := inspected(t)
	for _, n := range []int{2, 3, 4, 5} {
		put(t, filepath.Join(d.layout.Release("alpha", n), settingsFile), "<?php", 0o640)
	}
	if err := d.Discard(t.Context(), "alpha", []int{2, 1}); err == nil || !strings.Contains(err.Error(), "release 1 of tenant \"alpha\" is in use") {
		t.Error(err)
	}
	if got, err := d.Releases("alpha"); err != nil || !slices.Equal(got, []int{1, 3, 4, 5}) {
		t.Error(got, err)
	}
}

func TestInspectFarm(t *testing.T) {
	d, _ := inspected(t)
	state := d.layout.State
	for _, path := range []string{"vhosts/gone.conf", "vhosts/README", "secrets/gone.toml", "wikis/gone/x", "logs/gone/x", "logs/golden-1/x", "pools/.alpha.conf.new", "secrets/.alpha.toml77", "vhosts/.git", "backups/README"} {
		put(t, filepath.Join(state, path), "", 0o600)
	}
	if err := os.Chmod(filepath.Join(state, "secrets"), 0o700); err != nil {
		t.Fatal(err)
	}
	old(t, filepath.Join(state, "secrets/.alpha.toml77"))
	old(t, filepath.Join(state, "vhosts/.git")) // somebody else's
	i, err := d.InspectFarm(map[string]bool{"alpha": true})
	if err != nil {
		t.Fatal(err)
	}
	var strays []string
	for _, s := range i.Strays {
		strays = append(strays, s.Kind+" "+s.Name)
	}
	if diff := cmp.Diff([]string{"vhosts gone", "secrets gone", "wikis gone", "logs gone"}, strays); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{filepath.Join(state, "secrets/.alpha.toml77")}, i.HalfWritten); diff != "" || i.Journal || len(i.Rights) > 0 {
		t.Errorf("%s %+v", diff, i)
	}
	if err := d.RemoveHalfWritten(t.Context(), filepath.Join(state, "pools/.alpha.conf.new")); err == nil {
		t.Error("what somebody writes just now was removed")
	}
	if err := d.RemoveHalfWritten(t.Context(), i.HalfWritten[0]); err != nil || Exists(i.HalfWritten[0]) {
		t.Error(err)
	}
	put(t, d.journalPath(), "{}", 0o600)
	old(t, d.journalPath())
	if i, err := d.InspectFarm(nil); err != nil || !i.Journal {
		t.Errorf("%v %+v", err, i)
	}
}

func TestInspectCode(t *testing.T) {
	d, code := inspected(t)
	cite := filepath.Join(code, "extensions", "Cite")
	put(t, filepath.Join(cite, "extension.json"), "{}", 0o644)
	check := func(want ...string) {
		t.Helper()
		i, err := d.InspectCode(code)
		if err != nil || !slices.Equal(i.Writable, want) {
			t.Errorf("%v, writable are %v, want %v", err, i.Writable, want)
		}
	}
	check()
	if err := os.Chmod(cite, 0o777); err != nil {
		t.Fatal(err)
	}
	check(cite)
	put(t, filepath.Join(code, settingsFile), "<?php", 0o644)
	if i, err := d.InspectCode(code); err != nil || i.Settings != filepath.Join(code, settingsFile) {
		t.Errorf("%v %+v", err, i)
	}
	if os.Geteuid() != 0 {
		return
	}
	d.uid, d.gid = 33, 33
	if err := os.Chmod(cite, 0o775); err != nil {
		t.Fatal(err)
	}
	check()
	for _, owner := range [][2]int{{33, 0}, {0, 33}} {
		if err := os.Chown(cite, owner[0], owner[1]); err != nil {
			t.Fatal(err)
		}
		check(cite)
	}
}
