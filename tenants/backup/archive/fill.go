package archive

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"wikictl/tenants/disk"
)

// Missing returns the files of want that are not in have or differ there.
func Missing(want, have Uploads) []Upload {
	there := have.ByPath()
	var missing []Upload
	for _, f := range want.Files {
		if there[f.Path].SHA256 != f.SHA256 || f.SHA256 == "" {
			missing = append(missing, f)
		}
	}
	return missing
}

// CheckAll reads content of the store and returns an error that names the first damaged
// file.
func (s Store) CheckAll(ctx context.Context, files []Upload) error {
	seen := map[string]bool{}
	for _, f := range files {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if seen[f.SHA256] {
			continue
		}
		seen[f.SHA256] = true
		if err := s.Check(f); err != nil {
			return fmt.Errorf("the content of the upload %s: %w", f.Path, err)
		}
	}
	return nil
}

// Fill makes an upload folder equal to the list want: it copies missing and different
// files from the store and removes all others. have lists the folder's files; own gives a
// file or folder to the web server's user. Fill can be repeated after an interruption.
func (s Store) Fill(ctx context.Context, folder string, want, have Uploads, own func(path string) error) error {
	root, err := filepath.EvalSymlinks(folder)
	if err != nil {
		return err
	}
	f := filling{s, root, own}
	if err := f.clear(want); err != nil {
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
	return disk.SyncFileSystem(root)
}

// filling is the state of one Fill.
type filling struct {
	store Store
	root  string
	own   func(path string) error
}

// clear removes files that the list does not have, and whatever is in the place of its
// files and folders.
func (f filling) clear(want Uploads) error {
	files, folders := want.ByPath(), map[string]bool{}
	for _, list := range [2][]string{pathsOf(want.Files), linksOf(want.Links)} {
		for _, path := range list {
			for dir := filepath.Dir(path); dir != "."; dir = filepath.Dir(dir) {
				folders[dir] = true
			}
		}
	}
	return filepath.WalkDir(f.root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || path == f.root {
			return err
		}
		name, err := filepath.Rel(f.root, path)
		if err != nil {
			return err
		}
		_, file := files[name]
		_, link := want.Links[name]
		switch {
		case e.IsDir() && (file || link):
			return cmp.Or(os.RemoveAll(path), fs.SkipDir)
		case e.IsDir(), file && e.Type().IsRegular(), link && e.Type()&fs.ModeSymlink != 0:
			return nil
		case folders[name] && e.Type()&fs.ModeSymlink != 0:
			return fmt.Errorf("%s is a link, and the backup has files below it; make it a folder", path)
		}
		return os.Remove(path)
	})
}

func pathsOf(files []Upload) []string {
	paths := make([]string, len(files))
	for i, f := range files {
		paths[i] = f.Path
	}
	return paths
}

func linksOf(links map[string]string) []string {
	var paths []string
	for path := range links {
		paths = append(paths, path)
	}
	return paths
}

// file writes one file, by rename.
func (f filling) file(u Upload) error {
	path := filepath.Join(f.root, u.Path)
	if err := f.folder(filepath.Dir(path)); err != nil {
		return err
	}
	in, err := os.OpenFile(f.store.Path(u.SHA256), os.O_RDONLY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	defer in.Close()
	half := path + halfEnding
	if err := os.Remove(half); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	sum, _, err := copyFile(in, half, cmp.Or(u.Mode.Perm(), 0o644))
	if err == nil && sum != u.SHA256 {
		err = errors.Join(fmt.Errorf("%s: its SHA-256 is %s", in.Name(), sum), os.Remove(half))
	}
	if err != nil {
		return err
	}
	modified := time.Unix(0, u.Modified)
	if err := errors.Join(f.own(half), os.Chtimes(half, modified, modified)); err != nil {
		return err
	}
	return os.Rename(half, path)
}

// folder makes a folder and its parents up to the root.
func (f filling) folder(dir string) error {
	if dir == f.root {
		return nil
	}
	info, err := os.Lstat(dir)
	if err == nil && info.IsDir() {
		return nil
	}
	if err := f.folder(filepath.Dir(dir)); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	return f.own(dir)
}

func (f filling) link(path, target string) error {
	at := filepath.Join(f.root, path)
	if now, err := os.Readlink(at); err == nil && now == target {
		return nil
	}
	if err := f.folder(filepath.Dir(at)); err != nil {
		return err
	}
	if err := os.Remove(at); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.Symlink(target, at)
}
