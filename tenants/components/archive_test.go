package components

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"wikictl/tenants"
)

// entry is a member of an archive.
type entry struct {
	name, text string
	kind       byte // tar's; 0: a file
	mode       int64
}

var good = []entry{{"Foo-1.2/", "", tar.TypeDir, 0o755}, {"Foo-1.2/extension.json", manifest, 0, 0o600}, {"Foo-1.2/a/run.sh", "x", 0, 0o4777}, {"Foo-1.2/link", "a/run.sh", tar.TypeSymlink, 0o777}}

func tarOf(t *testing.T, entries []entry) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	must(t, w.WriteHeader(&tar.Header{Typeflag: tar.TypeXGlobalHeader, Name: "pax_global_header", PAXRecords: map[string]string{"comment": "x"}}))
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Mode: e.mode, Typeflag: e.kind, Size: int64(len(e.text))}
		if e.kind == 0 {
			h.Typeflag = tar.TypeReg
		}
		if e.kind == tar.TypeSymlink || e.kind == tar.TypeLink {
			h.Linkname, h.Size = e.text, 0
		}
		must(t, w.WriteHeader(h))
		if h.Size > 0 {
			_, err := w.Write([]byte(e.text))
			must(t, err)
		}
	}
	must(t, w.Close())
	return out.Bytes()
}

func zipOf(t *testing.T, entries []entry) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		mode := fs.FileMode(e.mode & 0o777)
		switch e.kind {
		case tar.TypeSymlink:
			mode |= fs.ModeSymlink
		case tar.TypeChar:
			mode |= fs.ModeDevice | fs.ModeCharDevice
		case tar.TypeFifo:
			mode |= fs.ModeNamedPipe
		}
		h.SetMode(mode)
		f, err := w.CreateHeader(h)
		must(t, err)
		if !strings.HasSuffix(e.name, "/") {
			_, err = f.Write([]byte(e.text))
			must(t, err)
		}
	}
	must(t, w.Close())
	return out.Bytes()
}

func gzipped(t *testing.T, data []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write(data)
	must(t, err)
	must(t, w.Close())
	return out.Bytes()
}

func sum(data []byte) string {
	s := sha256.Sum256(data)
	return hex.EncodeToString(s[:])
}

// Archives of each kind, from a file and from a web server, give the same files with the modes
// that the web server needs; another content is refused.
func TestFetchArchive(t *testing.T) {
	plain := tarOf(t, good)
	z, err := zstd.NewWriter(nil)
	must(t, err)
	archives := map[string][]byte{"a.tar.gz": gzipped(t, plain), "b.zip": zipOf(t, good), "c.tar": plain, "d e.tar.zst": z.EncodeAll(plain, nil)}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, found := archives[strings.TrimPrefix(r.URL.Path, "/")]
		if !found {
			http.Redirect(w, r, "/gone/", http.StatusFound)
			return
		}
		w.Write(data)
	}))
	defer server.Close()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	files := t.TempDir()
	trees := map[string]bool{}
	for name, data := range archives {
		fill(t, files, map[string]string{name: string(data)})
		for _, address := range []string{filepath.Join(files, name), server.URL + "/" + strings.ReplaceAll(name, " ", "%20")} {
			dir := t.TempDir()
			got, outcomes := fetched(t, dir, Options{}, tenants.Source{Name: "Foo", Archive: address, SHA256: sum(data)})
			if got != "done" {
				t.Fatalf("%s: %s", address, got)
			}
			trees[outcomes[0].Locked.Tree] = true
			folder := farmOf(t, dir).Layout().Component(outcomes[0].Locked)
			for file, want := range map[string]os.FileMode{"extension.json": 0o644, "a/run.sh": 0o755, "a": 0o755, "link": 0o755} {
				if info, err := os.Stat(filepath.Join(folder, file)); err != nil || info.Mode()&(fs.ModePerm|fs.ModeSetuid) != want {
					t.Errorf("%s %s: %v, %v", name, file, info, err)
				}
			}
			if got, _ := fetched(t, dir, Options{}, tenants.Source{Name: "Foo", Archive: address, SHA256: sum(data)}); got != "unchanged" {
				t.Errorf("%s again: %s", address, got)
			}
		}
	}
	if len(trees) != 1 {
		t.Errorf("%d trees of the same files", len(trees))
	}
	for address, want := range map[string]string{
		filepath.Join(files, "c.tar"): "has another SHA-256, " + sum(plain), filepath.Join(files, "none"): "no such file or directory",
		files: "is a directory", server.URL + "/x": "the answer is 40", gone.URL: "connection refused", "/dev/zero": "is not a regular file",
	} {
		if strings.HasSuffix(address, "/x") {
			want = "stopped after 10 redirects"
		}
		if got, _ := fetched(t, t.TempDir(), Options{}, tenants.Source{Name: "Foo", Archive: address, SHA256: sum(nil)}); !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}

