package templates

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"wikictl/tenants/secrets"
)

// Tenants are alike when only names, addresses and secrets tell them apart.
func TestAlike(t *testing.T) {
	one := func(name, rest string) string {
		return fmt.Sprintf("name = %q\nhosts = [\"%[1]s.example.org\"]\nsitename = \"Wiki of %[1]s\"\n%s", name, rest)
	}
	f := load(t, farmToml, one("a", ""), one("b", "database = \"other\"\n"), one("c", "codebase = \"1.39\"\n"),
		one("d", "server = \"far\"\n"), one("e", "extensions = [\"Cite\"]\n"),
		one("f", "[settings]\nwgLogo = \"/a.png\"\n"), one("g", "[settings]\nwgLogo = \"/g.png\"\n"),
		one("h", "[settings]\nwgFoo = { bar = [{ php = \"1 + 1\" }] }\n"))
	alike := func(s *Set, name string) string {
		tenant := f.Tenant(name)
		text, err := s.Alike(Data{Farm: f, Tenant: tenant, Codebase: tenant.Codebase, Secrets: secrets.Secrets{WebPassword: secrets.Secret(name)}})
		if err != nil {
			t.Fatal(name, err)
		}
		return text
	}
	s := set(t, "")
	if alike(s, "a") == "" || alike(s, "a") != alike(s, "b") {
		t.Errorf("two wikis with the same settings are not alike:\n%s\n%s", alike(s, "a"), alike(s, "b"))
	}
	seen := map[string]string{}
	for _, name := range []string{"a", "c", "d", "e", "f", "g"} {
		text := alike(s, name)
		if other := seen[text]; text == "" || other != "" {
			t.Errorf("%s is like %q:\n%s", name, other, text)
		}
		seen[text] = name
	}
	if text := alike(s, "h"); text != "" {
		t.Errorf("what an expression does for one name is taken for what it does for all:\n%s", text)
	}
	dir := t.TempDir()
	own, err := builtin.ReadFile(LocalSettings)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, LocalSettings), own, 0o644); err != nil {
		t.Fatal(err)
	}
	if text := alike(set(t, dir), "a"); text != "" {
		t.Errorf("what an own template does for one name is taken for what it does for all:\n%s", text)
	}
}
