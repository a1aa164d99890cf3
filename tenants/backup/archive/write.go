package archive

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/klauspost/compress/zstd"

	"wikictl/tenants/disk"
)

// Part is the content of a member to write: the file Path, or else Data.
type Part struct {
	Name string
	Path string
	Data []byte
}

// open opens the content of a part.
func (p Part) open() (io.ReadCloser, error) {
	if p.Path == "" {
		return io.NopCloser(bytes.NewReader(p.Data)), nil
	}
	return os.Open(p.Path)
}

// member reads a part and returns its size and checksum.
func (p Part) member() (Member, error) {
	in, err := p.open()
	if err != nil {
		return Member{}, err
	}
	defer in.Close()
	sum := sha256.New()
	n, err := io.Copy(sum, in)
	return Member{p.Name, n, hex.EncodeToString(sum.Sum(nil))}, err
}

// Write makes an archive, mode 0600: a tar compressed by zstd that begins with the
// manifest. It fills in m.Members. The file is durable when Write returns, and removed if
// Write fails.
func Write(file string, m *Manifest, parts []Part) (err error) {
	head, err := m.complete(parts)
	if err != nil {
		return err
	}
	half := file + halfEnding
	f, err := os.OpenFile(half, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(half))
		}
	}()
	err = compress(f, m.Taken, append([]Part{{Name: ManifestMember, Data: head}}, parts...))
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(half, file); err != nil {
		return err
	}
	return disk.SyncFolder(filepath.Dir(file))
}

// complete fills in the members, and returns the manifest's text.
func (m *Manifest) complete(parts []Part) ([]byte, error) {
	m.Format, m.Members = format, nil
	for _, p := range parts {
		member, err := p.member()
		if err != nil {
			return nil, fmt.Errorf("backup: %s: %w", p.Name, err)
		}
		m.Members = append(m.Members, member)
	}
	return json.MarshalIndent(m, "", "  ")
}

// compress writes the tar, compressed by zstd.
func compress(w io.Writer, taken time.Time, parts []Part) error {
	z, err := zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return err
	}
	t := tar.NewWriter(z)
	for _, p := range parts {
		if err := add(t, taken, p); err != nil {
			return errors.Join(fmt.Errorf("backup: %s: %w", p.Name, err), z.Close())
		}
	}
	return errors.Join(t.Close(), z.Close())
}

func add(t *tar.Writer, taken time.Time, p Part) error {
	size := int64(len(p.Data))
	if p.Path != "" {
		info, err := os.Stat(p.Path)
		if err != nil {
			return err
		}
		size = info.Size()
	}
	if err := t.WriteHeader(&tar.Header{Name: p.Name, Size: size, Mode: 0o600, ModTime: taken.Truncate(time.Second)}); err != nil {
		return err
	}
	in, err := p.open()
	if err != nil {
		return err
	}
	defer in.Close()
	_, err = io.Copy(t, in)
	return err
}

// reader reads the members of an archive in order.
type reader struct {
	*tar.Reader
	file *os.File
	zstd *zstd.Decoder
}

// openReader opens an archive and reads its manifest.
func openReader(file string) (*reader, Manifest, error) {
	f, err := disk.Open(file)
	if err != nil {
		return nil, Manifest{}, err
	}
	z, err := zstd.NewReader(f, zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, Manifest{}, errors.Join(err, f.Close())
	}
	r := &reader{tar.NewReader(z), f, z}
	m, err := r.manifest()
	if err != nil {
		return nil, m, errors.Join(fmt.Errorf("backup %s: %w", file, err), r.Close())
	}
	return r, m, nil
}

// mostManifest bounds the size of a manifest, in bytes.
const mostManifest = 16 << 20

func (r *reader) manifest() (Manifest, error) {
	head, err := r.Next()
	if err != nil {
		return Manifest{}, fmt.Errorf("it is not a tar compressed by zstd: %w", err)
	}
	if head.Name != ManifestMember || head.Size > mostManifest {
		return Manifest{}, fmt.Errorf("it begins with %q and not with %s", head.Name, ManifestMember)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		return Manifest{}, err
	}
	return DecodeManifest(data)
}

// Close closes the archive.
func (r *reader) Close() error {
	r.zstd.Close()
	return r.file.Close()
}

// Open reads only the manifest of an archive.
func Open(file string) (Manifest, error) {
	r, m, err := openReader(file)
	if err != nil {
		return m, err
	}
	return m, r.Close()
}

// Extract reads a whole archive, compares each member with the manifest, and writes
// members for whose names keep is true into a folder, mode 0600; none if keep is nil.
// Existing files in the folder are replaced.
func Extract(file, dir string, keep func(name string) bool) (m Manifest, err error) {
	r, m, err := openReader(file)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if keep != nil {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return m, err
		}
	}
	for _, want := range m.Members {
		into := ""
		if keep != nil && keep(want.Name) {
			into = filepath.Join(dir, want.Name)
		}
		if err := r.extract(want, into); err != nil {
			return m, fmt.Errorf("backup %s: %s: %w", file, want.Name, err)
		}
	}
	if head, err := r.Next(); !errors.Is(err, io.EOF) {
		return m, errors.Join(fmt.Errorf("backup %s: it has more members than its manifest says: %v", file, head), err)
	}
	if _, err := io.Copy(io.Discard, r.zstd); err != nil { // zstd's checksum is at the end
		return m, fmt.Errorf("backup %s: %w", file, err)
	}
	return m, nil
}

// extract reads one member and writes it to path, or nowhere if path is empty.
func (r *reader) extract(want Member, path string) (err error) {
	if path == "" {
		return r.copy(want, io.Discard)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(r.copy(want, f), f.Close())
}

// bytes reads one member into memory.
func (r *reader) bytes(want Member) ([]byte, error) {
	var b bytes.Buffer
	err := r.copy(want, &b)
	return b.Bytes(), err
}

// copy reads the next member, which must be the wanted one, and compares its checksum.
func (r *reader) copy(want Member, to io.Writer) error {
	head, err := r.Next()
	if err != nil {
		return err
	}
	if head.Name != want.Name || head.Size != want.Bytes || head.Typeflag != tar.TypeReg {
		return fmt.Errorf("the archive has %q of %d bytes in its place, not %d", head.Name, head.Size, want.Bytes)
	}
	sum := sha256.New()
	if _, err := io.Copy(io.MultiWriter(sum, to), r); err != nil {
		return err
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != want.SHA256 {
		return fmt.Errorf("its SHA-256 is %s, but %s was written", got, want.SHA256)
	}
	return nil
}

// halfEnding is the suffix of incomplete files, which a killed run may leave.
const halfEnding = ".half"

// ending is the suffix of archives, after the run's id.
const ending = ".tar.zst"
