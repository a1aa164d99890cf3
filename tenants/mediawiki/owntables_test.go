package mediawiki

import (
	"path/filepath"
	"slices"
	"testing"

	"wikictl/cmd/testbed/needs"
)

// An extension's tables and content models are read from its SQL for MySQL and its manifest.
func TestOwnTablesAndModels(t *testing.T) {
	for _, version := range []string{"1.39", "1.43"} {
		c, err := Open(version, filepath.Join(needs.Codebases(t), version))
		if err != nil {
			t.Fatal(err)
		}
		tables := OwnTables(c.Extensions["AbuseFilter"])
		for _, name := range []string{"abuse_filter", "abuse_filter_log", "abuse_filter_history", "abuse_filter_action"} {
			if !slices.Contains(tables, name) {
				t.Errorf("%s: %s is not in %v", version, name, tables)
			}
		}
		if models := c.Extensions["Scribunto"].Declared().Models; !slices.Equal(models, []string{"Scribunto"}) || len(c.Extensions["Cite"].Declared().Models) > 0 {
			t.Errorf("%s: the models are %v", version, models)
		}
	}
}
