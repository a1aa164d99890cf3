package definitions

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wikictl/tenants"
)

const someSum = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

// A source is complete, safe and of one kind, or is refused with its place.
func TestSourcesRefused(t *testing.T) {
	cases := []struct{ name, own, problem string }{
		{"no version", `git = "https://example.org/Foo"`, `extensions.Foo.version: is missing`},
		{"both", "git = \"https://example.org/Foo\"\nversion = \"a\"\narchive = \"b.zip\"", `extensions.Foo.git: there is an archive, too`},
		{"a path, too", "path = \"own\"\ngit = \"https://example.org/Foo\"\nversion = \"a\"", `extensions.Foo.path: the extension has a path and a source to fetch it from`},
		{"no sum", `archive = "foo.zip"`, `extensions.Foo.sha256: is missing`},
		{"a short sum", "archive = \"foo.zip\"\nsha256 = \"abc\"", `"abc" is not a SHA-256`},
		{"a version of an archive", "archive = \"foo.zip\"\nsha256 = \"" + someSum + "\"\nversion = \"1\"", `extensions.Foo.version: belongs to a repository`},
		{"a sum of a repository", "git = \"https://example.org/Foo\"\nversion = \"1\"\nsha256 = \"" + someSum + "\"", `extensions.Foo.sha256: belongs to an archive`},
		{"a program", "git = \"ext::sh -c id\"\nversion = \"a\"", `can't be fetched`},
		{"an option as address", "git = \"--upload-pack=id\"\nversion = \"a\"", ``}, // a file of that name below the farm
		{"an option as host", "git = \"ssh://-oProxyCommand=id/x\"\nversion = \"a\"", `names no host`},
		{"an option as version", "git = \"https://example.org/Foo\"\nversion = \"--all\"", `"--all" is not a name of a branch`},
		{"a range as version", "git = \"https://example.org/Foo\"\nversion = \"a..b\"", `"a..b" is not a name of a branch`},
		{"a password", "git = \"https://me:secret@example.org/Foo\"\nversion = \"a\"", `extensions.Foo.git: holds a password`},
		{"another scheme", "archive = \"ftp://example.org/a.zip\"\nsha256 = \"" + someSum + "\"", `it has another scheme`},
		{"no codebase of that name", "git = \"https://example.org/Foo\"\nversion = \"a\"\n[extensions.Foo.codebases.\"1.99\"]\nversion = \"b\"", `there is no codebase "1.99"`},
		{"a version alone", "[extensions.Foo.codebases.\"1.43\"]\nversion = \"b\"", `extensions.Foo.codebases.1.43.git: is missing`},
		{"nothing", "composer = false", `extensions.Foo.path: is missing`},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			files := tenant("")
			files["classes/c.toml"] = "sitename = \"C\"\n"
			files["wikictl.toml"] = strings.Replace(farmToml, "[servers", "[extensions.Foo]\n"+tc.own+"\n[servers", 1)
			_, err := Load(writeFarm(t, files))
			if problems := errorText(err); tc.problem == "" && err != nil || !strings.Contains(problems, tc.problem) || strings.Contains(problems, "secret") {
				t.Errorf("it says %s\nwant %s", problems, tc.problem)
			}
		})
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// Only what the lock file has of exactly that source is loaded, for each codebase; a tenant
// that needs another is blocked with the command to type.
func TestSourcesByLock(t *testing.T) {
	files := tenant("extensions = [\"Foo\", \"Foo/Part\"]\nskins = [\"Vector\", \"Bar\"]\n")
	files["tenants/y.toml"] = "name = \"y\"\nhosts = [\"y.example.org\"]\nsitename = \"Y\"\n"
	files["classes/c.toml"] = "sitename = \"C\"\n"
	files["wikictl.toml"] = strings.Replace(farmToml, "[servers", `[extensions.Foo]
git = "repos/Foo"
version = "master"
[extensions.Foo.codebases."1.43"]
version = "REL1_43"
[skins.Bar]
archive = "bar.zip"
sha256 = "`+someSum+`"
[servers`, 1)
	dir := writeFarm(t, files)
	f, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	x := f.Tenant("x")
	problems := errorText(x.Faults)
	for _, part := range []string{`the extension "Foo" of MediaWiki 1.43`, "it is not fetched yet from " + dir + "/repos/Foo REL1_43 (wikictl extensions fetch Foo)", "(wikictl extensions fetch Bar)"} {
		if !strings.Contains(problems, part) {
			t.Errorf("%s lacks %s", problems, part)
		}
	}
	if f.Tenant("y").Blocked() {
		t.Errorf("the other tenant is blocked: %v", f.Tenant("y").Faults)
	}
	locked := []tenants.Locked{
		{Kind: "extension", Name: "Foo", Git: dir + "/repos/Foo", Version: "REL1_43", Commit: strings.Repeat("a", 40), Tree: someSum},
		{Kind: "extension", Name: "Foo", Git: dir + "/repos/Foo", Version: "REL1_39", Commit: strings.Repeat("b", 40), Tree: someSum},
		{Kind: "skin", Name: "Bar", Archive: dir + "/bar.zip", SHA256: someSum, Tree: strings.Repeat("c", 64)},
	}
	text, err := FormatLock(dir, locked)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "git = 'repos/Foo'") {
		t.Errorf("the lock file names this machine's folders:\n%s", text)
	}
	write(t, filepath.Join(dir, "wikictl.lock"), string(text))
	write(t, filepath.Join(f.Layout().Component(locked[0]), "extension.json"), `{"version": "2"}`)
	write(t, filepath.Join(f.Layout().Component(locked[0]), "Part", "extension.json"), `{}`)
	write(t, filepath.Join(f.Layout().Component(locked[2]), "skin.json"), `{"ValidSkinNames": {"bar": "Bar"}}`)
	if f, err = Load(dir); err != nil {
		t.Fatal(err)
	}
	x = f.Tenant("x")
	if part := x.Codebase.Extensions["Foo/Part"]; x.Blocked() || part == nil || part.Manifest != f.Layout().Component(locked[0])+"/Part/extension.json" {
		t.Errorf("%v, %+v", x.Faults, part)
	}
	if err := os.RemoveAll(f.Layout().Component(locked[2])); err != nil {
		t.Fatal(err)
	}
	f, _ = Load(dir)
	if problems := errorText(f.Tenant("x").Faults); !strings.Contains(problems, "(wikictl extensions fetch Bar)") || strings.Contains(problems, "Foo") {
		t.Errorf("without its folder: %s", problems)
	}
}

