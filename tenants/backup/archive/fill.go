package archive

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"wikictl/tenants/disk"
)

// Missing returns the files of want that are not in have or differ there.
func Missing(want, have Uploads) []Upload {
	found := have.byPath()
	var missing []Upload
	for _, f := range want.Files {
		if found[f.Path].SHA256 != f.SHA256 || f.SHA256 == "" {
			missing = append(missing, f)
		}
	}
	return missing
}

// Lacks returns the files whose content is not in the store or has another size, without reading
// content.
func (s Store) Lacks(files []Upload) []Upload {
	var lacks []Upload
	for _, f := range files {
		if !s.has(f.SHA256, f.Bytes) {
			lacks = append(lacks, f)
		}
	}
	return lacks
}

// Fill makes an upload folder equal to the list want: it copies missing and different
// files from the store and removes all others. have lists the folder's files; own gives an
// open file or folder to the web server's user. PHP may write in the folder meanwhile, so
// Fill follows no link out of it. Links of the list that lead out of it are not made. Fill can
// be repeated after an interruption.
func (s Store) Fill(ctx context.Context, folder string, want, have Uploads, own func(*os.File) error) (err error) {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	want.Links = want.inward()
	f := filling{s, root, own, halfName(want)}
	if err := f.clear(ctx, want); err != nil {
		return err
	}
	for _, u := range Missing(want, have) {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := f.file(u); err != nil {
			return fmt.Errorf("restore the upload %s: %w", u.Path, err)
		}
	}
	for path, target := range want.Links {
		if err := f.link(path, target); err != nil {
			return fmt.Errorf("restore the link %s: %w", path, err)
		}
	}
	return disk.SyncFileSystem(folder)
}

// filling is the state of one Fill.
type filling struct {
	store Store
	root  *os.Root
	own   func(*os.File) error
	half  string // name of an incomplete file, in its folder
}

// halfName returns a name that no path of a list has in it.
func halfName(u Uploads) string {
	name := halfEnding
	has := func(path string) bool { return strings.Contains(path, name) }
	for slices.ContainsFunc(u.Files, func(f Upload) bool { return has(f.Path) }) || slices.ContainsFunc(slices.Collect(maps.Keys(u.Links)), has) {
		name += "_"
	}
	return name
}

// clear removes files that the list does not have, and anything else that is in the place of
// its files and folders.
func (f filling) clear(ctx context.Context, want Uploads) error {
	files := want.byPath()
	return walk(ctx, f.root, func(name string, e fs.DirEntry) error {
		_, file := files[name]
		_, link := want.Links[name]
		switch {
		case e.IsDir() && (file || link):
			return cmp.Or(f.root.RemoveAll(name), fs.SkipDir)
		case e.IsDir(), file && e.Type().IsRegular(), link && e.Type()&fs.ModeSymlink != 0:
			return nil
		}
		return disk.IgnoreAbsent(f.root.Remove(name))
	})
}

// file writes one file, by rename.
func (f filling) file(u Upload) error {
	if err := f.folder(filepath.Dir(u.Path)); err != nil {
		return err
	}
	in, err := os.OpenFile(f.store.Path(u.SHA256), os.O_RDONLY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	defer in.Close()
	half := filepath.Join(filepath.Dir(u.Path), f.half)
	if err := disk.IgnoreAbsent(f.root.Remove(half)); err != nil {
		return err
	}
	out, err := f.root.OpenFile(half, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := f.own(out); err != nil {
		return errors.Join(err, out.Close(), f.root.Remove(half))
	}
	sum, _, err := copyFile(in, out, cmp.Or(u.Mode.Perm(), 0o644))
	if err == nil && sum != u.SHA256 {
		err = fmt.Errorf("%s: its SHA-256 is %s", in.Name(), sum)
	}
	if err != nil {
		return errors.Join(err, f.root.Remove(half))
	}
	modified := time.Unix(0, u.Modified)
	if err := f.root.Chtimes(half, modified, modified); err != nil {
		return err
	}
	return f.root.Rename(half, u.Path)
}

// folder makes a folder and its parents up to the root.
func (f filling) folder(dir string) error {
	if dir == "." {
		return nil
	}
	info, err := f.root.Lstat(dir)
	if err == nil && info.IsDir() {
		return nil
	}
	if err := f.folder(filepath.Dir(dir)); err != nil {
		return err
	}
	if err := f.root.Mkdir(dir, 0o755); err != nil {
		return err
	}
	made, err := f.root.OpenFile(dir, os.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.own(made), made.Close())
}

func (f filling) link(path, target string) error {
	if now, err := f.root.Readlink(path); err == nil && now == target {
		return nil
	}
	if err := f.folder(filepath.Dir(path)); err != nil {
		return err
	}
	if err := disk.IgnoreAbsent(f.root.Remove(path)); err != nil {
		return err
	}
	return f.root.Symlink(target, path)
}
