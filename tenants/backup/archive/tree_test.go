package archive

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// treeOf writes the tree of a backup with an upload, as a restored snapshot has it.
func treeOf(t *testing.T) (dir, tree string) {
	t.Helper()
	dir = t.TempDir()
	tree = filepath.Join(dir, "tree")
	must(t, os.MkdirAll(filepath.Join(tree, "wikis/w/images/a"), 0o755))
	must(t, os.WriteFile(filepath.Join(tree, "wikis/w/images/a/x.png"), []byte("x"), 0o640))
	must(t, os.WriteFile(filepath.Join(tree, DatabaseMember), []byte("dump"), 0o600))
	m := &Manifest{Name: "w", Database: "wiki_w", Version: "1.43.0", Run: run, Taken: time.Unix(1e9, 0), Images: "wikis/w/images"}
	bytes, err := WriteTree(tree, m, []Part{{Name: ReadmeMember, Data: []byte(Readme(*m))}, {Name: DatabaseMember, Path: filepath.Join(tree, DatabaseMember)}})
	must(t, err)
	if bytes < 4 || len(m.Members) != 2 {
		t.Error(bytes, m.Members)
	}
	return dir, tree
}

// A snapshot becomes an archive that is read like any other, and its temporary files are removed.
func TestPack(t *testing.T) {
	dir, tree := treeOf(t)
	a, err := Pack(t.Context(), tree, dir)
	must(t, err)
	if a.File != PackedFile(dir, run) || a.Uploads != 1 || a.UploadBytes != 1 || a.Images != "" {
		t.Errorf("%+v", a)
	}
	_, err = Extract(a.File, filepath.Join(dir, "out"), func(string) bool { return true })
	must(t, err)
	u, err := UploadsOf(a.File)
	must(t, err)
	must(t, StoreOf(a.File).CheckAll(t.Context(), u.Files))
	if len(u.Files) != 1 || u.Files[0].Path != "a/x.png" || u.Files[0].Mode != 0o640 {
		t.Errorf("%+v", u.Files)
	}
	if _, err := os.Lstat(tree); !os.IsNotExist(err) {
		t.Error("the tree stays:", err)
	}
}

// A tree that is not as it was written is refused, and so is one that leads elsewhere.
func TestPackRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		file, text, want string
	}{
		"a changed member": {DatabaseMember, "dumb", "its SHA-256 is"},
		"no manifest":      {ManifestMember, "", ManifestMember},
		"a way out":        {ManifestMember, `{"format":1,"name":"w","database":"d","version":"1","run":"` + run + `","images":"../../x"}`, "leads out"},
		"a list":           {ManifestMember, `{"format":1,"name":"w","database":"d","version":"1","run":"` + run + `","members":[{"name":"uploads.json","sha256":"` + strings.Repeat("0", 64) + `"}]}`, "a snapshot has no uploads.json"},
	} {
		dir, tree := treeOf(t)
		must(t, os.WriteFile(filepath.Join(tree, c.file), []byte(c.text), 0o600))
		if _, err := Pack(t.Context(), tree, dir); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestScan(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "x"), []byte("xyz"), 0o644))
	must(t, os.Symlink("x", filepath.Join(dir, "link")))
	must(t, os.Mkdir(filepath.Join(dir, "folder"), 0o755))
	must(t, syscall.Mkfifo(filepath.Join(dir, "folder", "pipe"), 0o600))
	u, err := Scan(t.Context(), dir)
	must(t, err)
	if len(u.Files) != 1 || u.Bytes() != 3 || !strings.HasSuffix(u.Omitted(), ": folder/pipe") {
		t.Errorf("%+v", u)
	}
	kept, err := NewStore(t.TempDir()).Keep(t.Context(), dir, filepath.Join(t.TempDir(), "half"), Uploads{})
	must(t, err)
	if len(kept.Files) != 1 || kept.Omitted() != u.Omitted() {
		t.Errorf("%+v", kept)
	}
	if u, err := Scan(t.Context(), filepath.Join(dir, "nowhere")); err != nil || len(u.Files) != 0 {
		t.Error(u, err)
	}
}
