package cmd_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"wikictl/cmd/wikictl/manual"
)

// The page on architecture names only files and folders that exist.
func TestArchitectureNamesExistingFiles(t *testing.T) {
	page, found := manual.Find("architecture")
	if !found {
		t.Fatal("there is no page on architecture")
	}
	named := map[string]bool{}
	for _, m := range regexp.MustCompile("`((?:cmd|tenants|templates|php|migrations)(?:/[\\w.-]+)*)`").FindAllStringSubmatch(page.Text, -1) {
		named[m[1]] = true
		if _, err := os.Stat(filepath.Join("..", m[1])); err != nil {
			t.Errorf("the page names %s: %v", m[1], err)
		}
	}
	if len(named) < 30 {
		t.Errorf("the page names %d files and folders", len(named))
	}
}
