package mariadb

import (
	"context"
	"fmt"
)

// StoredFile is a file that a wiki's database names: an upload, an earlier version of one, which
// has Archive as well, or a deleted one, which has Key alone.
type StoredFile struct {
	Name, Archive, Key string
	Size               int64
	SHA1               string // as MediaWiki writes it, with 31 digits to the base of 36
}

// StoredFiles lists the files of a wiki, each once: files with equal content that were deleted
// share one. Earlier versions whose content is hidden are left out.
func (s *Server) StoredFiles(ctx context.Context, database string) ([]StoredFile, error) {
	in := Quote(database) + "."
	rows, err := s.db.QueryContext(ctx, `SELECT img_name, '', '', img_size, img_sha1 FROM `+in+`image
		UNION SELECT oi_name, oi_archive_name, '', oi_size, oi_sha1 FROM `+in+`oldimage WHERE oi_archive_name <> '' AND oi_deleted & 1 = 0
		UNION SELECT '', '', fa_storage_key, IFNULL(fa_size, 0), fa_sha1 FROM `+in+`filearchive WHERE fa_storage_key <> ''`)
	if err != nil {
		return nil, fmt.Errorf("list the uploads of %q: %w", database, err)
	}
	return Records(rows, func(f *StoredFile) []any { return []any{&f.Name, &f.Archive, &f.Key, &f.Size, &f.SHA1} })
}
