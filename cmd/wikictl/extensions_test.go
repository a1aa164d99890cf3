package main

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// hello is an extension whose tag says which version of it runs.
func hello(says string) map[string]string {
	return map[string]string{
		"extension.json": `{"name": "Hello", "manifest_version": 2, "AutoloadClasses": {"HelloTag": "HelloTag.php"}, "Hooks": {"ParserFirstCallInit": "HelloTag::init"}}`,
		"HelloTag.php": `<?php
class HelloTag {
	public static function init( $parser ) {
		$parser->setHook( 'hello', static fn () => '` + says + `' );
	}
}
`,
		"pictures/a.svg":      says,
		"Part/extension.json": `{"name": "HelloPart", "manifest_version": 2, "config": {"HelloPart": {"value": 1}}}`,
		"Part/b.css":          says,
	}
}

// gitIn runs git in a repository of the test.
func (f *farm) gitIn(dir string, args ...string) string {
	f.t.Helper()
	must(f.t, os.MkdirAll(dir, 0o755))
	cmd := exec.Command("git", append([]string{"-c", "user.name=t", "-c", "user.email=t@localhost"}, args...)...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		f.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// commitHello commits another version of the extension to a branch.
func (f *farm) commitHello(branch, says string) {
	f.t.Helper()
	dir := filepath.Join(f.demo.Dir, "repos/Hello of mine")
	if _, err := os.Stat(dir); err != nil {
		f.gitIn(dir, "init", "-q", "-b", branch, ".")
	}
	f.gitIn(dir, "symbolic-ref", "HEAD", "refs/heads/"+branch)
	for name, text := range hello(says) {
		f.write("repos/Hello of mine/"+name, text)
	}
	f.gitIn(dir, "add", "-A")
	f.gitIn(dir, "commit", "-q", "-m", "x")
}

// plainSkin is a skin in a zip file; it returns the file's SHA-256.
func (f *farm) plainSkin() string {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for name, text := range map[string]string{
		"skin.json":               `{"name": "Plain", "manifest_version": 2, "ValidSkinNames": {"plain": {"class": "SkinMustache", "args": [{"name": "plain", "templateDirectory": "templates/", "template": "skin"}]}}}`,
		"templates/skin.mustache": `this is the plain skin`,
		"plain.css":               `plain {}`,
	} {
		file, err := w.Create("Plain-1.0/" + name)
		must(f.t, err)
		_, err = file.Write([]byte(text))
		must(f.t, err)
	}
	must(f.t, w.Close())
	f.write("plain skin.zip", out.String())
	return fmt.Sprintf("%x", sha256.Sum256(out.Bytes()))
}

// says returns the text that the extension's tag renders.
func (c *client) says(tag string) string {
	answer := c.call(url.Values{"action": {"parse"}, "text": {"<" + tag + "/>"}, "contentmodel": {"wikitext"}, "prop": {"text"}, "disablelimitreport": {"1"}})
	return fmt.Sprint(at(answer, "parse", "text"))
}

// An extension and a skin are fetched once, for each version of MediaWiki from its branch; a
// wiki whose extension is not fetched is blocked, and others are made; a kill loses nothing;
// wikis keep their version until they are upgraded, and get it back by a rollback; files that were
// changed by hand are found and repaired.
func TestFetchedExtensions(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.define(2)
	f.commitHello("REL1_39", "first")
	f.commitHello("REL1_43", "of 1.43")
	f.write("wikictl.toml", f.read("wikictl.toml")+fmt.Sprintf(`
[extensions.Hello]
git = "repos/Hello of mine"
version = "REL1_39"
[extensions.Hello.codebases."1.43"]
version = "REL1_43"
[skins.Plain]
archive = "plain skin.zip"
sha256 = "%s"
`, f.plainSkin()))
	f.write("tenants/w0.toml", strings.Replace("extensions = [\"Hello\", \"Hello/Part\"]\n"+f.read("tenants/w0.toml"), `["Vector"]`, `["Vector", "Plain"]`, 1))
	before := f.read("tenants/w1.toml")
	f.write("tenants/w1.toml", "extensions = [\"Scribunto\", \"AbuseFilter\", \"Cite\"]\n"+before+"wgExtraNamespaces.3010 = \"Old\"\n[namespaces.portal]\nnumber = 3000\nname = \"Portal\"\n")

	out := f.refuses(2, "create", "--all")
	f.wants(out, "it is not fetched yet from", "(wikictl extensions fetch Hello)", "(wikictl extensions fetch Plain)")
	f.wants(f.refuses(1, "extensions", "fetch", "--dry-run"), "to fetch")
	for _, step := range []string{"place", "lock"} {
		f.struck(event{"Hello", step, "before", "kill"}, "extensions", "fetch")
		f.struck(event{"Hello", step, "after", "kill"}, "extensions", "fetch")
	}
	f.wants(f.exits(0, "extensions", "fetch"), "REL1_39", "REL1_43", "plain skin.zip")
	f.exits(0, "extensions", "fetch", "Hello", "Plain")
	f.exits(0, "extensions", "verify")
	f.exits(0, "extensions", "outdated")
	f.wants(f.refuses(64, "extensions", "fetch", "Helo"), `did you mean "Hello"`)

	f.run("create", "--all")
	w0 := f.client("w0")
	f.wants(w0.says("hello"), "first")
	for path, want := range map[string]string{
		"/extensions/Hello/pictures/a.svg": "200 first", "/extensions/Hello/Part/b.css": "200 first", "/skins/Plain/plain.css": "200 plain {}",
		"/extensions/Hello/HelloTag.php": "404", "/extensions/Hello/extension.json": "404", "/extensions/Hello/pictures/../extension.json": "404",
		"/extensions/Hello/none.css": "404", "/skins/Vector/resources/common/print.css": "404",
	} {
		if got := f.asked("w0.localhost", path); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %.60q, want %q", path, got, want)
		}
	}
	f.wants(f.get("w0.localhost", "/index.php?title=Main_Page&useskin=plain"), "this is the plain skin")
	if got := f.asked("w1.localhost", "/extensions/Hello/pictures/a.svg"); !strings.HasPrefix(got, "404") {
		t.Errorf("a wiki without the extension: %.60q", got)
	}
	f.noneOf("component-")
	f.takesAway(before)

	f.commitHello("REL1_39", "second")
	f.wants(f.refuses(1, "extensions", "outdated"), "outdated", "current")
	f.exits(0, "extensions", "fetch")
	f.exits(0, "plan")
	f.exits(0, "extensions", "fetch", "--update")
	f.wants(w0.says("hello"), "first")
	f.wants(f.refuses(1, "plan"), "w0", "LocalSettings.php")
	f.run("apply", "--all")
	f.wants(w0.says("hello"), "second")

	f.want143()
	f.run("upgrade", "--all")
	f.wants(w0.says("hello"), "of 1.43")
	f.wants(w0.version(), "1.43")
	f.changedByHand()
	f.run("rollback", "w0", "--yes")
	f.wants(w0.says("hello"), "second")
}

// takesAway checks that the plan counts pages and tables that need a dropped extension, and
// nothing for an extension that is not used; an edit in between makes no difference.
func (f *farm) takesAway(before string) {
	f.t.Helper()
	was := f.read("tenants/w1.toml")
	w1 := f.client("w1")
	w1.login("w1")
	for _, title := range []string{"One", "Two"} { // as if Scribunto had saved them: it would run Lua
		w1.edit(title, "return {}")
	}
	f.sql("UPDATE wiki_w1.page SET page_namespace = 828, page_content_model = 'Scribunto' WHERE page_title IN ('One', 'Two') AND page_namespace = 0; INSERT IGNORE INTO wiki_w1.content_models (model_name) VALUES ('Scribunto')")
	w1.edit("Module talk:One", "a word")
	w1.edit("Portal:All", "a portal")
	f.sql("INSERT IGNORE INTO wiki_w1.abuse_filter (af_pattern, af_comments) VALUES ('1', '')")
	for _, args := range [][]string{{"plan"}, {"apply", "--dry-run", "--all"}, {"upgrade", "--dry-run", "w1"}} {
		f.write("tenants/w1.toml", before)
		out := f.refuses(1, args...)
		f.wants(out, "removes the extension Scribunto, and its database has 2 pages in namespace 828 (Module), 1 page in namespace 829 (Module_talk), 2 pages of content model Scribunto: readers will not be able to open these pages",
			"removes the extension AbuseFilter, and its database has 1 row in table abuse_filter", "removes namespaces, and its database has 1 page in namespace 3000 (Portal): readers")
		f.lacks(out, "Cite,", "3010", "abuse_filter_log")
		f.write("tenants/w1.toml", was)
	}
	f.exits(0, "plan")
}

// noneOf wants no finding of rules whose names begin so.
func (f *farm) noneOf(prefix string) {
	f.t.Helper()
	for _, found := range f.audit() {
		if strings.HasPrefix(found.Rule, prefix) || found.Rule == "lock-stray" || found.Rule == "codebase-writable" {
			f.t.Errorf("found %+v", found)
		}
	}
}

// changedByHand changes a fetched file and the rights of another.
func (f *farm) changedByHand() {
	files, err := filepath.Glob(f.state("components/Hello.*/Hello/HelloTag.php"))
	must(f.t, err)
	for _, file := range files {
		f.add(file, "\n// changed\n")
		must(f.t, os.Chmod(filepath.Dir(file), 0o777))
	}
	f.wants(f.refuses(1, "extensions", "verify"), "other", "HelloTag.php")
	rules := map[string]string{}
	for _, found := range f.audit() {
		rules[found.Rule] = found.Message
	}
	f.wants(rules["component-changed"], "its files are not those of wikictl.lock: HelloTag.php")
	f.wants(rules["codebase-writable"], "components/Hello.")
	f.exits(0, "extensions", "fetch")
	f.exits(0, "extensions", "verify")
	for _, file := range files[:len(files)-1] { // an older version is nobody's
		must(f.t, os.Chmod(filepath.Dir(file), 0o755))
	}
	f.noneOf("component-")
}
