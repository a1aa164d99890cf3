package mediawiki

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"wikictl/cmd/testbed/needs"
	"wikictl/tenants"
)

// tree is a folder with files, by name.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	needs.Files(t, dir, files)
	return dir
}

func TestUnmade(t *testing.T) {
	create := func(tables ...string) string {
		return "CREATE TABLE /*_*/" + strings.Join(tables, " (id INT);\nCREATE TABLE /*_*/") + " (id INT);\n"
	}
	old := tree(t, map[string]string{"maintenance/tables-generated.sql": create("page", "sites", "ipblocks", "linktarget")})
	path := tree(t, map[string]string{
		"sql/mysql/tables-generated.sql":      create("page", "sites", "block", "linktarget"),
		"includes/Installer/MysqlUpdater.php": "[ 'addTable', 'linktarget', 'patch-linktarget.sql' ],\n[ 'addTable',  'block_target', 'patch-block_target.sql' ],",
	})
	for _, tc := range []struct {
		name string
		has  string
		want []string
	}{
		{"all are there", "page sites ipblocks linktarget", nil},
		{"one that update.php makes", "page sites ipblocks", nil},
		{"one that it drops", "page sites linktarget", nil},
		{"one that it takes for granted", "page ipblocks linktarget", []string{"sites"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			has := strings.Fields(tc.has)
			got, err := Unmade(old, path, func(table string) bool { return strings.Contains(" "+strings.Join(has, " ")+" ", " "+table+" ") })
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" && len(got)+len(tc.want) > 0 {
				t.Error(diff)
			}
		})
	}
	problem := UnmadeProblem([]string{"sites"}, &tenants.Codebase{Path: path})
	if !strings.Contains(problem, "no table sites") || !strings.Contains(problem, "sql/mysql/tables-generated.sql") {
		t.Error(problem)
	}
}
