package upgrade

import (
	"context"
	"crypto/sha1"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"

	"wikictl/tenants"
	"wikictl/tenants/mediawiki"
)

// returnUploads puts back the uploads that a restored database names and that were moved, replaced
// or deleted since its dump was taken. MediaWiki moves such files at once, so a database alone would
// show missing or wrong ones. With again the dump is of content that a rollback dropped: the copies that
// this rollback made are removed. A full disk is an error: the next run repeats the restore. What else it
// can't put back it notes, as the database is restored anyway.
func (k *task) returnUploads(ctx context.Context, taken time.Time, again bool) error {
	var names []string
	dir, folders := k.up.Layout.Images(k.tenant.Name), k.tenant.UploadFolders()
	stored, err := k.server.StoredFiles(ctx, k.tenant.Database)
	if err == nil && len(stored) > 0 {
		give := func(f *os.File) error { return k.up.GiveFileTo(k.tenant.Name, f) }
		names, err = putUploadsBack(ctx, dir, folders, stored, taken, give)
	}
	if len(names) > 0 {
		k.note("uploads that were moved, replaced or deleted since are put back (%s)", firstFiles(names, len(names)))
	}
	switch {
	case errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EROFS):
		return tenants.WithHint(fmt.Errorf("put uploads back: %w", err), "make room in "+dir)
	case err != nil && ctx.Err() == nil:
		k.note("not all uploads could be put back (%s); no file was removed", err)
		return nil
	case err != nil || !again:
		return err
	}
	return k.dropCopies(ctx, dir, stored, taken)
}

// uploadFolder is the upload folder of a wiki. All access is through root, because PHP's user
// could make links that lead out of it.
type uploadFolder struct {
	root    *os.Root
	folders tenants.UploadFolders
	give    func(*os.File) error // makes PHP's user the owner
}

// putUploadsBack makes the files in dir have the content that stored says, if it is anywhere in
// dir. Content in its place is moved to MediaWiki's folder for deleted files, and later found
// there in the same way. It returns the names of the files that it changed.
func putUploadsBack(ctx context.Context, dir string, folders tenants.UploadFolders, stored []mediawiki.StoredFile, since time.Time, give func(*os.File) error) (names []string, err error) {
	if !folders.Known {
		return nil, errors.New("the settings or an extension may store them elsewhere")
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	u := &uploadFolder{root, folders, give}
	if err := u.clear(); err != nil {
		return nil, err
	}
	wrong, err := u.wrong(ctx, stored, since)
	if err != nil || len(wrong) == 0 {
		return nil, err
	}
	if !folders.Sure && len(wrong) == len(stored) {
		return nil, errors.New("none is in its place, and PHP of its settings may store them elsewhere")
	}
	sources, err := u.search(ctx, wrong)
	if err != nil {
		return nil, err
	}
	found := slices.DeleteFunc(wrong, func(f mediawiki.StoredFile) bool { return sources[f.SHA1] == "" })
	temporary := func(i int) string { return fmt.Sprintf("%s%d.tmp", temporaries, i) }
	for i, f := range found {
		if err := u.copy(sources[f.SHA1], temporary(i)); err != nil {
			return nil, errors.Join(err, u.clear()) // they may have filled the disk
		}
	}
	for i, f := range found { // only now, as the file of one may be the source of another
		if err := u.replace(f.Place(folders.Hashed), temporary(i)); err != nil {
			return names, err
		}
		names = append(names, f.Name+f.Key)
	}
	return names, nil
}

// temporaries begins the paths of copies that are not yet in their places.
const temporaries = "deleted/wikictl-"

// clear removes the copies of a run that was killed.
func (u *uploadFolder) clear() error {
	left, err := fs.Glob(u.root.FS(), temporaries+"*.tmp")
	for _, name := range left {
		err = errors.Join(err, u.root.Remove(name))
	}
	return err
}

// wrong returns the files that are missing, or have other content than stored says. Files of the
// right size are read if they were changed since then, or a clock was ahead then.
func (u *uploadFolder) wrong(ctx context.Context, stored []mediawiki.StoredFile, since time.Time) (wrong []mediawiki.StoredFile, err error) {
	if time.Until(since) > 0 {
		since = time.Time{}
	}
	for _, f := range stored {
		place := f.Place(u.folders.Hashed)
		info, err := u.root.Lstat(place)
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case f.SHA1 == "":
		case f.Fault(info, err) != "":
			wrong = append(wrong, f)
		case err != nil || !info.Mode().IsRegular(): // a link is an administrator's
		case changedAt(info).After(since.Add(-time.Minute)):
			if sum, err := u.sum(place); err != nil {
				return nil, err
			} else if sum != f.SHA1 {
				wrong = append(wrong, f)
			}
		}
	}
	return wrong, nil
}

