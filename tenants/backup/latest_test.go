package backup

import (
	"os"
	"path/filepath"
	"testing"
)

// The latest backup is the last that is whole: with a dump and a description.
func TestLatest(t *testing.T) {
	dir := t.TempDir()
	want := func(file string) {
		t.Helper()
		got, err := Latest(dir)
		if err != nil {
			t.Fatal(err)
		}
		if name := filepath.Base(file); file != "" && (got == nil || filepath.Base(got.File) != name) || file == "" && got != nil {
			t.Errorf("got %+v, want %q", got, file)
		}
	}
	write := func(names ...string) {
		t.Helper()
		for _, name := range names {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(`{"database":"wiki_a","charset":"utf8mb4","collation":"utf8mb4_bin"}`), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	want("")
	write("20260101-a.sql.zst", "20260101-a.json")
	want("20260101-a.sql.zst")
	write("20260201-b.dump", "20260201-b.json")
	want("20260201-b.dump")
	write("20260301-c.sql.zst", "20260401-d.json", "20260501-e.sql.zst.half", "20260501-e.json")
	want("20260201-b.dump")
	dir = filepath.Join(dir, "not there")
	want("")
	dir = filepath.Join(filepath.Dir(dir), "20260101-a.json")
	if _, err := Latest(dir); err == nil {
		t.Error("a file is taken for a folder without backups")
	}
}
