package mariadb

import (
	"slices"
	"strings"
	"testing"
)

// A file that several deleted uploads share is listed once.
func TestStoredFilesAreDistinct(t *testing.T) {
	database(t, "stored")
	for _, query := range []string{
		"CREATE TABLE stored.image (img_name VARBINARY(255), img_size INT, img_sha1 VARBINARY(32))",
		"CREATE TABLE stored.oldimage (oi_name VARBINARY(255), oi_archive_name VARBINARY(255), oi_size INT, oi_sha1 VARBINARY(32), oi_deleted INT)",
		"CREATE TABLE stored.filearchive (fa_storage_key VARBINARY(64), fa_size INT, fa_sha1 VARBINARY(32))",
		"INSERT INTO stored.image VALUES ('A.png', 1, 'a')",
		"INSERT INTO stored.oldimage VALUES ('A.png', '2026!A.png', 2, 'b', 0), ('A.png', '2025!A.png', 2, 'b', 1), ('B.png', '', 2, 'b', 0)",
		"INSERT INTO stored.filearchive VALUES ('c.png', 3, 'c'), ('c.png', 3, 'c'), ('', 3, 'd')",
	} {
		must(t, exec1(t, shared, query))
	}
	found, err := shared.StoredFiles(t.Context(), "stored")
	must(t, err)
	slices.SortFunc(found, func(a, b StoredFile) int { return strings.Compare(a.SHA1, b.SHA1) })
	want := []StoredFile{{"A.png", "", "", 1, "a"}, {"A.png", "2026!A.png", "", 2, "b"}, {"", "", "c.png", 3, "c"}}
	if !slices.Equal(found, want) {
		t.Errorf("%+v, want %+v", found, want)
	}
}
