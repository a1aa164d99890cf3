package archive

import (
	"os"
	"path/filepath"
	"testing"
)

func TestOutward(t *testing.T) {
	for _, c := range []struct {
		path, target string
		out          bool
	}{
		{"a", "/vol/a", true},
		{"a", "b", false},
		{"a", "./b//c", false},
		{"a", "..", true},
		{"a/b/c", "../../d", false},
		{"a/b/c", "../../../d", true},
		{"a/b/c", "d/../../e", true}, // d may be a link
		{"a", ".../b", false},
	} {
		u := Uploads{Links: map[string]string{c.path: c.target}}
		if got := len(u.Outward()) == 1; got != c.out || len(u.inward()) == 1 == c.out {
			t.Errorf("%s to %s: leads out: %v", c.path, c.target, got)
		}
	}
}

// A backup with links out of the folder is restored without them, and over a link in the place
// of one of its folders, which stays as it is where it leads.
func TestFillMakesNoLinkOutward(t *testing.T) {
	dir, images, into, outside := t.TempDir(), t.TempDir(), t.TempDir(), t.TempDir()
	must(t, os.Mkdir(filepath.Join(images, "a"), 0o755))
	must(t, os.WriteFile(filepath.Join(images, "a/one.png"), []byte("1"), 0o644))
	must(t, os.Symlink(outside, filepath.Join(images, "out")))
	must(t, os.Symlink("a", filepath.Join(images, "in")))
	file, want := keep(t, dir, images, Uploads{})
	must(t, os.Symlink(outside, filepath.Join(into, "a")))
	must(t, StoreOf(file).Fill(t.Context(), into, want, Uploads{}, func(*os.File) error { return nil }))
	got, err := Scan(t.Context(), into)
	must(t, err)
	if len(got.Links) != 1 || got.Links["in"] != "a" || len(got.Files) != 1 || got.Files[0].Path != "a/one.png" {
		t.Errorf("there are %+v", got)
	}
	if left, err := os.ReadDir(outside); err != nil || len(left) > 0 {
		t.Errorf("outside are %v, %v", left, err)
	}
}
