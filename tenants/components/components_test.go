package components

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"wikictl/cmd/testbed/needs"
	"wikictl/tenants"
	"wikictl/tenants/definitions"
)

// repository is a git repository with files to commit.
type repository struct {
	t   *testing.T
	dir string
}

func newRepository(t *testing.T, files map[string]string) *repository {
	t.Helper()
	needs.Program(t, "git")
	r := &repository{t, filepath.Join(t.TempDir(), "a repo'\" of mine")}
	r.git("init", "-q", "-b", "master", ".")
	r.commit(files)
	return r
}

func (r *repository) git(args ...string) string {
	r.t.Helper()
	must(r.t, os.MkdirAll(r.dir, 0o755))
	cmd := exec.Command("git", append([]string{"-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "protocol.file.allow=always"}, args...)...)
	cmd.Dir = r.dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// commit writes files and commits them; it returns the commit.
func (r *repository) commit(files map[string]string) string {
	r.t.Helper()
	fill(r.t, r.dir, files)
	r.git("add", "-A")
	r.git("commit", "-q", "--allow-empty", "-m", "x")
	return r.git("rev-parse", "HEAD")
}

func fill(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		must(t, os.WriteFile(path, []byte(text), 0o644))
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// farmOf is a farm with some sources and the lock file that is there.
func farmOf(t *testing.T, dir string, sources ...tenants.Source) *tenants.Farm {
	t.Helper()
	locked, err := definitions.ReadLock(dir)
	must(t, err)
	return &tenants.Farm{Dir: dir, State: filepath.Join(dir, "state"), Sources: sources, Locked: locked}
}

// fetched fetches sources, and returns the statuses and errors.
func fetched(t *testing.T, dir string, o Options, sources ...tenants.Source) (string, []Outcome) {
	t.Helper()
	outcomes, err := Fetch(t.Context(), farmOf(t, dir, sources...), o)
	must(t, err)
	var words []string
	for _, o := range outcomes {
		word := string(o.Status)
		if o.Err != nil {
			word += ": " + o.Err.Error()
		}
		words = append(words, word)
	}
	return strings.Join(words, "; "), outcomes
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	must(t, err)
	return string(text)
}

const manifest = `{"name": "Foo", "manifest_version": 2}`

// A branch is fetched once, stays at its commit until an update, and is the same elsewhere by
// the lock file. Files that somebody changed are found and fetched again.
func TestFetchRepository(t *testing.T) {
	r := newRepository(t, map[string]string{"extension.json": manifest, "a b.php": "1", "x.sh": "#!/bin/sh"})
	must(t, os.Chmod(filepath.Join(r.dir, "x.sh"), 0o755))
	first, dir := r.commit(nil), t.TempDir()
	s := tenants.Source{Name: "Foo", Git: r.dir, Version: "master", Composer: true}
	fetch := func(o Options, want string) []Outcome {
		t.Helper()
		got, outcomes := fetched(t, dir, o, s)
		if !strings.HasPrefix(got, want) || want == "" {
			t.Fatalf("it is %q, want %q", got, want)
		}
		return outcomes
	}
	fetch(Options{DryRun: true}, "to fetch")
	if _, err := os.Lstat(filepath.Join(dir, "state")); err == nil {
		t.Error("a dry run makes folders")
	}
	was := fetch(Options{}, "done")[0].Locked
	fetch(Options{}, "unchanged")
	folder := farmOf(t, dir).Layout().Component(was)
	if was.Commit != first || read(t, folder+"/a b.php") != "1" || filepath.Base(folder) != "Foo" {
		t.Errorf("%+v in %s", was, folder)
	}
	for name, want := range map[string]os.FileMode{"x.sh": 0o755, "a b.php": 0o644, "..": 0o755, "../..": 0o755} {
		if info, err := os.Stat(filepath.Join(folder, name)); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	if _, err := os.Lstat(folder + "/.git"); err == nil {
		t.Error("git's folder is served")
	}
	second := r.commit(map[string]string{"a b.php": "2"})
	fetch(Options{}, "unchanged")
	checks := Outdated(t.Context(), farmOf(t, dir, s), nil)
	if c := checks[0]; c.Newest != second || c.Locked.Commit != first || c.Err != nil {
		t.Errorf("outdated: %+v", c)
	}
	now := fetch(Options{Update: true}, "done")[0].Locked
	fetch(Options{Update: true}, "unchanged")
	if now.Commit != second || read(t, farmOf(t, dir).Layout().Component(now)+"/a b.php") != "2" || read(t, folder+"/a b.php") != "1" {
		t.Errorf("after the update: %+v", now)
	}
	folder = farmOf(t, dir).Layout().Component(now)
	fill(t, folder, map[string]string{"a b.php": "evil", "new.php": "evil"})
	must(t, os.Remove(folder+"/x.sh"))
	if err := Verify(t.Context(), farmOf(t, dir, s), nil)[0].Err; err == nil || err.Error() != "its files are not those of wikictl.lock: a b.php, new.php, x.sh" {
		t.Error(err)
	}
	fetch(Options{}, "done")
	if err := Verify(t.Context(), farmOf(t, dir, s), nil)[0].Err; err != nil || read(t, folder+"/a b.php") != "2" {
		t.Error(err)
	}
	r.commit(map[string]string{"a b.php": "3"})
	must(t, os.RemoveAll(filepath.Join(dir, "state")))
	if again := fetch(Options{}, "done")[0].Locked; again != now || read(t, folder+"/a b.php") != "2" {
		t.Errorf("elsewhere: %+v, want %+v", again, now)
	}
	r.git("checkout", "-q", "--orphan", "other")
	r.commit(nil)
	r.git("branch", "-q", "-f", "master", "other")
	r.git("reflog", "expire", "--expire=now", "--all")
	r.git("gc", "-q", "--prune=now")
	must(t, os.RemoveAll(filepath.Join(dir, "state")))
	if got, _ := fetched(t, dir, Options{}, s); !strings.Contains(got, "failed: fetch") || !strings.Contains(got, "(wikictl extensions fetch --update Foo") {
		t.Errorf("a commit that is gone: %s", got)
	}
	if entries, _ := os.ReadDir(filepath.Join(dir, "state/components/.work")); len(entries) > 0 {
		t.Errorf("left over: %v", entries)
	}
}

// Tags, annotated ones too, commits and full names of refs are versions; what is none, or
// names two commits, says what to write.
func TestVersions(t *testing.T) {
	r := newRepository(t, map[string]string{"extension.json": manifest})
	first := r.git("rev-parse", "HEAD")
	r.git("tag", "-a", "-m", "x", "v1.0+mw@2")
	second := r.commit(map[string]string{"a": "1"})
	r.git("branch", "both", first)
	r.git("tag", "both", second)
	r.git("branch", "a/master", first)
	r.git("update-ref", "refs/changes/1", first)
	for version, want := range map[string]string{
		"v1.0+mw@2": first, "master": second, "a/master": first, first: first, "refs/heads/both": first, "refs/tags/both": second, "refs/changes/1": first,
		"both": "has a branch and a tag both", "gone": "has no branch or tag gone", first[:10]: "write all digits of a commit", strings.Repeat("a", 40): "has no commit",
	} {
		got, outcomes := fetched(t, t.TempDir(), Options{}, tenants.Source{Name: "Foo", Git: r.dir, Version: version})
		if !strings.Contains(got, want) && outcomes[0].Locked.Commit != want {
			t.Errorf("%s: %s, %s; want %s", version, got, outcomes[0].Locked.Commit, want)
		}
	}
	if got, _ := fetched(t, t.TempDir(), Options{}, tenants.Source{Name: "Foo", Git: r.dir + "/none", Version: "master"}); !strings.Contains(got, "failed: ask "+r.dir+"/none: git: ") {
		t.Errorf("no repository: %s", got)
	}
}

// Repositories without a manifest, with an invalid one, or with links that lead out of them, directly
// or through another link, are refused.
func TestRepositoriesRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		files, links map[string]string
		want         string
	}{
		"no manifest":     {map[string]string{"README": "x"}, nil, "has no extension.json (is it the extension itself"},
		"a folder around": {map[string]string{"Foo/extension.json": manifest, "x": ""}, nil, "has no extension.json"},
		"no JSON":         {map[string]string{"extension.json": "{"}, nil, "its extension.json can't be used"},
		"a pointer":       {map[string]string{"extension.json": manifest, "a.png": "version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 1\n"}, nil, "a.png is a pointer of Git LFS"},
		"a link out":      {map[string]string{"extension.json": manifest}, map[string]string{"a": "/etc/passwd"}, "the link a leads out of the folder, to /etc/passwd"},
		"up and out":      {map[string]string{"extension.json": manifest}, map[string]string{"b/a": "../../x"}, "the link b/a leads out"},
		"a good link":     {map[string]string{"extension.json": manifest, "c/x": "1"}, map[string]string{"b/a": "../c/x", "gone": "nothing"}, "done"},
		"by two links":    {map[string]string{"extension.json": manifest, "d/e/x": "1"}, map[string]string{"l": "d/e", "m": "l/../../../etc"}, "the link m leads out"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRepository(t, tc.files)
			for link, target := range tc.links {
				must(t, os.MkdirAll(filepath.Dir(filepath.Join(r.dir, link)), 0o755))
				must(t, os.Symlink(target, filepath.Join(r.dir, link)))
			}
			r.commit(nil)
			dir := t.TempDir()
			if got, _ := fetched(t, dir, Options{}, tenants.Source{Name: "Foo", Git: r.dir, Version: "master"}); !strings.Contains(got, tc.want) {
				t.Errorf("%s, want %s", got, tc.want)
			}
			if _, err := os.Lstat(filepath.Join(dir, "wikictl.lock")); (err == nil) != (tc.want == "done") {
				t.Errorf("the lock file: %v", err)
			}
		})
	}
}

// Submodules are fetched with the commit that names them.
func TestSubmodules(t *testing.T) {
	library := newRepository(t, map[string]string{"lib.php": "1"})
	r := newRepository(t, map[string]string{"extension.json": manifest})
	r.git("submodule", "add", "-q", library.dir, "lib/in it")
	r.commit(nil)
	library.commit(map[string]string{"lib.php": "2"})
	dir := t.TempDir()
	got, outcomes := fetched(t, dir, Options{}, tenants.Source{Name: "Foo", Git: r.dir, Version: "master"})
	if got != "done" {
		t.Fatal(got)
	}
	folder := farmOf(t, dir).Layout().Component(outcomes[0].Locked)
	if read(t, folder+"/lib/in it/lib.php") != "1" {
		t.Error("another commit of the submodule")
	}
	if _, err := os.Lstat(folder + "/lib/in it/.git"); err == nil {
		t.Error("git's file is served")
	}
}

// Two sources of one name, for two codebases, are two folders; one that fails stops no other;
// two runs at once fetch once; what the definitions have no more leaves the lock file, and its
// folder goes when no release names it.
func TestManySources(t *testing.T) {
	r := newRepository(t, map[string]string{"extension.json": manifest, "skin.json": "{}"})
	r.git("branch", "REL1_39")
	r.commit(map[string]string{"new": "1"})
	r.git("checkout", "-q", "-b", "skin")
	r.commit(map[string]string{"new": "2"})
	dir := t.TempDir()
	sources := []tenants.Source{{Name: "Foo", Git: r.dir, Version: "REL1_39"}, {Name: "Bad", Git: r.dir, Version: "none"}, {Name: "Foo", Git: r.dir, Version: "master"}, {Name: "Foo", Skin: true, Git: r.dir, Version: "skin"}}
	var runs sync.WaitGroup
	for range 2 {
		runs.Go(func() {
			got, _ := fetched(t, dir, Options{}, sources...)
			if !strings.HasSuffix(got, "; done; done") && !strings.HasSuffix(got, "; unchanged; unchanged") {
				t.Error(got)
			}
		})
	}
	runs.Wait()
	f := farmOf(t, dir, sources...)
	if len(f.Locked) != 3 {
		t.Fatalf("%+v", f.Locked)
	}
	fill(t, dir, map[string]string{"state/wikis/w/releases/1/LocalSettings.php": "wfLoadExtension( 'Foo', '" + f.Layout().Component(f.Locked[0]) + "/extension.json' );"})
	if got, _ := fetched(t, dir, Options{}, sources[2]); got != "unchanged" {
		t.Error(got)
	}
	f = farmOf(t, dir, sources[2])
	if len(f.Locked) != 1 {
		t.Errorf("%+v", f.Locked)
	}
	if n, err := Expire(f, time.Now().Add(-time.Hour)); n != 0 || err != nil {
		t.Errorf("%d young ones went: %v", n, err)
	}
	if n, err := Expire(f, time.Now().Add(time.Hour)); n != 1 || err != nil {
		t.Errorf("%d went, want the one that no release names: %v", n, err)
	}
	must(t, os.RemoveAll(filepath.Join(dir, "state/wikis")))
	if n, err := Expire(f, time.Now().Add(time.Hour)); n != 1 || err != nil {
		t.Errorf("%d went, want one: %v", n, err)
	}
	if err := Verify(t.Context(), f, nil)[0].Err; err != nil {
		t.Error(err)
	}
}

// A run that stops leaves the lock file as it is, and nothing half fetched.
func TestFetchStopped(t *testing.T) {
	r := newRepository(t, map[string]string{"extension.json": manifest})
	dir := t.TempDir()
	s := tenants.Source{Name: "Foo", Git: r.dir, Version: "master"}
	planted := errors.New("planted")
	for _, step := range []string{"fetch", "place", "lock"} {
		hook := func(_, at string, done bool) error {
			if at == step && !done {
				return planted
			}
			return nil
		}
		if got, _ := fetched(t, dir, Options{Hook: hook}, s); got != "failed: planted" {
			t.Errorf("%s: %s", step, got)
		}
	}
	if _, err := os.Lstat(filepath.Join(dir, "wikictl.lock")); err == nil {
		t.Error("it is in the lock file")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Fetch(ctx, farmOf(t, dir, s), Options{}); err != nil {
		t.Error(err)
	}
	if got, _ := fetched(t, dir, Options{}, s); got != "done" {
		t.Error(got)
	}
}
