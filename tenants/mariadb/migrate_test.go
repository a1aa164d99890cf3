package mariadb

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"wikictl/migrations"
)

// The farm's SQL is applied once; a file that was changed, or that did not come to its
// end, is an error; wikictl's own files are begun anew instead.
func TestMigrate(t *testing.T) {
	database(t, "migrated")
	files := fstest.MapFS{
		"001.sql": {Data: []byte("CREATE TABLE a (id INT);\nINSERT INTO a VALUES (1);\n")},
		"002.sql": {Data: []byte("INSERT INTO a VALUES (2);\nINSERT INTO nowhere VALUES (3);\n")},
		"003.txt": {Data: []byte("no SQL")},
	}
	rows := func() int {
		t.Helper()
		var n int
		must(t, shared.db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM migrated.a").Scan(&n))
		return n
	}
	done, err := shared.Migrate(t.Context(), "migrated", files)
	if err == nil || !slices.Equal(done, []string{"001.sql"}) || rows() != 2 {
		t.Fatalf("a statement that fails: %v, %v", done, err)
	}
	files["002.sql"] = &fstest.MapFile{Data: []byte("INSERT INTO a VALUES (2);\n")}
	if done, err = shared.Migrate(t.Context(), "migrated", files); !errors.Is(err, migrations.ErrHalf) || len(done) > 0 || rows() != 2 {
		t.Errorf("a file that was begun: %v, %v", done, err)
	}
	conn, err := shared.Dedicated(t.Context(), "migrated", false)
	must(t, err)
	defer conn.Close()
	if done, err = migrations.Apply(t.Context(), conn.Conn, files, true); err != nil || !slices.Equal(done, []string{"002.sql"}) || rows() != 3 {
		t.Errorf("begun anew: %v, %v", done, err)
	}
	if done, err = shared.Migrate(t.Context(), "migrated", files); err != nil || len(done) > 0 || rows() != 3 {
		t.Errorf("again: %v, %v", done, err)
	}
	files["001.sql"] = &fstest.MapFile{Data: []byte("SELECT 1")}
	files["004.sql"] = &fstest.MapFile{Data: []byte("INSERT INTO a VALUES (4)")}
	if done, err = shared.Migrate(t.Context(), "migrated", files); !errors.Is(err, migrations.ErrChanged) || rows() != 3 {
		t.Errorf("a file that was changed: %v, %v", done, err)
	}
}

// Since counts the edits, uploads, accounts and log entries since a time, and names the uploads.
func TestSince(t *testing.T) {
	database(t, "counted")
	for _, s := range []string{
		"CREATE TABLE counted.revision (rev_timestamp BINARY(14))", "CREATE TABLE counted.image (img_name VARBINARY(255), img_timestamp BINARY(14))",
		"CREATE TABLE counted.user (user_registration BINARY(14))", "CREATE TABLE counted.logging (log_timestamp BINARY(14))",
		"INSERT INTO counted.revision VALUES ('20260101000000'), ('20260601000000'), ('20260601000001')",
		"INSERT INTO counted.image VALUES ('Old.png', '20260101000000'), ('A.png', '20260601000000'), ('B.png', '20260602000000')",
		"INSERT INTO counted.user VALUES (NULL), ('20260601000000')",
	} {
		must(t, exec1(t, shared, s))
	}
	got, err := shared.Since(t.Context(), "counted", time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC))
	if err != nil || got.String() != "2 edits, 2 uploads, 1 account, no log entries" || !slices.Equal(got.Files, []string{"B.png", "A.png"}) {
		t.Errorf("%v: %s %v", err, got, got.Files)
	}
	if more := (Lost{Edits: 2, Uploads: 2, Accounts: 2}); !more.Beyond(got) || got.Beyond(more) || got.Beyond(got) {
		t.Error("more is not told from less")
	}
	if got, err := shared.Since(t.Context(), "counted", time.Now().Add(time.Hour)); err == nil || !strings.Contains(err.Error(), "a clock was ahead") {
		t.Errorf("since a time in the future: %s, %v", got, err)
	}
}
