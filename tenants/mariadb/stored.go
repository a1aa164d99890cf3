package mariadb

import (
	"context"
	"fmt"
	"math"

	"wikictl/tenants/mediawiki"
)

// StoredFiles lists the files of a wiki, each once: files with equal content that were deleted
// share one. Earlier versions whose content is hidden are left out.
func (s *Server) StoredFiles(ctx context.Context, database string) (all []mediawiki.StoredFile, err error) {
	err = s.EachStoredFile(ctx, database, math.MaxInt64, func(f mediawiki.StoredFile) { all = append(all, f) })
	return all, err
}

// EachStoredFile calls a function for each of StoredFiles, or for that many uploads, earlier
// versions and deleted files each.
func (s *Server) EachStoredFile(ctx context.Context, database string, most int64, do func(mediawiki.StoredFile)) error {
	in, limit := Quote(database)+".", fmt.Sprint(" LIMIT ", most)
	rows, err := s.db.QueryContext(ctx, `(SELECT img_name, '', '', img_size, img_sha1 FROM `+in+`image`+limit+`)
		UNION ALL (SELECT DISTINCT oi_name, oi_archive_name, '', oi_size, oi_sha1 FROM `+in+`oldimage WHERE oi_archive_name <> '' AND oi_deleted & 1 = 0`+limit+`)
		UNION ALL (SELECT DISTINCT '', '', fa_storage_key, IFNULL(fa_size, 0), fa_sha1 FROM `+in+`filearchive WHERE fa_storage_key <> ''`+limit+`)`)
	if err != nil {
		return fmt.Errorf("list the uploads of %q: %w", database, err)
	}
	defer rows.Close()
	for rows.Next() {
		var f mediawiki.StoredFile
		if err := rows.Scan(&f.Name, &f.Archive, &f.Key, &f.Size, &f.SHA1); err != nil {
			return err
		}
		do(f)
	}
	return rows.Err()
}
