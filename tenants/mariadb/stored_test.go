package mariadb

import (
	"slices"
	"strings"
	"testing"

	"wikictl/tenants/mediawiki"
)

// A file that several deleted uploads share is listed once.
func TestStoredFilesAreDistinct(t *testing.T) {
	database(t, "stored")
	for _, query := range []string{
		"CREATE TABLE stored.image (img_name VARBINARY(255), img_size INT, img_sha1 VARBINARY(32))",
		"CREATE TABLE stored.oldimage (oi_name VARBINARY(255), oi_archive_name VARBINARY(255), oi_size INT, oi_sha1 VARBINARY(32), oi_deleted INT)",
		"CREATE TABLE stored.filearchive (fa_storage_key VARBINARY(64), fa_size INT, fa_sha1 VARBINARY(32))",
		"INSERT INTO stored.image VALUES ('A.png', 1, 'a'), ('C.png', 1, 'a')",
		"INSERT INTO stored.oldimage VALUES ('A.png', '2026!A.png', 2, 'b', 0), ('A.png', '2025!A.png', 2, 'b', 1), ('B.png', '', 2, 'b', 0)",
		"INSERT INTO stored.filearchive VALUES ('c.png', 3, 'c'), ('c.png', 3, 'c'), ('', 3, 'd')",
	} {
		must(t, exec1(t, shared, query))
	}
	found, err := shared.StoredFiles(t.Context(), "stored")
	must(t, err)
	slices.SortFunc(found, func(a, b mediawiki.StoredFile) int { return strings.Compare(a.SHA1+a.Name, b.SHA1+b.Name) })
	want := []mediawiki.StoredFile{{Name: "A.png", Size: 1, SHA1: "a"}, {Name: "C.png", Size: 1, SHA1: "a"}, {Name: "A.png", Archive: "2026!A.png", Size: 2, SHA1: "b"}, {Key: "c.png", Size: 3, SHA1: "c"}}
	if !slices.Equal(found, want) {
		t.Errorf("%+v, want %+v", found, want)
	}
	var some []string
	must(t, shared.EachStoredFile(t.Context(), "stored", 1, func(f mediawiki.StoredFile) { some = append(some, f.SHA1) }))
	if slices.Sort(some); len(some) != 3 {
		t.Errorf("one of each kind is %v", some)
	}
}
