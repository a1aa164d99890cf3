package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"wikictl/cmd/testbed/needs"
)

// Wikis of MediaWiki 1.35, which is older than what states the types of its settings, are
// made, served, audited, upgraded to 1.43, and brought back; also where their tables are of
// another engine, older or newer than their code, or of another name.
func TestOldVersion(t *testing.T) {
	needs.Soak(t, *everyHop, "equality")
	t.Parallel()
	f := newFarm(t)
	f.write("wikictl.toml", f.read("wikictl.toml")+fmt.Sprintf("\n[codebases.\"1.35\"]\npath = %q\n", filepath.Join(needs.Codebases(t), "1.35")))
	f.define(6)
	for name, codebase := range map[string]string{"w0": "1.35", "w1": "1.35", "w2": "1.35", "w3": "1.39", "w4": "1.35", "w5": "1.35"} {
		f.want(name, codebase)
	}
	f.write("tenants/w1.toml", "extensions = [\"OATHAuth\"]\n"+f.read("tenants/w1.toml")+"wgGroupPermissions.\"*\".read = false\n")
	f.run("create", "--all")
	f.servesOld("w0", "w2")
	f.oddTables()

	f.wantFindings(map[string]string{
		"schema-type w2":         "of another engine",
		"schema-version w3":      "is 1.35, and it runs on MediaWiki 1.39.17",
		"schema-version w4":      "is 1.39, and it runs on MediaWiki 1.35.13",
		"schema-version w5":      "is MediaWiki with the table prefix mw_, and it runs on MediaWiki 1.35.13",
		"mediawiki-unchecked w0": "MediaWiki 1.35.13 states no types of its settings",
	})
	for i := range 6 {
		f.want(fmt.Sprint("w", i), "1.43")
	}
	f.wants(f.exits(2, "upgrade", "--all", "--dry-run"), "schema 1.35", "have the prefix mw_, which wikictl does not use", "w4: the web server does not serve it in its current state")
	f.wants(f.run("upgrade", "w0", "w1", "w2", "w3"), "upgrade: 4 done")
	f.wants(f.client("w0").version()+f.client("w0").read("Before"), "MediaWiki 1.43.9", "Written on 1.35.")
	f.wantFindings(map[string]string{"schema-version w4": "is 1.39", "schema-version w5": "with the table prefix mw_", "schema-type w2": "of another engine"})
	f.run("rollback", "--yes", "w0", "w1", "w2")
	f.wants(f.client("w0").version()+f.client("w2").read("Before"), "MediaWiki 1.35.13", "Written on 1.35.")
	f.client("w0").edit("After", "written after the rollback")

	// A server that is killed may leave tables of MyISAM crashed: they come from the dump.
	out, code := f.held("w2", "update.php", "after", func() {
		pid, err := f.private().Pid()
		must(t, err)
		must(t, syscall.Kill(pid, syscall.SIGKILL))
	}, "upgrade", "w2")
	if code != 2 {
		t.Errorf("its server was killed: exit code %d: %s", code, out)
	}
	f.run("upgrade", "w2")
	f.wants(f.client("w2").version()+f.client("w2").read("Before"), "MediaWiki 1.43.9", "Written on 1.35.")
	f.client("w2").edit("After", "written after the kill")
}

// servesOld asks wikis of 1.35 for what readers and writers do.
func (f *farm) servesOld(wikis ...string) {
	f.t.Helper()
	for _, wiki := range wikis {
		c := f.client(wiki)
		c.login(wiki)
		c.edit("Before", "Written on 1.35. [[Nowhere]] https://example.org/x")
		f.wants(c.version()+c.read("Before"), "MediaWiki 1.35.13", "Written on 1.35.")
		f.wants(f.get(wiki+".localhost", "/wiki/Before"), "Written on 1.35.")
		f.wants(f.get(wiki+".localhost", "/load.php?modules=mediawiki.base&only=scripts"), "wgDBname")
		f.wants(f.get(wiki+".localhost", "/resources/src/mediawiki.base/mediawiki.base.js"), "function")
	}
}

// oddTables gives wikis tables that are not those of their code.
func (f *farm) oddTables() {
	f.t.Helper()
	e := &equality{farm: f}
	e.copyTo("wiki_w3", "of_139")
	f.sql("DROP DATABASE wiki_w3; DROP DATABASE wiki_w4; CREATE DATABASE wiki_w3; CREATE DATABASE wiki_w4")
	e.copyTo("wiki_w0", "wiki_w3")
	e.copyTo("of_139", "wiki_w4")
	f.sql("USE wiki_w2; ALTER TABLE page ENGINE=MyISAM; ALTER TABLE revision ENGINE=MyISAM; ALTER TABLE templatelinks ENGINE=MyISAM; DROP DATABASE of_139")
	for _, table := range f.sql("SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'wiki_w5'") {
		f.sql("RENAME TABLE wiki_w5." + table + " TO wiki_w5.mw_" + table)
	}
}

// wantFindings runs an audit, which has to find these and, of schemas, no others: messages
// by rule and tenant.
func (f *farm) wantFindings(want map[string]string) {
	f.t.Helper()
	found := map[string]string{}
	for _, one := range f.audit() {
		for _, tenant := range one.Tenants {
			found[one.Rule+" "+tenant] += one.Message
		}
	}
	for key, message := range want {
		if !strings.Contains(found[key], message) {
			f.t.Errorf("%s: %q is found, want %q", key, found[key], message)
		}
	}
	for key, message := range found {
		if _, wanted := want[key]; !wanted && strings.HasPrefix(key, "schema-") {
			f.t.Errorf("%s: %s", key, message)
		}
	}
}
