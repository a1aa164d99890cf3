package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"wikictl/cmd/testbed/needs"
)

// Wikis of MediaWiki 1.35, which is older than what has a schema of its settings, are made,
// audited, upgraded to 1.43, and brought back.
func TestOldVersion(t *testing.T) {
	needs.Soak(t, *everyHop, "equality")
	t.Parallel()
	f := newFarm(t)
	f.write("wikictl.toml", f.read("wikictl.toml")+fmt.Sprintf("\n[codebases.\"1.35\"]\npath = %q\n", filepath.Join(needs.Codebases(t), "1.35")))
	f.define(2)
	text := f.read("wikictl.toml")
	f.write("wikictl.toml", strings.Replace(text, `codebase = "1.39"`, `codebase = "1.35"`, 1))
	f.run("create", "--all")
	c := f.client("w0")
	c.login("w0")
	c.edit("Before", "Written on 1.35. [[Nowhere]] https://example.org/x")
	f.wants(c.version()+c.read("Before"), "MediaWiki 1.35.13", "Written on 1.35.")
	for _, found := range f.audit() {
		t.Log(found)
	}
	f.write("wikictl.toml", strings.Replace(text, `codebase = "1.39"`, `codebase = "1.43"`, 1))
	t.Log(f.exits(1, "plan"))
	t.Log(f.exits(1, "upgrade", "--all", "--dry-run"))
	f.wants(f.run("upgrade", "--all"), "upgrade: 2 done")
	f.wants(f.client("w0").version()+f.client("w0").read("Before"), "MediaWiki 1.43.9", "Written on 1.35.")
	for _, found := range f.audit() {
		t.Log(found)
	}
	f.run("rollback", "--yes", "w0")
	f.wants(f.client("w0").version()+f.client("w0").read("Before"), "MediaWiki 1.35.13", "Written on 1.35.")
}
