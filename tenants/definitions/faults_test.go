package definitions

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"wikictl/cmd/testbed/needs"
)

// overlay makes a tree of links to a MediaWiki tree in which some files are others.
func overlay(t *testing.T, version string, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	link := func(from, to string) {
		if err := os.Symlink(from, to); err != nil {
			t.Fatal(err)
		}
	}
	opened := map[string]bool{}
	for name := range files {
		for at := filepath.Dir(name); at != "."; at = filepath.Dir(at) {
			opened[at] = true
		}
	}
	opened["."] = true
	for folder := range opened {
		from, to := filepath.Join(needs.Codebases(t), version, folder), filepath.Join(dir, folder)
		if err := os.MkdirAll(to, 0o755); err != nil {
			t.Fatal(err)
		}
		entries, _ := os.ReadDir(from)
		for _, e := range entries {
			name := filepath.Join(folder, e.Name())
			if _, own := files[name]; !own && !opened[name] {
				link(filepath.Join(from, e.Name()), filepath.Join(to, e.Name()))
			}
		}
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// A mistake that concerns one tenant is that tenant's fault, with its place, and the others load.
func TestFaultsOfOneTenant(t *testing.T) {
	second := func(lines string) map[string]string {
		return map[string]string{"wikictl.toml": good()["wikictl.toml"] + "[codebases.second]\n" + lines}
	}
	broken := overlay(t, "1.43", map[string]string{"extensions/Poem/extension.json": "{"})
	old := overlay(t, "1.39", map[string]string{"includes/Defines.php": "<?php define( 'MW_VERSION', '1.34.4' );"})
	web := func(lines string) map[string]string {
		return map[string]string{"wikictl.toml": good()["wikictl.toml"] + "[web]\n" + lines}
	}
	certificates := t.TempDir()
	for _, file := range []string{"good.pem", "good.key", "x.key"} {
		if err := os.WriteFile(filepath.Join(certificates, file), []byte("-----BEGIN CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pair := "certificate = \"" + certificates + "/{name}.pem\"\ncertificate_key = \"" + certificates + "/{name}.key\"\n"
	for _, c := range []struct {
		name, x, want string
		files         map[string]string
	}{
		{"no such extension", "extensions = [\"PraserFunctions\"]\n", `x.toml:4:15: extensions: MediaWiki 1.43.* has no extension "PraserFunctions" \(did you mean "ParserFunctions"`, nil},
		{"no such skin", "skins = [\"Vectro\"]\n", `has no skin "Vectro" \(did you mean "Vector"`, nil},
		{"unmet requirement", "extensions = [\"Thanks\"]\n", `Thanks of tenant "x" needs the extension "Echo"`, nil},
		{"no such language", "language = \"xq\"\n", `x.toml:4:1: language: MediaWiki 1.43.* has no language "xq"`, nil},
		{"moved into core", "extensions = [\"Renameuser\"]\n", `x.toml:4:15: extensions: Renameuser is part of MediaWiki since 1.40, .* \(remove it\)`, nil},
		{"broken manifest", "codebase = \"second\"\nextensions = [\"Poem\"]\n", `x.toml:5:15: extensions: the extension "Poem" of MediaWiki 1.43.*: its extension.json can't be used: `, second("path = \"" + broken + "\"\n")},
		{"no MediaWiki", "codebase = \"second\"\n", `wikictl.toml:\d+:\d+: codebases.second.path: /usr is not a MediaWiki`, second("path = \"/usr\"\n")},
		{"no MediaWiki and no skin", "codebase = \"second\"\nunset = [\"skins.Vector\"]\n", `wikictl.toml:\d+:\d+: codebases.second.path: /usr is not a MediaWiki`, second("path = \"/usr\"\n")},
		{"old MediaWiki", "codebase = \"second\"\n", `wikictl.toml:\d+:\d+: codebases.second.path: MediaWiki 1.34.4 is older than .* \(use MediaWiki 1.35 or later\)`, second("path = \"" + old + "\"\n")},
		{"no PHP", "codebase = \"second\"\n", `wikictl.toml:\d+:\d+: codebases.second.php: "/no/php" is not a program that can be run`, second("path = \"CODEBASES/1.43\"\nphp = \"/no/php\"\n")},
		{"no certificate", "", `wikictl.toml:\d+:\d+: web.certificate: .*/x.pem can't be read: no such file or directory`, web(pair)},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := good()
			maps.Copy(files, c.files)
			maps.Copy(files, tenant(c.x))
			f, err := Load(writeFarm(t, files))
			if err != nil {
				t.Fatal(err)
			}
			if f.Tenant("good").Blocked() {
				t.Errorf("good is blocked: %s", f.Tenant("good").Faults)
			}
			if x := f.Tenant("x"); len(x.Faults) != 1 || !regexp.MustCompile(c.want).MatchString(x.Faults.Error()) {
				t.Errorf("x has\n%s\nwant %s", x.Faults, c.want)
			}
		})
	}
}

// Backup and swap files of editors are no tenants, even when a pattern matches them; a dangling
// link is reported with its place.
func TestEditorsLeftovers(t *testing.T) {
	files := good()
	files["wikictl.toml"] = strings.Replace(files["wikictl.toml"], "tenants/**/*.toml", "tenants/**", 1)
	for _, name := range []string{"#good.toml#", "good.toml~", ".good.toml.swp", "4913", "good.toml.orig", ".good.toml.un~", ".hidden.toml", ".git/good.toml", "good.toml.dpkg-old"} {
		files["tenants/"+name] = "this is not a definition"
	}
	dir := writeFarm(t, files)
	if err := os.Symlink("root@host.1234:99", filepath.Join(dir, "tenants/.#good.toml")); err != nil {
		t.Fatal(err)
	}
	if f, err := Load(dir); err != nil || len(f.Tenants) != 1 {
		t.Fatal(f, err)
	}
	if err := os.Symlink("gone.toml", filepath.Join(dir, "tenants/late.toml")); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(dir); err == nil || err.Error() != "tenants/late.toml: is a symbolic link to gone.toml, which does not exist (remove it or put the file there)" {
		t.Error(err)
	}
}

// A farm may begin without a class and without a tenant.
func TestEmptyFolders(t *testing.T) {
	dir := writeFarm(t, map[string]string{"wikictl.toml": farmToml, "tenants/README": ""})
	if f, err := Load(dir); err != nil || len(f.Tenants) != 0 {
		t.Error(f, err)
	}
}
