package deploy

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// farmFile returns a file of the farm as a whole, with a text.
func farmFile(path, text string) File { return File{Path: path, Data: []byte(text), Mode: 0o640} }

// deployFiles deploys a tenant and the farm's files, and returns the faults of the files.
func deployFiles(t *testing.T, d *Deployer, tenant string, files ...File) string {
	t.Helper()
	s := Of(wanted("a", tenant))
	s.Files = append([]File{}, files...)
	applied, err := d.Apply(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(FaultsError(applied.Faults))
}

// differing says how the farm's files differ.
func differing(t *testing.T, d *Deployer, files ...File) string {
	t.Helper()
	changes, faults, err := d.CompareFiles(t.Context(), Source{Files: append([]File{}, files...)}, true)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, c := range changes {
		all = append(all, string(c.Kind)+" "+filepath.Base(c.Path))
	}
	for _, f := range faults {
		all = append(all, f.Err.Error())
	}
	return strings.Join(all, "; ")
}

func content(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		return "none"
	}
	return string(data)
}

// A file of the farm is wikictl's own if wikictl made it, and only then it is replaced or
// deleted.
func TestFarmFilesAreOurs(t *testing.T) {
	d := deployer(t, "", "")
	dir := t.TempDir()
	path := filepath.Join(dir, "map")
	one, two := farmFile(path, "one\n"), farmFile(path, "two\n")
	if got := differing(t, d, one); got != "add map" {
		t.Error(got)
	}
	deployFiles(t, d, "1", one)
	before, err := os.Stat(path)
	if err != nil || before.Mode() != 0o640 || content(t, path) != "one\n" {
		t.Fatal(before, err, content(t, path))
	}
	deployFiles(t, d, "2", one)
	if after, _ := os.Stat(path); !os.SameFile(before, after) || !after.ModTime().Equal(before.ModTime()) {
		t.Error("an unchanged file was written")
	}
	deployFiles(t, d, "2", two)
	if content(t, path) != "two\n" {
		t.Error(content(t, path))
	}
	os.WriteFile(path, []byte("by hand\n"), 0o640)
	if got := differing(t, d, two); got != "edit map" {
		t.Error(got)
	}
	deployFiles(t, d, "2", two)
	os.Chmod(path, 0o666)
	if got := differing(t, d, two); got != "mode map" {
		t.Error(got)
	}
	deployFiles(t, d, "2", two)
	if got := differing(t, d, two); got != "" || content(t, path) != "two\n" {
		t.Error(got, content(t, path))
	}
	os.WriteFile(path, []byte("by hand\n"), 0o640)
	if got := differing(t, d); !strings.Contains(got, "changed by hand") {
		t.Error(got)
	}
	if got := deployFiles(t, d, "2"); !strings.Contains(got, "changed by hand") || content(t, path) != "by hand\n" {
		t.Error(got, content(t, path))
	}
	deployFiles(t, d, "2", two)
	if got := deployFiles(t, d, "2"); got != "<nil>" || content(t, path) != "none" || differing(t, d) != "" {
		t.Error(got, content(t, path))
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Error(left)
	}
}

