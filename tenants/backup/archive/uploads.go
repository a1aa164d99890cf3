package archive

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Uploads lists the files of a wiki's upload folder at the time of a backup.
type Uploads struct {
	Scanned time.Time         `json:"scanned"`         // start of the scan
	Files   []Upload          `json:"files"`           // sorted by path
	Links   map[string]string `json:"links,omitempty"` // symbolic links: path to target

	// Irregular are the paths of FIFOs, sockets and devices, sorted, which a backup omits.
	Irregular []string `json:"-"`

	// RawLinks are those of Links in the encoded list whose path or target is not UTF-8.
	RawLinks []rawLink `json:"links_base64,omitempty"`
}

// rawLink is a link in bytes, which JSON has as base64.
type rawLink struct {
	Path   []byte `json:"path"`
	Target []byte `json:"target"`
}

// Upload is a file; the store has its content by SHA-256.
type Upload struct {
	Path     string      `json:"path"`                  // relative to the upload folder, with slashes
	Raw      []byte      `json:"path_base64,omitempty"` // in the encoded list: Path, if it is not UTF-8
	Bytes    int64       `json:"bytes"`
	SHA256   string      `json:"sha256"`
	Mode     fs.FileMode `json:"mode"`
	Modified int64       `json:"modified"` // nanoseconds since 1970
	Changed  int64       `json:"changed"`  // of the inode (st_ctime), in nanoseconds
	Inode    uint64      `json:"inode"`
}

// same reports whether a file is unchanged since an earlier scan. A change in the second
// before that scan may not show in its times, and counts as one.
func (u Upload) same(now Upload, scanned time.Time) bool {
	return u.Bytes == now.Bytes && u.Modified == now.Modified && u.Changed == now.Changed && u.Inode == now.Inode &&
		u.Changed < scanned.Add(-time.Second).UnixNano()
}

// byPath returns the files by path.
func (u Uploads) byPath() map[string]Upload {
	files := make(map[string]Upload, len(u.Files))
	for _, f := range u.Files {
		files[f.Path] = f
	}
	return files
}

// Bytes returns the total size of the files.
func (u Uploads) Bytes() (n int64) {
	for _, f := range u.Files {
		n += f.Bytes
	}
	return n
}

// Encode returns the content of the member uploads.json.
func (u Uploads) Encode() ([]byte, error) {
	files := make([]Upload, len(u.Files))
	for i, f := range u.Files {
		if !utf8.ValidString(f.Path) {
			f.Path, f.Raw = "", []byte(f.Path)
		}
		files[i] = f
	}
	links := map[string]string{}
	for _, path := range slices.Sorted(maps.Keys(u.Links)) {
		if target := u.Links[path]; utf8.ValidString(path) && utf8.ValidString(target) {
			links[path] = target
		} else {
			u.RawLinks = append(u.RawLinks, rawLink{[]byte(path), []byte(target)})
		}
	}
	u.Files, u.Links = files, links
	return json.Marshal(u)
}

// unescape restores paths and links that are not UTF-8 in a decoded list.
func (u *Uploads) unescape() {
	for i, f := range u.Files {
		if f.Raw != nil {
			u.Files[i].Path, u.Files[i].Raw = string(f.Raw), nil
		}
	}
	if u.Links == nil {
		u.Links = map[string]string{}
	}
	for _, l := range u.RawLinks {
		u.Links[string(l.Path)] = string(l.Target)
	}
	u.RawLinks = nil
}

// Sums returns the content of the member uploads.sha256, in the format of sha256sum(1).
func (u Uploads) Sums() []byte {
	var b bytes.Buffer
	escape := strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\r", `\r`)
	for _, f := range u.Files {
		path := escape.Replace(f.Path)
		if path != f.Path {
			b.WriteByte('\\')
		}
		fmt.Fprintf(&b, "%s  %s\n", f.SHA256, path)
	}
	return b.Bytes()
}

// DecodeUploads decodes the member uploads.json. A path that leads out of the upload
// folder is an error.
func DecodeUploads(data []byte) (u Uploads, err error) {
	if err := json.Unmarshal(data, &u); err != nil {
		return u, fmt.Errorf("%s: %w", FilesMember, err)
	}
	u.unescape()
	for i, f := range u.Files {
		if !local(f.Path) || !digest.MatchString(f.SHA256) || f.Bytes < 0 || (i > 0 && u.Files[i-1].Path >= f.Path) {
			return u, fmt.Errorf("%s: %q can't be a file of an upload folder", FilesMember, f.Path)
		}
		if _, both := u.Links[f.Path]; both {
			return u, fmt.Errorf("%s: %q is a file and a link", FilesMember, f.Path)
		}
	}
	for path := range u.Links {
		if !local(path) {
			return u, fmt.Errorf("%s: %q can't be a link of an upload folder", FilesMember, path)
		}
	}
	return u, u.throughLinks()
}

// throughLinks returns an error if a file's folder is one of the links: the file would be
// written to the link's target.
func (u Uploads) throughLinks() error {
	if len(u.Links) == 0 {
		return nil
	}
	for _, f := range u.Files {
		for dir := filepath.Dir(f.Path); dir != "."; dir = filepath.Dir(dir) {
			if _, is := u.Links[dir]; is {
				return fmt.Errorf("%s: %q is below a link", FilesMember, f.Path)
			}
		}
	}
	return nil
}

// local reports whether a path stays within a folder.
func local(path string) bool {
	return filepath.IsLocal(path) && filepath.Clean(path) == path && path != "."
}
