package mariadb

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// All files of a table count for it, those of partitions too, and unfinished changes for none.
func TestTableFiles(t *testing.T) {
	dir := t.TempDir()
	for name, blocks := range map[string]int{"page.ibd": 3, "page.frm": 1, "old@002dtext.MYD": 2, "old@002dtext.MYI": 1, "log#P#p0.ibd": 2, "log#P#p1.ibd": 2, "#sql-alter-1-2.ibd": 9, "db.opt": 0} {
		if err := os.WriteFile(filepath.Join(dir, name), make([]byte, blocks<<20), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := tableFiles(dir)
	if err != nil {
		t.Fatal(err)
	}
	for name := range got {
		got[name] >>= 20
	}
	if d := cmp.Diff(map[string]int64{"page": 4, "old-text": 3, "log": 4, "db": 0}, got); d != "" {
		t.Error(d)
	}
	if got, err := tableFiles(filepath.Join(dir, "none")); err != nil || len(got) > 0 {
		t.Errorf("no database: %v, %v", got, err)
	}
}
