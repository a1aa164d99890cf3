package mediawiki

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// The names of namespaces are read from PHP lists with comments, quotes and languages of fallback.
func TestNamespaceNames(t *testing.T) {
	tree := t.TempDir()
	dir := filepath.Join(tree, "languages", "messages")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"MessagesAa_bb.php": "<?php\n$fallback = 'cc, aa-bb';\n$namespaceNames = [ // it's 'no name'\n\tNS_USER => 'L\\'un deux', # 'nor this'\n\tNS_PROJECT_TALK => '$1_talk',\n];\n$namespaceGenderAliases = [];\n$other = [ 'x' => 'y' ];\n",
		"MessagesCc.php":    "<?php\n$namespaceAliases = [\n\t\"Bild\" => NS_FILE,\n];\n$namespaceGenderAliases = [\n\tNS_USER => [ 'male' => 'M', 'female' => 'F' ],\n];\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := NamespaceNames(tree, "aa-bb"), []string{"L'un_deux", "Bild", "M", "F"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got := NamespaceNames(tree, "zz"); len(got) != 0 {
		t.Errorf("a language without a file has %q", got)
	}
}
