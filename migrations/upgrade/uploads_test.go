package upgrade

import (
	"crypto/sha1"
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"wikictl/cmd/testbed/needs"
	"wikictl/tenants/mariadb"
)

func nameOfContent(content string) string {
	sum := sha1.Sum([]byte(content))
	text := new(big.Int).SetBytes(sum[:]).Text(36)
	return strings.Repeat("0", 31-len(text)) + text
}

// wantUploads wants that files of a database have their content, and that no content is gone.
func wantUploads(t *testing.T, dir string, stored []mariadb.StoredFile, contents map[string]string, all ...string) {
	t.Helper()
	for _, f := range stored {
		if got, err := os.ReadFile(filepath.Join(dir, placeOf(f))); string(got) != contents[f.SHA1] {
			t.Errorf("%s holds %q (%v), want %q", placeOf(f), got, err, contents[f.SHA1])
		}
	}
	left := map[string]bool{}
	filepath.WalkDir(dir, func(path string, d os.DirEntry, _ error) error {
		if d.Type().IsRegular() {
			data, _ := os.ReadFile(path)
			left[string(data)] = true
		}
		if strings.HasSuffix(path, ".tmp") {
			t.Errorf("%s is left", path)
		}
		return nil
	})
	for _, content := range all {
		if !left[content] {
			t.Errorf("no file holds %q any more", content)
		}
	}
}

// Files that were moved, replaced, deleted, undeleted or exchanged since a dump are as its database
// says, and are as they were when what a rollback dropped is brought back.
func TestUploadsArePutBack(t *testing.T) {
	dir, since := t.TempDir(), time.Now().Add(-time.Hour)
	contents := map[string]string{}
	file := func(f mariadb.StoredFile, content string) mariadb.StoredFile {
		f.Size, f.SHA1 = int64(len(content)), nameOfContent(content)
		contents[f.SHA1] = content
		return f
	}
	image := func(name, content string) mariadb.StoredFile { return file(mariadb.StoredFile{Name: name}, content) }
	deleted := func(content string) mariadb.StoredFile {
		return file(mariadb.StoredFile{Key: nameOfContent(content) + ".png"}, content)
	}
	archived := func(name, content string) mariadb.StoredFile {
		return file(mariadb.StoredFile{Name: name, Archive: "20261101000000!" + name}, content)
	}
	before := []mariadb.StoredFile{image("Same.png", "same"), image("Moved.png", "is moved"), image("Replaced.png", "old one"),
		image("Deleted.png", "was deleted"), image("A.png", "exchanged a"), image("B.png", "exchanged b"),
		archived("Reverted.png", "reverted"), deleted("to undelete")}
	after := []mariadb.StoredFile{image("Same.png", "same"), image("New.png", "is moved"), image("Replaced.png", "new one"),
		archived("Replaced.png", "old one"), deleted("was deleted"), image("A.png", "exchanged b"), image("B.png", "exchanged a"),
		image("Reverted.png", "reverted"), image("Undeleted.png", "to undelete")}
	for _, f := range after {
		needs.Files(t, dir, map[string]string{placeOf(f): contents[f.SHA1]})
	}
	needs.Files(t, dir, map[string]string{"thumb/" + placeOf(before[2]) + "/9px-Replaced.png": "stale", "thumb/x/Moved.png": "is moved"})
	all := slices.Collect(maps.Values(contents))
	give := func(*os.File) error { return nil }

	needs.Files(t, dir, map[string]string{temporaries + "99.tmp": "of a run that was killed"})
	names, err := putUploadsBack(t.Context(), dir, before, since, give)
	if want := "Moved.png Replaced.png Deleted.png A.png B.png Reverted.png " + before[7].Key; err != nil || strings.Join(names, " ") != want {
		t.Errorf("%v: %q, want %q", err, names, want)
	}
	wantUploads(t, dir, before, contents, all...)
	if _, err := os.Stat(filepath.Join(dir, "thumb", placeOf(before[2]))); err == nil {
		t.Error("a thumbnail of the replaced file is left")
	}
	if left, _ := filepath.Glob(filepath.Join(dir, temporaries+"*")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	if names, err := putUploadsBack(t.Context(), dir, before, since, give); len(names) > 0 || err != nil {
		t.Errorf("the second time: %v, %v", names, err)
	}
	if _, err := putUploadsBack(t.Context(), dir, after, since, give); err != nil {
		t.Error(err)
	}
	wantUploads(t, dir, after, contents, all...)
}

// PHP's user could make links to files of others: they are neither read nor replaced.
func TestLinksAmongUploadsAreLeft(t *testing.T) {
	dir, secret := t.TempDir(), filepath.Join(t.TempDir(), "secret")
	f := mariadb.StoredFile{Name: "Linked.png", Size: 6, SHA1: nameOfContent("hidden")}
	needs.Files(t, filepath.Dir(secret), map[string]string{"secret": "hidden"})
	if err := os.Symlink(secret, filepath.Join(dir, "candidate")); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, placeOf(f))), 0o755); err != nil {
		t.Fatal(err)
	}
	names, err := putUploadsBack(t.Context(), dir, []mariadb.StoredFile{f}, time.Now(), nil)
	if len(names) > 0 || err != nil {
		t.Errorf("%v, %v: a file outside was read", names, err)
	}
	if err := os.Symlink(secret, filepath.Join(dir, placeOf(f))); err != nil {
		t.Fatal(err)
	}
	f.SHA1 = nameOfContent("others")
	if names, err := putUploadsBack(t.Context(), dir, []mariadb.StoredFile{f}, time.Now().Add(-time.Hour), nil); len(names) > 0 || err != nil {
		t.Errorf("%v, %v: a link was replaced", names, err)
	}
}
