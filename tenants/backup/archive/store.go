package archive

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/gofrs/flock"
	"golang.org/x/sys/unix"

	"wikictl/tenants/disk"
)

// Store keeps the content of uploads of all wikis and backups of a farm, each content
// once, in files named by SHA-256: files/AB/ABCD….
type Store struct{ dir string }

// NewStore returns the store in a farm's folder of archives.
func NewStore(dir string) Store { return Store{dir} }

// StoreOf returns the store with an archive's uploads, from the archive's path.
func StoreOf(archive string) Store {
	return Store{filepath.Dir(filepath.Dir(filepath.Dir(archive)))}
}

// Folder returns the folder of all content.
func (s Store) Folder() string { return filepath.Join(s.dir, "files") }

// Path returns the path of the content with a SHA-256.
func (s Store) Path(sum string) string { return filepath.Join(s.Folder(), sum[:2], sum) }

// has reports whether the store has content with a SHA-256 and size, without reading it.
func (s Store) has(sum string, size int64) bool {
	info, err := os.Lstat(s.Path(sum))
	return err == nil && info.Mode().IsRegular() && info.Size() == size
}

// Use takes a shared lock: until release is called, no content is removed.
func (s Store) Use(ctx context.Context) (release func(), err error) {
	return s.lock(ctx, (*flock.Flock).TryRLockContext)
}

// Alone waits for an exclusive lock, which it holds until release is called.
func (s Store) Alone(ctx context.Context) (release func(), err error) {
	return s.lock(ctx, (*flock.Flock).TryLockContext)
}

func (s Store) lock(ctx context.Context, try func(*flock.Flock, context.Context, time.Duration) (bool, error)) (func(), error) {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return nil, err
	}
	l := flock.New(filepath.Join(s.dir, "lock"))
	if _, err := try(l, ctx, 20*time.Millisecond); err != nil {
		return nil, fmt.Errorf("lock %s: %w", l.Path(), cmp.Or(context.Cause(ctx), err))
	}
	return func() { _ = l.Close() }, nil
}

// Keep stores the content of all files below a folder and returns their list; empty if
// the folder does not exist. Files unchanged since an earlier list, and still in the
// store, are not read; content that is read replaces the store's. half is a folder for
// incomplete files. All content is durable when Keep returns.
func (s Store) Keep(ctx context.Context, folder, half string, before Uploads) (u Uploads, err error) {
	k := keeping{store: s, half: half, before: before.byPath(), scanned: before.Scanned, staged: map[string]string{}}
	k.now = Uploads{Scanned: time.Now().UTC(), Links: map[string]string{}}
	if k.root, err = os.OpenRoot(folder); errors.Is(err, fs.ErrNotExist) {
		return k.now, nil
	}
	if err != nil {
		return u, err
	}
	defer k.root.Close()
	if err := os.MkdirAll(half, 0o700); err != nil {
		return u, err
	}
	err = walk(ctx, k.root, k.entry)
	if err != nil {
		return u, fmt.Errorf("keep the files of %s: %w", folder, err)
	}
	slices.SortFunc(k.now.Files, func(a, b Upload) int { return cmp.Compare(a.Path, b.Path) })
	return k.now, k.publish()
}

// Takes returns the bytes that Keep would copy into the store of uploads that were scanned.
func (s Store) Takes(u, before Uploads) (bytes int64) {
	known := before.byPath()
	for _, f := range u.Files {
		if was, is := known[f.Path]; !is || !was.same(f, before.Scanned) || !s.has(was.SHA256, f.Bytes) {
			bytes += f.Bytes
		}
	}
	return bytes
}

// keeping is the state of one Keep.
type keeping struct {
	store   Store
	root    *os.Root // the upload folder: PHP's user writes in it, and nothing outside of it is read
	half    string
	before  map[string]Upload
	scanned time.Time
	now     Uploads
	staged  map[string]string // content that was read: SHA-256 to file
}

// entry handles one file or link. A file that disappears while the folder is read was
// removed by the wiki.
func (k *keeping) entry(name string, e fs.DirEntry) error {
	switch {
	case e.Type().IsRegular():
		return k.file(name)
	case e.Type()&fs.ModeSymlink != 0:
		return k.now.addLink(k.root, name)
	}
	k.now.noteIrregular(name, e)
	return nil
}

func (k *keeping) file(name string) error {
	in, err := k.root.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return disk.IgnoreAbsent(err)
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return err
	}
	u := uploadOf(name, info)
	if known, is := k.before[name]; is && known.same(u, k.scanned) && k.store.has(known.SHA256, u.Bytes) {
		u.SHA256 = known.SHA256
		k.now.Files = append(k.now.Files, u)
		return nil
	}
	half := filepath.Join(k.half, strconv.Itoa(len(k.now.Files)))
	out, err := os.OpenFile(half, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if u.SHA256, u.Bytes, err = copyFile(in, out, 0o400); err != nil {
		return errors.Join(err, os.Remove(half))
	}
	k.now.Files = append(k.now.Files, u)
	if _, staged := k.staged[u.SHA256]; staged {
		return os.Remove(half)
	}
	k.staged[u.SHA256] = half
	return nil
}

func uploadOf(name string, info fs.FileInfo) Upload {
	u := Upload{Path: name, Bytes: info.Size(), Mode: info.Mode().Perm(), Modified: info.ModTime().UnixNano()}
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		u.Changed, u.Inode = s.Ctim.Nano(), s.Ino
	}
	return u
}

// publish renames content into the store, once it is durable. It replaces content of that name,
// which may have been damaged since it was written.
func (k *keeping) publish() error {
	if len(k.staged) == 0 {
		return nil
	}
	if err := disk.SyncFileSystem(k.half); err != nil {
		return err
	}
	for sum, half := range k.staged {
		path := k.store.Path(sum)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := os.Rename(half, path); err != nil {
			return err
		}
	}
	return disk.SyncFileSystem(k.half)
}

// copyFile copies a file into a new one, sharing blocks if the file system can, closes
// that, and returns the SHA-256 of the copy.
func copyFile(in, out *os.File, mode fs.FileMode) (sum string, size int64, err error) {
	defer func() { err = errors.Join(err, out.Chmod(mode), out.Close()) }()
	h := sha256.New()
	if unix.IoctlFileClone(int(out.Fd()), int(in.Fd())) == nil {
		size, err = io.Copy(h, out)
	} else {
		size, err = io.Copy(io.MultiWriter(out, h), in)
	}
	return hex.EncodeToString(h.Sum(nil)), size, err
}