// A file that wikictl did not make stays as it is, and the tenant is still applied.
func TestFarmFilesOfOthers(t *testing.T) {
	d := deployer(t, "", "")
	dir := t.TempDir()
	open := filepath.Join(dir, "open")
	for _, err := range []error{
		os.WriteFile(filepath.Join(dir, "foreign"), []byte("same\n"), 0o640), os.Symlink("foreign", filepath.Join(dir, "link")),
		os.Mkdir(filepath.Join(dir, "folder"), 0o755), os.Mkdir(open, 0o755), os.Chmod(open, 0o777),
		os.Symlink(d.layout.State, filepath.Join(dir, "state")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, says := range map[string]string{
		"foreign": "did not make it", "link": "a symbolic link", "folder": "a folder", "missing/x": "does not exist",
		"open/x": "every user may write", "foreign/x": "not a directory", "state/x": "into the state folder",
	} {
		text := strings.ReplaceAll(name, "/", "-")
		f := farmFile(filepath.Join(dir, name), "same\n")
		if got := deployFiles(t, d, text, f, farmFile(filepath.Join(dir, "good"), text)); !strings.Contains(got, says) {
			t.Errorf("%s: %s", name, got)
		}
		if settings := content(t, d.layout.LocalSettings("a")); !strings.Contains(settings, text) || content(t, filepath.Join(dir, "good")) != text {
			t.Errorf("%s: the others did not change: %s", name, settings)
		}
		if got := deployFiles(t, d, text); got != "<nil>" {
			t.Errorf("%s: %s", name, got)
		}
	}
	if target, _ := os.Readlink(filepath.Join(dir, "link")); target != "foreign" || content(t, filepath.Join(dir, "foreign")) != "same\n" {
		t.Error("something was replaced")
	}
	owned := farmFile(filepath.Join(dir, "owned"), "x")
	owned.Owner = "no-such-user"
	if got := deployFiles(t, d, "1", owned); !strings.Contains(got, "no-such-user") {
		t.Error(got)
	}
}

// A file that the web server refuses is restored, and the tenant is still applied.
func TestRefusedFarmFile(t *testing.T) {
	dir := t.TempDir()
	d := deployer(t, "! grep -q bad "+dir+"/map", "")
	good, bad, other := farmFile(filepath.Join(dir, "map"), "good\n"), farmFile(filepath.Join(dir, "map"), "bad\n"), farmFile(filepath.Join(dir, "other"), "x\n")
	if got := deployFiles(t, d, "1", bad, other); !strings.Contains(got, "web.check") || content(t, bad.Path) != "none" || content(t, other.Path) != "x\n" {
		t.Error(got, content(t, bad.Path), content(t, other.Path))
	}
	deployFiles(t, d, "2", good, other)
	if got := deployFiles(t, d, "3", bad, other); !strings.Contains(got, "web.check") || content(t, good.Path) != "good\n" {
		t.Error(got, content(t, good.Path))
	}
	if !strings.Contains(content(t, d.layout.LocalSettings("a")), "3") || d.Unfinished() {
		t.Error("the tenant did not change")
	}
	if left, _ := os.ReadDir(dir); len(left) != 2 {
		t.Error(left)
	}
}

// A run that was killed at any point is finished by the next, whatever that wants.
func TestFarmFilesAfterAKill(t *testing.T) {
	stops := []string{"noted", "journal", "brought", "done"}
	for _, from := range []string{"", "one\n"} {
		for _, to := range []string{"", "two\n"} {
			for _, next := range []string{"", "two\n", "three\n"} {
				for _, stop := range stops {
					killedFiles(t, from, to, next, stop)
				}
			}
		}
	}
}

// killedFiles stops a change at a point, as a kill does, and has the next run want something.
func killedFiles(t *testing.T, from, to, next, stop string) {
	t.Helper()
	d := deployer(t, "", "")
	dir := t.TempDir()
	path := filepath.Join(dir, "map")
	want := func(text string) []File {
		if text == "" {
			return []File{}
		}
		return []File{farmFile(path, text)}
	}
	deployFiles(t, d, "1", want(from)...)
	var j journal
	steps := map[string]func() error{
		"noted":   func() error { _, err := d.planFiles(&j, want(to)); return err },
		"journal": func() error { return d.writeJournal(j) },
		"brought": func() error { return d.bringFiles(j) },
		"done":    func() error { j.Done = true; return d.writeJournal(j) },
	}
	for _, step := range []string{"noted", "journal", "brought", "done"} {
		if err := steps[step](); err != nil {
			t.Fatal(err)
		}
		if step == stop {
			break
		}
	}
	faults := deployFiles(t, d, "1", want(next)...)
	if next == "" {
		next = "none"
	}
	left, _ := os.ReadDir(dir)
	if faults != "<nil>" || content(t, path) != next || d.Unfinished() || len(left) > 1 {
		t.Errorf("from %q to %q, killed at %s, then %q: %s, holds %q, left %v", from, to, stop, next, faults, content(t, path), left)
	}
}