// A lock file that can't be read is named with the places of all its mistakes, and nothing is said
// of components that it may have.
func TestLockRefused(t *testing.T) {
	entry := "[[fetched]]\nkind = \"extension\"\nname = \"Foo\"\narchive = \"foo.zip\"\nsha256 = \"" + someSum + "\"\ntree = \"" + someSum + "\"\n"
	for name, c := range map[string]struct {
		lock string
		want []string
	}{
		"no TOML":         {"what\n", []string{"wikictl.lock:1:5: is not a lock file of this version: toml: expected '=' after key (bring it back from git"}},
		"an unknown key":  {"[[fetched]]\nnew = 1\n", []string{"wikictl.lock:2:1: is not a lock file of this version: "}},
		"both sides":      {entry + "<<<<<<< HEAD\n" + entry + "=======\n" + entry + ">>>>>>> other\n", []string{"wikictl.lock:7:1: has both sides of a merge (keep the entries of one side"}},
		"twice":           {entry + entry, []string{"wikictl.lock:7:3: the extension Foo has another entry of the same source"}},
		"several entries": {strings.Replace(entry, "Foo", "../x", 1) + strings.Replace(entry, "tree", "vendor", 1), []string{`wikictl.lock:1:3: the name "../x" can't be one`, "wikictl.lock:7:3: the entry of Foo has no SHA-256"}},
	} {
		t.Run(name, func(t *testing.T) {
			files := tenant("extensions = [\"Foo\", \"Foo/Part\"]\n")
			files["classes/c.toml"] = "sitename = \"C\"\n"
			files["wikictl.lock"] = c.lock
			files["wikictl.toml"] = strings.Replace(farmToml, "[servers", "[extensions.Foo]\narchive = \"foo.zip\"\nsha256 = \""+someSum+"\"\n[servers", 1)
			_, err := Load(writeFarm(t, files))
			text := errorText(err)
			for _, want := range c.want {
				if !strings.Contains(text, want) {
					t.Errorf("no %s in\n%s", want, text)
				}
			}
			if lines := strings.Count(text, "\n") + 1; lines != len(c.want) {
				t.Errorf("%d problems:\n%s", lines, text)
			}
		})
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
