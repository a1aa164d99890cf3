package archive

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const run = "20261126-180000-abcdef"

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// keep stores the files of a folder and writes an archive of them.
func keep(t *testing.T, dir, images string, before Uploads) (string, Uploads) {
	t.Helper()
	u, err := NewStore(dir).Keep(t.Context(), images, filepath.Join(dir, "half"), before)
	must(t, err)
	list, err := u.Encode()
	must(t, err)
	must(t, os.MkdirAll(filepath.Join(dir, "wikis/w"), 0o755))
	file := FileOf(filepath.Join(dir, "wikis/w"), run)
	m := Manifest{Name: "w", Run: run, Taken: time.Now(), Database: "wiki_w", Version: "1.43.9"}
	must(t, Write(file, &m, []Part{{Name: FilesMember, Data: list}, {Name: DatabaseMember, Data: []byte("dump")}}))
	return file, u
}

// long is a name of as many bytes as a file's may have.
var long = strings.Repeat("x", 255)

// What is kept comes back exactly, over whatever is there, and whatever the names are.
func TestKeepAndFill(t *testing.T) {
	dir, images, into := t.TempDir(), t.TempDir(), t.TempDir()
	for name, text := range map[string]string{"a/b/one.png": "1", "a/two.png": "2", "same.png": "2", "link/x": "x",
		"caf\xe9/na\xefve.png": "3", "caf\xe9/" + long: "4", "kept.half": "5", "kept": "6"} {
		must(t, os.MkdirAll(filepath.Dir(filepath.Join(images, name)), 0o755))
		must(t, os.WriteFile(filepath.Join(images, name), []byte(text), 0o640))
	}
	must(t, os.Symlink("same.png", filepath.Join(images, "points")))
	must(t, os.Symlink("caf\xe9", filepath.Join(images, "caf\xe8")))
	file, _ := keep(t, dir, images, Uploads{})
	must(t, os.MkdirAll(filepath.Join(into, "same.png/folder"), 0o755))
	must(t, os.WriteFile(filepath.Join(into, "extra"), nil, 0o644))
	must(t, os.WriteFile(filepath.Join(into, "points"), nil, 0o644))
	must(t, os.Mkdir(filepath.Join(into, "\xff"), 0o755))
	must(t, os.WriteFile(filepath.Join(into, "\xff/extra"), nil, 0o644))
	must(t, os.Rename(filepath.Join(images, "kept.half"), filepath.Join(into, "kept.half")))
	want, err := UploadsOf(file)
	must(t, err)
	have, err := NewStore(dir).Keep(t.Context(), into, filepath.Join(dir, "half"), Uploads{})
	must(t, err)
	must(t, StoreOf(file).Fill(t.Context(), into, want, have, func(*os.File) error { return nil }))
	got, err := NewStore(dir).Keep(t.Context(), into, filepath.Join(dir, "half"), Uploads{})
	must(t, err)
	if string(got.Sums()) != string(want.Sums()) || !maps.Equal(got.Links, map[string]string{"points": "same.png", "caf\xe8": "caf\xe9"}) {
		t.Errorf("there are\n%s%v\nwant\n%s%v", got.Sums(), got.Links, want.Sums(), want.Links)
	}
	info, err := os.Stat(filepath.Join(into, "a/two.png"))
	must(t, err)
	if info.Mode() != 0o640 || info.ModTime().UnixNano() != want.byPath()["a/two.png"].Modified {
		t.Errorf("mode %v, modified %v", info.Mode(), info.ModTime())
	}
	if stored, _ := filepath.Glob(dir + "/files/*/*"); len(stored) != 8 { // 1 to 6, x and nothing
		t.Errorf("the store has %v", stored)
	}
}

// A file that did not change since the last backup is not read, but for one that may have
// been changed in the moment of that backup; one that is gone from the store is.
func TestUnchangedIsNotRead(t *testing.T) {
	then := time.Now().Add(-time.Hour)
	now := Upload{Path: "x", Bytes: 1, Modified: 5, Changed: then.UnixNano(), Inode: 7}
	for name, c := range map[string]struct {
		change func(*Upload)
		same   bool
	}{
		"nothing":  {func(*Upload) {}, true},
		"size":     {func(u *Upload) { u.Bytes++ }, false},
		"modified": {func(u *Upload) { u.Modified++ }, false},
		"inode":    {func(u *Upload) { u.Inode++ }, false},
		"changed":  {func(u *Upload) { u.Changed++ }, false},
	} {
		other := now
		c.change(&other)
		if got := now.same(other, then.Add(time.Minute)); got != c.same {
			t.Errorf("%s: %v", name, got)
		}
	}
	if now.same(now, then) {
		t.Error("a file that changed while it was read is taken as read")
	}
	dir, images := t.TempDir(), t.TempDir()
	must(t, os.WriteFile(filepath.Join(images, "x"), []byte("x"), 0o644))
	_, u := keep(t, dir, images, Uploads{})
	u.Scanned = u.Scanned.Add(time.Hour)
	scanned, err := Scan(t.Context(), images)
	must(t, err)
	if all, again := NewStore(dir).Takes(scanned, Uploads{}), NewStore(dir).Takes(scanned, u); all != 1 || again != 0 {
		t.Errorf("a backup would copy %d bytes, and the next one %d", all, again)
	}
	must(t, os.Remove(NewStore(dir).Path(u.Files[0].SHA256)))
	_, u = keep(t, dir, images, u)
	must(t, NewStore(dir).CheckAll(t.Context(), u.Files))
}

