package mediawiki

import (
	"os"
	"path/filepath"
	"testing"

	"wikictl/tenants"
)

// A codebase works on another's tables if they have the columns that it reads, and no others
// that an INSERT has to name.
func TestSharingFault(t *testing.T) {
	t.Parallel()
	tree := func(version, columns string) *tenants.Codebase {
		path := t.TempDir()
		if err := os.MkdirAll(filepath.Join(path, "maintenance"), 0o755); err != nil {
			t.Fatal(err)
		}
		sql := "CREATE TABLE /*_*/user (\n  user_id INT UNSIGNED AUTO_INCREMENT NOT NULL,\n" + columns + "  INDEX user_name (user_name),\n  PRIMARY KEY(user_id)\n) /*$wgDBTableOptions*/;\n"
		if err := os.WriteFile(filepath.Join(path, "maintenance/tables-generated.sql"), []byte(sql), 0o644); err != nil {
			t.Fatal(err)
		}
		return &tenants.Codebase{Version: version, Path: path}
	}
	old := tree("1.39.1", "  user_name VARBINARY(255) DEFAULT '' NOT NULL,\n")
	for name, c := range map[string]struct {
		made *tenants.Codebase
		want string
	}{
		"same version":   {tree("1.39.17", "  user_other INT NOT NULL,\n"), ""},
		"more":           {tree("1.43.9", "  user_name VARBINARY(255) DEFAULT '' NOT NULL,\n  user_is_temp TINYINT(1) DEFAULT 0 NOT NULL,\n"), ""},
		"less":           {tree("1.43.9", "  user_title VARBINARY(255) DEFAULT '' NOT NULL,\n"), "MediaWiki 1.39.1 reads user.user_name, which MediaWiki 1.43.9 does not have"},
		"more is needed": {tree("1.43.9", "  user_name VARBINARY(255) DEFAULT '' NOT NULL,\n  user_key INT NOT NULL,\n"), "MediaWiki 1.39.1 does not write user.user_key, which MediaWiki 1.43.9 needs"},
		"no table":       {tree("1.43.9", ""), "MediaWiki 1.39.1 reads user.user_name, which MediaWiki 1.43.9 does not have"},
	} {
		if got := SharingFault(old, c.made, []string{"user"}); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