// Nothing of an archive leaves its folder, and no archive fills the disk.
func TestArchivesRefused(t *testing.T) {
	all := func(more ...entry) []entry { return slices.Concat(good, more) }
	cases := []struct {
		name    string
		entries []entry
		want    string
		tarOnly bool
	}{
		{"up", all(entry{"../x", "1", 0, 0o644}), `the name "../x" leads out`, false},
		{"up within", all(entry{"Foo-1.2/a/../../../x", "1", 0, 0o644}), `leads out`, false},
		{"dots", all(entry{"Foo-1.2/a/../b", "1", 0, 0o644}), `has .. in it`, false},
		{"absolute", all(entry{"/etc/x", "1", 0, 0o644}), `leads out`, false},
		{"backslash", all(entry{`..\x`, "1", 0, 0o644}), `leads out`, false},
		{"a link out", all(entry{"Foo-1.2/l", "../../x", tar.TypeSymlink, 0o777}), `the link "Foo-1.2/l" leads out`, false},
		{"an absolute link", all(entry{"Foo-1.2/l", "/etc/passwd", tar.TypeSymlink, 0o777}), `leads out`, false},
		{"through a link", all(entry{"Foo-1.2/l", "a", tar.TypeSymlink, 0o777}, entry{"Foo-1.2/l/../../x", "1", 0, 0o644}), `.. in it`, false},
		{"a link over a folder", all(entry{"Foo-1.2/l/x", "1", 0, 0o644}, entry{"Foo-1.2/l", "a", tar.TypeSymlink, 0o777}), `file exists`, false},
		{"a link beside the only folder", all(entry{"l", "Foo-1.2/a", tar.TypeSymlink, 0o777}), `has no extension.json`, false},
		{"a link that the only folder leaves", []entry{{"F/extension.json", manifest, 0, 0o644}, {"F/l", "../F/extension.json", tar.TypeSymlink, 0o777}}, `the link l leads out`, false},
		{"a hard link", all(entry{"Foo-1.2/h", "Foo-1.2/a/run.sh", tar.TypeLink, 0o644}), `is neither a file nor a folder`, true},
		{"a device", all(entry{"Foo-1.2/d", "", tar.TypeChar, 0o644}), `is neither a file nor a folder`, false},
		{"a FIFO", all(entry{"Foo-1.2/f", "", tar.TypeFifo, 0o644}), `is neither a file nor a folder`, false},
		{"twice", all(entry{"Foo-1.2/extension.json", "{}", 0, 0o644}), `file exists`, false},
		{"a line break", all(entry{"Foo-1.2/a\nb", "1", 0, 0o644}), `has a line break`, false},
		{"empty", nil, `has no extension.json`, true},
		{"a file for a folder", []entry{{"F", "", 0, 0o644}, {"F/extension.json", manifest, 0, 0o644}}, `file exists`, false},
	}
	for _, tc := range cases {
		forms := map[string][]byte{"tar": gzipped(t, tarOf(t, tc.entries))}
		if !tc.tarOnly {
			forms["zip"] = zipOf(t, tc.entries)
		}
		for form, data := range forms {
			t.Run(tc.name+" "+form, func(t *testing.T) {
				dir := t.TempDir()
				fill(t, dir, map[string]string{"a": string(data)})
				got, _ := fetched(t, dir, Options{}, tenants.Source{Name: "Foo", Archive: dir + "/a", SHA256: sum(data)})
				if !strings.HasPrefix(got, "failed: ") || !strings.Contains(got, tc.want) {
					t.Errorf("%s, want %s", got, tc.want)
				}
				left, err := filepath.Glob(filepath.Join(dir, "state/components/[^.]*"))
				if err != nil || len(left) > 0 {
					t.Errorf("it leaves %v, %v", left, err)
				}
			})
		}
	}
	for name, data := range map[string]string{"nothing": "", "text": "this is no archive", "a part of gzip": string(gzipped(t, tarOf(t, good))[:60]), "a part of zip": string(zipOf(t, good)[:60])} {
		dir := t.TempDir()
		fill(t, dir, map[string]string{"a": data})
		if got, _ := fetched(t, dir, Options{}, tenants.Source{Name: "Foo", Archive: dir + "/a", SHA256: sum([]byte(data))}); !strings.HasPrefix(got, "failed: unpack "+dir+"/a: ") {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// A small archive that becomes large is given up at the bound, of bytes and of files.
func TestBombs(t *testing.T) {
	zeros := entry{"z", strings.Repeat("\x00", 1<<20), 0, 0o644}
	unpacked := func(files int, left int64) error {
		root, err := os.OpenRoot(t.TempDir())
		must(t, err)
		defer root.Close()
		u := &unpacking{root: root, files: files, left: left}
		return u.tar(t.Context(), tar.NewReader(bytes.NewReader(tarOf(t, []entry{zeros, {"y", "", 0, 0o644}}))))
	}
	if err := unpacked(0, 1<<20); err != nil {
		t.Error(err)
	}
	for _, err := range []error{unpacked(0, 1<<20-1), unpacked(maxFiles-1, maxBytes)} {
		if err == nil || !strings.Contains(err.Error(), "it has more than") {
			t.Error(err)
		}
	}
	c := &counter{files: maxFiles - 1}
	line := []byte("100644 blob " + strings.Repeat("a", 40) + "       5\ta b\x00")
	if _, err := c.Write(line); err != nil || c.bytes != 5 {
		t.Error(err, c.bytes)
	}
	if _, err := c.Write(line); err == nil {
		t.Error("too many files of a commit are taken")
	}
}
