package ahead

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"wikictl/cmd/testbed/needs"
)

func has(names ...string) map[string]bool {
	all := map[string]bool{}
	for _, n := range names {
		all[n] = true
	}
	return all
}

var of139 = []string{"revision_comment_temp.revcomment_rev", "revision.rev_comment_id", "externallinks.el_to", "pagelinks.pl_title", "linktarget.lt_id"}

// For applies those patches of the real tree that it knows, each as one statement, and only
// where they were not applied yet.
func TestForTheRealTree(t *testing.T) {
	tree := filepath.Join(needs.Codebases(t), "1.43")
	for _, c := range []struct {
		name, version string
		has           map[string]bool
		want          map[string]string // by table: the parts of its ALTER TABLE
	}{
		{"1.39 to 1.43", "1.43.9", has(of139...), map[string]string{
			"revision_comment_temp": "",
			"externallinks":         "DROP INDEX el_from; ADD el_to_domain_index VARBINARY(255) DEFAULT '' NOT NULL, ADD el_to_path BLOB DEFAULT NULL; ADD INDEX el_to_domain_index_to_path ( el_to_domain_index, el_to_path(60) ); ADD INDEX el_from (el_from)",
			"pagelinks":             "ADD pl_target_id BIGINT UNSIGNED DEFAULT NULL; ADD INDEX pl_target_id (pl_target_id, pl_from); ADD INDEX pl_backlinks_namespace_target_id ( pl_from_namespace, pl_target_id, pl_from )",
		}},
		{"columns in place", "1.43.9", has(append(of139, "externallinks.el_to_path", "pagelinks.pl_target_id")...), map[string]string{"revision_comment_temp": "", "externallinks": "", "pagelinks": ""}},
		{"no linktarget yet", "1.43.9", has("pagelinks.pl_title"), map[string]string{}},
		{"to 1.41", "1.41.0", has(of139...), map[string]string{"revision_comment_temp": "", "externallinks": "DROP INDEX el_from; ADD el_to_domain_index VARBINARY(255) DEFAULT '' NOT NULL, ADD el_to_path BLOB DEFAULT NULL; ADD INDEX el_to_domain_index_to_path ( el_to_domain_index, el_to_path(60) ); ADD INDEX el_from (el_from)"}},
		{"within 1.39", "1.39.17", has(of139...), map[string]string{}},
	} {
		list, why := For(c.version, tree, c.has)
		got := map[string]string{}
		for _, change := range list {
			got[change.Table] = strings.Join(change.Specs, "; ")
			if (change.Fill == nil) == (change.Script == "") {
				t.Errorf("%s: %s moves its data by %+v", c.name, change.Table, change)
			}
		}
		if d := cmp.Diff(c.want, got); d != "" || len(why) > 0 {
			t.Errorf("%s: %v %s", c.name, why, d)
		}
	}
}

// A patch that does more than add is left to the updater, and said.
func TestRefusedPatches(t *testing.T) {
	for _, text := range []string{
		"ALTER TABLE /*_*/pagelinks DROP pl_title;", "ALTER TABLE /*_*/pagelinks ADD a INT, DROP b;", "ALTER TABLE /*_*/pagelinks CHANGE a a INT;",
		"UPDATE /*_*/pagelinks SET a = 1;", "ALTER TABLE /*_*/page ADD a INT;", "CREATE UNIQUE INDEX a ON /*_*/pagelinks (a);", "ALTER TABLE /*_*/pagelinks ADD PRIMARY KEY (a), ENGINE=InnoDB;",
	} {
		tree := t.TempDir()
		if err := os.MkdirAll(filepath.Join(tree, "maintenance/archives"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(tree, "maintenance/archives/patch-pagelinks-target_id.sql"), []byte("-- x\n"+text+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		list, why := For("1.43.9", tree, has("pagelinks.pl_title", "linktarget.lt_id"))
		if len(list) > 0 || why["pagelinks"] == nil {
			t.Errorf("%s: %+v %v", text, list, why)
		}
	}
}

func TestUnfinished(t *testing.T) {
	if d := cmp.Diff([]string{"MigrateRevisionCommentTemp", "MigrateExternallinks", "MigrateLinksTablepagelinks"}, Unfinished(has(of139...))); d != "" {
		t.Error(d)
	}
	if keys := Unfinished(has("pagelinks.pl_target_id", "linktarget.lt_id")); len(keys) > 0 {
		t.Errorf("of a database that is done: %v", keys)
	}
}
