package mariadb

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestListBackups(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"b.sql.zst", "b.json", "a.dump", "a.json", "alone.sql.zst", "empty.json", "c.sql.zst.half", "README"} {
		if err := os.WriteFile(path(name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := ListBackups(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := Backups{
		Dumps: []string{path("b.sql.zst"), path("a.dump")}, Undescribed: []string{path("alone.sql.zst")},
		Dumpless: []string{path("empty.json")}, Half: []string{path("c.sql.zst.half")},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got, err := ListBackups(path("nowhere")); err != nil || len(got.Dumps) > 0 {
		t.Errorf("a folder that is not there: %v %+v", err, got)
	}
}

// A description can't bring other statements into a restore, nor the server's own
// databases.
func TestDescriptionIsChecked(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a"+ownDump)
	for name, change := range map[string]func(*Backup){
		"good":      func(*Backup) {},
		"charset":   func(b *Backup) { b.Charset = "utf8mb4; DROP DATABASE x" },
		"collation": func(b *Backup) { b.Collation = "utf8mb4_bin COMMENT 'x'" },
		"empty":     func(b *Backup) { b.Charset = "" },
		"own":       func(b *Backup) { b.Database = "mysql" },
		"none":      func(b *Backup) { b.Database = "" },
		"view":      func(b *Backup) { b.Broken = map[string]string{"v": "DROP DATABASE x"} },
	} {
		b := &Backup{Database: "wiki_a", Charset: "utf8mb4", Collation: "utf8mb4_bin", File: file}
		change(b)
		must(t, b.describeInFile())
		if _, err := OpenBackup(file); (err == nil) != (name == "good") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
