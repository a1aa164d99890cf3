package mediawiki

import (
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
)

// StoredFile is a file that a wiki's database names: an upload, an earlier version of one, which
// has Archive as well, or a deleted one, which has Key alone.
type StoredFile struct {
	Name, Archive, Key string
	Size               int64
	SHA1               string // as MediaWiki writes it, with 31 digits to the base of 36
}

// Place returns the path of the file in the upload folder. With hashed, as $wgHashedUploadDirectory
// is by default, it is in folders that begin the MD5 of its name, or its key (FileRepo's
// getHashPathForLevel and getDeletedHashPath).
func (f StoredFile) Place(hashed bool) string {
	switch {
	case f.Key != "":
		return DeletedPlace(f.Key, hashed)
	case !hashed && f.Archive != "":
		return path.Join("archive", f.Archive)
	case !hashed:
		return f.Name
	}
	sum := md5.Sum([]byte(f.Name))
	hash := hex.EncodeToString(sum[:1])
	if f.Archive != "" {
		return path.Join("archive", hash[:1], hash, f.Archive)
	}
	return path.Join(hash[:1], hash, f.Name)
}

// DeletedPlace returns the path of a deleted file, which MediaWiki names by its content.
func DeletedPlace(key string, hashed bool) string {
	if len(key) < 3 || !hashed {
		return path.Join("deleted", key)
	}
	return path.Join("deleted", key[:1], key[1:2], key[2:3], key)
}

// Fault says what is wrong with the file, by what Lstat returns for its place: it is missing, or has
// another size. It is empty if nothing is, or nothing can be said: of a link or a folder, or if the
// database does not know the size.
func (f StoredFile) Fault(info fs.FileInfo, err error) string {
	switch {
	case f.Size == 0:
	case errors.Is(err, fs.ErrNotExist):
		return "is missing"
	case err == nil && info.Mode().IsRegular() && info.Size() != f.Size:
		return fmt.Sprintf("has %d bytes, not %d", info.Size(), f.Size)
	}
	return ""
}
