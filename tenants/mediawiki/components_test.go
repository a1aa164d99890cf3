package mediawiki

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"wikictl/cmd/testbed/needs"
	"wikictl/tenants"
)

// write writes files below a folder, with the folders they need.
func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	needs.Files(t, dir, files)
}

// ownTree is a small MediaWiki with extensions in all the shapes that real ones have.
func ownTree(t *testing.T) (tree, elsewhere string) {
	t.Helper()
	tree, elsewhere = t.TempDir(), t.TempDir()
	write(t, tree, map[string]string{
		"includes/Defines.php":                            "<?php\ndefine( 'MW_VERSION', '1.43.9' );\n",
		"extensions/README":                               "not one",
		"extensions/Confirm/extension.json":               `{"version": "1"}`,
		"extensions/Confirm/Questy/extension.json":        `{"version": "2", "namespaces": [{"id": 828, "constant": "NS_MODULE", "name": "Module"}]}`,
		"extensions/Confirm/i18n/extension.json":          `{}`,
		"extensions/Twin/extension-client.json":           `{"version": "3"}`,
		"extensions/Twin/extension-repo.json":             `{"requires": `,
		"extensions/Twin/sql/tables.sql":                  "CREATE TABLE twin (a int);",
		"skins/Aa/skin.json":                              `{}`,
		"skins/Bb/skin.json":                              `{}`,
		"extensions/Odd/extension.json/this is no file/x": "",
	})
	write(t, elsewhere, map[string]string{"Linked/extension.json": `{}`, "Linked/src/Hooks.php": "<?php", "more/sql/a.sql": "CREATE TABLE a (b int);"})
	for from, to := range map[string]string{
		"extensions/Linked": elsewhere + "/Linked", "extensions/Confirm/more": elsewhere + "/more", "extensions/Confirm/self": tree + "/extensions/Confirm",
	} {
		if err := os.Symlink(to, filepath.Join(tree, from)); err != nil {
			t.Fatal(err)
		}
	}
	return tree, elsewhere
}

// Parts, manifests of other names and linked folders are found; what can't be read is
// the component's fault.
func TestComponents(t *testing.T) {
	tree, _ := ownTree(t)
	c, err := Open("own", tree)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"Confirm", "Confirm/Questy", "Confirm/self", "Linked", "Odd", "Twin:client", "Twin:repo"}
	if names := slices.Sorted(maps.Keys(c.Extensions)); !slices.Equal(names, want) {
		t.Errorf("found %q, want %q", names, want)
	}
	if q := c.Extensions["Confirm/Questy"]; q.Parent != "Confirm" || q.Manifest != "" || q.Declared().Namespaces[0].Constant != "NS_MODULE" || q.Declared().Version != "2" {
		t.Errorf("%+v", q)
	}
	if twin := c.Extensions["Twin:client"]; twin.Manifest != "Twin/extension-client.json" || twin.Declared().Version != "3" || twin.Parent != "" {
		t.Errorf("%+v", twin)
	}
	for _, name := range []string{"Twin:repo", "Odd"} {
		if c.Extensions[name].Declared().Fault == "" {
			t.Errorf("%s can be used: %+v", name, c.Extensions[name])
		}
	}
	if others := Others("Twin", c.Extensions); !slices.Equal(others, []string{"Twin:client", "Twin:repo"}) {
		t.Errorf("of Twin: %q", others)
	}
	if DefaultSkin(c) != "Aa" {
		t.Errorf("the default skin is %q", DefaultSkin(c))
	}
}

// A change of what decides about tables is seen through links, and in the own manifest
// only; a circle of links ends.
func TestFingerprintThroughLinks(t *testing.T) {
	tree, elsewhere := ownTree(t)
	prints := func() map[string]string {
		c, err := Open("own", tree)
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]string{}
		for name, e := range c.Extensions {
			found[name] = e.Fingerprint()
		}
		return found
	}
	before := prints()
	for _, change := range []struct{ file, changed string }{
		{elsewhere + "/Linked/src/Hooks.php", "Linked"},
		{elsewhere + "/more/sql/a.sql", "Confirm Confirm/self"},
		{tree + "/extensions/Twin/extension-client.json", "Twin:client"},
		{tree + "/extensions/Twin/sql/tables.sql", "Twin:client Twin:repo"},
	} {
		if err := os.WriteFile(change.file, []byte("changed"), 0o644); err != nil {
			t.Fatal(err)
		}
		var changed []string
		after := prints()
		for _, name := range slices.Sorted(maps.Keys(after)) {
			if after[name] != before[name] {
				changed = append(changed, name)
			}
		}
		if before = after; strings.Join(changed, " ") != change.changed {
			t.Errorf("%s: changed %q, want %s", change.file, changed, change.changed)
		}
	}
}

// An extension outside of the tree is named by its folder or by its manifest.
func TestOutside(t *testing.T) {
	_, elsewhere := ownTree(t)
	for _, path := range []string{elsewhere + "/Linked", elsewhere + "/Linked/", elsewhere + "/Linked/extension.json"} {
		found, err := Outside("extension", "Mine", path)
		if c := found["Mine"]; err != nil || c.Name != "Mine" || c.Manifest != elsewhere+"/Linked/extension.json" || c.Path != elsewhere+"/Linked" {
			t.Errorf("%s: %+v, %v", path, c, err)
		}
	}
	if _, err := Outside("extension", "Mine", elsewhere+"/more"); err == nil || err.Error() != elsewhere+"/more/extension.json is missing" {
		t.Error(err)
	}
}

func TestParentsFirst(t *testing.T) {
	have := map[string]*tenants.Component{"A": {}, "A/b": {Parent: "A"}, "C": {}, "D/e": {Parent: "D"}}
	for list, want := range map[string]string{"C A/b A": "C A A/b", "A A/b C": "A A/b C", "D/e C": "D/e C", "X A/b C A": "X A A/b C"} {
		if got := strings.Join(ParentsFirst(strings.Fields(list), have), " "); got != want {
			t.Errorf("%s: %s, want %s", list, got, want)
		}
	}
}

// What became part of MediaWiki is in no tree since, and is said for those only.
func TestMoved(t *testing.T) {
	for _, version := range []string{"1.39", "1.43"} {
		c, err := Open(version, filepath.Join(needs.Codebases(t), version))
		if err != nil {
			t.Fatal(err)
		}
		for name, m := range moves {
			gone := CompareVersions(c.Version, m.Since) >= 0
			if why, _ := MovedProblem(name, c.Version); (why != "") != gone {
				t.Errorf("%s on %s: %q", name, version, why)
			}
			if gone && (c.Extensions[name] != nil || m.To != "" && c.Extensions[m.To] == nil && c.Skins[m.To] == nil) {
				t.Errorf("%s is in %s, or %q is not", name, version, m.To)
			}
		}
		if DefaultSkin(c) != "Vector" {
			t.Errorf("the default skin of %s is %q", version, DefaultSkin(c))
		}
	}
	if why, hint := MovedProblem("Interwiki", "1.46.0"); why != "Interwiki is part of MediaWiki since 1.44" || hint != "remove it" {
		t.Error(why, hint)
	}
}