// changedAt returns when a file was written, moved or linked last.
func changedAt(info fs.FileInfo) time.Time {
	if s, is := info.Sys().(*syscall.Stat_t); is {
		return time.Unix(s.Ctim.Unix())
	}
	return info.ModTime()
}

// search finds files with the content of those that are wrong, by that content.
func (u *uploadFolder) search(ctx context.Context, wrong []mediawiki.StoredFile) (map[string]string, error) {
	sizes, wanted, found := map[int64]bool{}, map[string]bool{}, map[string]string{}
	for _, f := range wrong {
		sizes[f.Size], wanted[f.SHA1] = true, true
	}
	err := u.walk(ctx, func(name string, info fs.FileInfo) error {
		if !sizes[info.Size()] {
			return nil
		}
		sum, err := u.sum(name)
		if err == nil && wanted[sum] {
			found[sum] = name
		}
		return err
	})
	return found, err
}

// walk calls a function for each file, except thumbnails, half uploads and copies that are not yet in
// their places.
func (u *uploadFolder) walk(ctx context.Context, do func(name string, info fs.FileInfo) error) error {
	return fs.WalkDir(u.root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case name == "thumb" || name == "temp" || name == "lockdir":
			return fs.SkipDir
		case !d.Type().IsRegular() || strings.HasPrefix(name, temporaries):
			return nil
		}
		info, err := d.Info()
		if err != nil { // it went away meanwhile
			return nil
		}
		return do(name, info)
	})
}

// sum returns the hash of a file's content, as MediaWiki writes it.
func (u *uploadFolder) sum(name string) (string, error) {
	f, err := u.root.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha1.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	text := new(big.Int).SetBytes(h.Sum(nil)).Text(36)
	return strings.Repeat("0", max(0, 31-len(text))) + text, nil
}

// replace moves a file to its place. Other content in that place becomes a deleted file.
func (u *uploadFolder) replace(place, temporary string) error {
	sum, err := u.sum(place)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err == nil {
		aside := mediawiki.DeletedPlace(sum+strings.ToLower(path.Ext(place)), u.folders.Hashed)
		if err := u.folder(path.Dir(aside)); err != nil {
			return err
		}
		if err := u.root.Rename(place, aside); err != nil {
			return err
		}
	}
	if err := u.folder(path.Dir(place)); err != nil {
		return err
	}
	if err := u.root.Rename(temporary, place); err != nil {
		return err
	}
	return u.root.RemoveAll(path.Join("thumb", place)) // MediaWiki makes thumbnails again
}

// copy writes a copy of a file.
func (u *uploadFolder) copy(from, to string) error {
	if err := u.folder(path.Dir(to)); err != nil {
		return err
	}
	in, err := u.root.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := u.root.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	err = errors.Join(err, u.give(out), out.Sync(), out.Close())
	if err != nil {
		_ = u.root.Remove(to)
	}
	return err
}

// folder makes a folder and those above it.
func (u *uploadFolder) folder(name string) error {
	if name == "." {
		return nil
	}
	if err := u.folder(path.Dir(name)); err != nil {
		return err
	}
	err := u.root.Mkdir(name, 0o755)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	f, err := u.root.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	return u.give(f)
}
