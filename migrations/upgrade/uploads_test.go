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
	"wikictl/tenants"
	"wikictl/tenants/mediawiki"
)

// hashed is MediaWiki's own arrangement of uploads.
var hashed = tenants.UploadFolders{Known: true, Hashed: true, Sure: true}

func nameOfContent(content string) string {
	sum := sha1.Sum([]byte(content))
	text := new(big.Int).SetBytes(sum[:]).Text(36)
	return strings.Repeat("0", 31-len(text)) + text
}

// wantUploads wants that files of a database have their content, and that no content is gone.
func wantUploads(t *testing.T, dir string, stored []mediawiki.StoredFile, contents map[string]string, all ...string) {
	t.Helper()
	for _, f := range stored {
		if got, err := os.ReadFile(filepath.Join(dir, f.Place(true))); string(got) != contents[f.SHA1] {
			t.Errorf("%s holds %q (%v), want %q", f.Place(true), got, err, contents[f.SHA1])
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
	file := func(f mediawiki.StoredFile, content string) mediawiki.StoredFile {
		f.Size, f.SHA1 = int64(len(content)), nameOfContent(content)
		contents[f.SHA1] = content
		return f
	}
	image := func(name, content string) mediawiki.StoredFile {
		return file(mediawiki.StoredFile{Name: name}, content)
	}
	deleted := func(content string) mediawiki.StoredFile {
		return file(mediawiki.StoredFile{Key: nameOfContent(content) + ".png"}, content)
	}
	archived := func(name, content string) mediawiki.StoredFile {
		return file(mediawiki.StoredFile{Name: name, Archive: "20261101000000!" + name}, content)
	}
	before := []mediawiki.StoredFile{image("Same.png", "same"), image("Moved.png", "is moved"), image("Replaced.png", "old one"),
		image("Deleted.png", "was deleted"), image("A.png", "exchanged a"), image("B.png", "exchanged b"),
		archived("Reverted.png", "reverted"), deleted("to undelete")}
	after := []mediawiki.StoredFile{image("Same.png", "same"), image("New.png", "is moved"), image("Replaced.png", "new one"),
		archived("Replaced.png", "old one"), deleted("was deleted"), image("A.png", "exchanged b"), image("B.png", "exchanged a"),
		image("Reverted.png", "reverted"), image("Undeleted.png", "to undelete")}
	for _, f := range after {
		needs.Files(t, dir, map[string]string{f.Place(true): contents[f.SHA1]})
	}
	needs.Files(t, dir, map[string]string{"thumb/" + before[2].Place(true) + "/9px-Replaced.png": "stale", "thumb/x/Moved.png": "is moved"})
	all := slices.Collect(maps.Values(contents))
	give := func(*os.File) error { return nil }

	needs.Files(t, dir, map[string]string{temporaries + "99.tmp": "of a run that was killed"})
	names, err := putUploadsBack(t.Context(), dir, hashed, before, since, give)
	if want := "Moved.png Replaced.png Deleted.png A.png B.png Reverted.png " + before[7].Key; err != nil || strings.Join(names, " ") != want {
		t.Errorf("%v: %q, want %q", err, names, want)
	}
	wantUploads(t, dir, before, contents, all...)
	if _, err := os.Stat(filepath.Join(dir, "thumb", before[2].Place(true))); err == nil {
		t.Error("a thumbnail of the replaced file is left")
	}
	if left, _ := filepath.Glob(filepath.Join(dir, temporaries+"*")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	if names, err := putUploadsBack(t.Context(), dir, hashed, before, since, give); len(names) > 0 || err != nil {
		t.Errorf("the second time: %v, %v", names, err)
	}
	if _, err := putUploadsBack(t.Context(), dir, hashed, after, since, give); err != nil {
		t.Error(err)
	}
	wantUploads(t, dir, after, contents, all...)
	copies, err := removeCopies(t.Context(), dir, hashed, after, since)
	slices.Sort(copies)
	want := []string{before[1].Place(true), before[3].Place(true), before[6].Place(true)}
	slices.Sort(want)
	if err != nil || !slices.Equal(copies, want) {
		t.Errorf("%v: copies %q are removed, want %q", err, copies, want)
	}
	wantUploads(t, dir, after, contents, all...)
	for _, path := range want {
		if _, err := os.Stat(filepath.Join(dir, path)); err == nil {
			t.Errorf("%s is left", path)
		}
	}
}

// PHP's user could make links to files of others: they are neither read nor replaced.
func TestLinksAmongUploadsAreLeft(t *testing.T) {
	dir, secret := t.TempDir(), filepath.Join(t.TempDir(), "secret")
	f := mediawiki.StoredFile{Name: "Linked.png", Size: 6, SHA1: nameOfContent("hidden")}
	needs.Files(t, filepath.Dir(secret), map[string]string{"secret": "hidden"})
	if err := os.Symlink(secret, filepath.Join(dir, "candidate")); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, f.Place(true))), 0o755); err != nil {
		t.Fatal(err)
	}
	names, err := putUploadsBack(t.Context(), dir, hashed, []mediawiki.StoredFile{f}, time.Now(), nil)
	if len(names) > 0 || err != nil {
		t.Errorf("%v, %v: a file outside was read", names, err)
	}
	if err := os.Symlink(secret, filepath.Join(dir, f.Place(true))); err != nil {
		t.Fatal(err)
	}
	f.SHA1 = nameOfContent("others")
	if names, err := putUploadsBack(t.Context(), dir, hashed, []mediawiki.StoredFile{f}, time.Now().Add(-time.Hour), nil); len(names) > 0 || err != nil {
		t.Errorf("%v, %v: a link was replaced", names, err)
	}
}

// Uploads without folders by hashes are put back to where they were; those that may be elsewhere are not.
func TestUploadsOfOtherFolders(t *testing.T) {
	dir := t.TempDir()
	f := mediawiki.StoredFile{Name: "Moved.png", Size: 5, SHA1: nameOfContent("moved")}
	needs.Files(t, dir, map[string]string{"New.png": "moved"})
	for _, c := range []struct {
		folders tenants.UploadFolders
		says    string // empty: it is put back
	}{
		{tenants.UploadFolders{Hashed: true, Sure: true}, "elsewhere"},
		{tenants.UploadFolders{Hashed: true, Known: true}, "none is in its place"},
		{tenants.UploadFolders{Known: true, Sure: true}, ""},
	} {
		names, err := putUploadsBack(t.Context(), dir, c.folders, []mediawiki.StoredFile{f}, time.Now(), func(*os.File) error { return nil })
		if c.says == "" && (err != nil || len(names) != 1) || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%+v: %v, %v", c.folders, names, err)
		}
	}
	if got, err := os.ReadFile(filepath.Join(dir, f.Name)); string(got) != "moved" {
		t.Errorf("%q, %v", got, err)
	}
}
