package backup

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestList(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"b.sql.zst", "b.json", "a.dump", "a.json", "alone.sql.zst", "empty.json", "c.sql.zst.half", "README"} {
		if err := os.WriteFile(path(name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := List(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := Listing{
		Dumps: []string{path("b.sql.zst"), path("a.dump")}, Undescribed: []string{path("alone.sql.zst")},
		Dumpless: []string{path("empty.json")}, Half: []string{path("c.sql.zst.half")},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got, err := List(path("nowhere")); err != nil || len(got.Dumps) > 0 {
		t.Errorf("a folder that is not there: %v %+v", err, got)
	}
}

// A description can't bring other statements into a restore, nor the server's own
// databases.
func TestDescriptionIsChecked(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a"+OwnDump)
	for name, change := range map[string]func(*Dump){
		"good":      func(*Dump) {},
		"charset":   func(b *Dump) { b.Charset = "utf8mb4; DROP DATABASE x" },
		"collation": func(b *Dump) { b.Collation = "utf8mb4_bin COMMENT 'x'" },
		"empty":     func(b *Dump) { b.Charset = "" },
		"own":       func(b *Dump) { b.Database = "mysql" },
		"none":      func(b *Dump) { b.Database = "" },
		"view":      func(b *Dump) { b.Broken = map[string]string{"v": "DROP DATABASE x"} },
	} {
		b := &Dump{Database: "wiki_a", Charset: "utf8mb4", Collation: "utf8mb4_bin", File: file}
		change(b)
		if err := b.DescribeInFile(); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(file); (err == nil) != (name == "good") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
