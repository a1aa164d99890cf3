package upgrade

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"

	"wikictl/tenants"
	"wikictl/tenants/mediawiki"
)

// dropCopies removes the copies that a rollback made, and notes them.
func (k *task) dropCopies(ctx context.Context, dir string, stored []mediawiki.StoredFile, taken time.Time) error {
	copies, err := removeCopies(ctx, dir, k.tenant.UploadFolders(), stored, taken)
	if len(copies) > 0 {
		k.note("copies that the rollback had made of moved or deleted uploads are removed (%s)", firstFiles(copies, len(copies)))
	}
	if err != nil && ctx.Err() == nil {
		k.note("not all copies that the rollback had made of moved or deleted uploads could be removed (%s)", err)
		return nil
	}
	return err
}

// removeCopies removes the copies by which a rollback had put files back, once the content that it
// had dropped is restored: readers could still fetch files that were deleted, or moved away. A copy
// is a file where MediaWiki stores one of its name, which no row of the database names, which was
// made since, and whose content is in a place that a row names. It returns the paths of the copies.
func removeCopies(ctx context.Context, dir string, folders tenants.UploadFolders, stored []mediawiki.StoredFile, since time.Time) (copies []string, err error) {
	if !folders.Known || time.Until(since) > 0 {
		return nil, nil
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	u := &uploadFolder{root: root, folders: folders}
	found, err := u.unnamed(ctx, stored, since)
	if err != nil {
		return nil, err
	}
	for copy, f := range found {
		switch sum, err := u.sum(f.Place(folders.Hashed)); {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return copies, err
		case sum != f.SHA1:
			continue
		}
		if err := errors.Join(root.Remove(copy), root.RemoveAll(path.Join("thumb", copy))); err != nil {
			return copies, err
		}
		copies = append(copies, copy)
	}
	return copies, nil
}

// unnamed finds files made since then that no row names, and a row that names their content.
func (u *uploadFolder) unnamed(ctx context.Context, stored []mediawiki.StoredFile, since time.Time) (map[string]mediawiki.StoredFile, error) {
	named, sizes := map[string]bool{}, map[int64]bool{}
	rows, found := map[string]mediawiki.StoredFile{}, map[string]mediawiki.StoredFile{}
	for _, f := range stored {
		named[f.Place(u.folders.Hashed)], sizes[f.Size], rows[f.SHA1] = true, true, f
	}
	delete(rows, "")
	err := u.walk(ctx, func(name string, info fs.FileInfo) error {
		if named[name] || !sizes[info.Size()] || !changedAt(info).After(since) || !u.storable(name) {
			return nil
		}
		sum, err := u.sum(name)
		if f, is := rows[sum]; err == nil && is {
			found[name] = f
		}
		return err
	})
	return found, err
}

// storable reports whether MediaWiki would store an upload, or an earlier version of one, there.
func (u *uploadFolder) storable(name string) bool {
	f := mediawiki.StoredFile{Name: path.Base(name)}
	if strings.HasPrefix(name, "archive/") {
		_, of, _ := strings.Cut(f.Name, "!")
		f = mediawiki.StoredFile{Name: of, Archive: f.Name}
	}
	return f.Place(u.folders.Hashed) == name
}