// An archive that is not as it was written is refused, and so is one that would write
// elsewhere.
func TestDamageIsFound(t *testing.T) {
	dir, images := t.TempDir(), t.TempDir()
	must(t, os.WriteFile(filepath.Join(images, "x"), []byte("x"), 0o644))
	file, u := keep(t, dir, images, Uploads{})
	_, err := Extract(file, "", nil)
	must(t, err)
	whole, err := os.ReadFile(file)
	must(t, err)
	for _, size := range []int{0, 5, len(whole) / 2, len(whole) - 1} {
		must(t, os.WriteFile(file, whole[:size], 0o600))
		if _, err := Extract(file, t.TempDir(), func(string) bool { return true }); err == nil {
			t.Errorf("%d of %d bytes were taken for an archive", size, len(whole))
		}
	}
	must(t, os.Chmod(NewStore(dir).Path(u.Files[0].SHA256), 0o600))
	must(t, os.WriteFile(NewStore(dir).Path(u.Files[0].SHA256), []byte("y"), 0o600))
	if err := NewStore(dir).CheckAll(t.Context(), u.Files); err == nil || !strings.Contains(err.Error(), "the upload x") {
		t.Error(err)
	}
	storesAnew(t, dir, images, u)
	sum := strings.Repeat("a", 64)
	for _, text := range []string{
		`{"files": [{"path": "../x", "sha256": "` + sum + `"}]}`, `{"files": [{"path": "/x", "sha256": "` + sum + `"}]}`,
		`{"files": [{"path": "x", "sha256": "../../x"}]}`, `{"links": {"../x": "y"}}`,
		`{"files": [{"path": "l/x", "sha256": "` + sum + `"}], "links": {"l": "/etc"}}`,
		`{"files": [{"path": "x", "sha256": "` + sum + `"}, {"path": "x", "sha256": "` + sum + `"}]}`,
	} {
		if _, err := DecodeUploads([]byte(text)); err == nil {
			t.Errorf("%s was taken", text)
		}
	}
	for _, text := range []string{
		`{"format": 2}`, `{}`, `{"name": "w", "run": "` + run + `", "database": "d", "version": "1", "members": [{"name": "../x", "sha256": "` + sum + `"}]}`,
	} {
		if _, err := DecodeManifest([]byte(text)); err == nil {
			t.Errorf("%s was taken", text)
		}
	}
}

// storesAnew stores damaged content again: of a file that is read, and, once the damage is set
// aside, of one that did not change.
func storesAnew(t *testing.T, dir, images string, u Uploads) {
	t.Helper()
	store := NewStore(dir)
	keep(t, dir, images, Uploads{})
	must(t, store.CheckAll(t.Context(), u.Files))
	u.Scanned = u.Scanned.Add(time.Hour)
	path, aside := store.Path(u.Files[0].SHA256), filepath.Join(store.aside(), u.Files[0].SHA256)
	must(t, os.Chmod(path, 0o600))
	must(t, os.WriteFile(path, []byte("y"), 0o600))
	keep(t, dir, images, u)
	var damaged *DamageError
	if err := store.CheckAll(t.Context(), u.Files); !errors.As(err, &damaged) {
		t.Fatal("a file that did not change was read:", err)
	}
	must(t, store.SetAside(damaged.Damage))
	if lacks := store.Lacks(u.Files); len(lacks) != 1 {
		t.Error("the store still has it")
	}
	keep(t, dir, images, u)
	must(t, store.CheckAll(t.Context(), u.Files))
	must(t, store.SetAside(damaged.Damage)) // it is whole by now
	must(t, store.CheckAll(t.Context(), u.Files))
	must(t, store.ForgetAside(time.Now().Add(-time.Hour)))
	if data, err := os.ReadFile(aside); err != nil || string(data) != "y" {
		t.Errorf("aside is %q, %v", data, err)
	}
	must(t, store.ForgetAside(time.Now().Add(time.Hour)))
	if _, err := os.Stat(aside); err == nil {
		t.Error("what was set aside stays for ever")
	}
}

// The list of sums is what sha256sum reads, whatever the names are.
func TestSums(t *testing.T) {
	u := Uploads{Files: []Upload{{Path: "a b", SHA256: "1"}, {Path: "c\\d\ne", SHA256: "2"}}}
	if got, want := string(u.Sums()), "1  a b\n\\2  c\\\\d\\ne\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// PHP's user, who owns the upload folder, puts a link where a folder was made a moment
// ago: nothing is written where it leads.
func TestFillStaysInTheFolder(t *testing.T) {
	dir, images, into, outside := t.TempDir(), t.TempDir(), t.TempDir(), t.TempDir()
	must(t, os.Mkdir(filepath.Join(images, "a"), 0o755))
	must(t, os.WriteFile(filepath.Join(images, "a/one.png"), []byte("1"), 0o644))
	file, want := keep(t, dir, images, Uploads{})
	attack := func(f *os.File) error {
		folder := filepath.Join(into, "a")
		if info, err := f.Stat(); err != nil || !info.IsDir() {
			return err
		}
		must(t, os.Remove(folder))
		return os.Symlink(outside, folder)
	}
	if err := StoreOf(file).Fill(t.Context(), into, want, Uploads{}, attack); err == nil {
		t.Error("it was filled through a link")
	}
	if left, err := os.ReadDir(outside); err != nil || len(left) > 0 {
		t.Errorf("outside are %v, %v", left, err)
	}
}

// A backup reads nothing through links.
func TestKeepStaysInTheFolder(t *testing.T) {
	dir, images := t.TempDir(), t.TempDir()
	must(t, os.Symlink("/etc/passwd", filepath.Join(images, "file")))
	must(t, os.Symlink("/etc", filepath.Join(images, "folder")))
	if _, u := keep(t, dir, images, Uploads{}); len(u.Files) != 0 || len(u.Links) != 2 {
		t.Errorf("it kept %v and %v", u.Files, u.Links)
	}
}
