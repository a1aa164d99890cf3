package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// What was cached of a database that is gone is never shown: of texts and revisions, whose
// numbers are given again, of users, whose keys have changed, and of messages. That holds
// after restore, after rollback, and for a new wiki under the name of one that was removed;
// also on code that ignores $wgCachePrefix, as MediaWiki 1.47 will.
func TestLostContentIsNotCached(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	define := func() {
		f.define(2)
		f.edits("w0", "codebase", "1.43")
		f.edits("w1", "codebase", "1.43")
	}
	f.ignorePrefix()
	define()
	f.exits(0, "create", "--all")
	f.exits(0, "backup", "w0")
	for _, tenant := range []string{"w0", "w1"} {
		f.losesEdits(tenant, "of the lost", func() {
			if tenant == "w0" {
				f.exits(0, "restore", "w0", "--yes")
				return
			}
			f.exits(0, "delete", "w1", "--yes", "--no-backup")
			f.exits(0, "purge", "w1", "--early", "--yes")
			define()
			f.exits(0, "create", "w1")
			time.Sleep(3 * time.Second) // opcache.revalidate_freq: its settings have the path of the former wiki's
		})
	}
}

// ignorePrefix has the farm's tree 1.43 be a copy whose caches do not know $wgCachePrefix.
func (f *farm) ignorePrefix() {
	f.t.Helper()
	from, to := filepath.Join(os.Getenv("WIKICTL_TEST_CODEBASES"), "1.43"), filepath.Join(f.demo.Dir, "trees/1.43")
	must(f.t, os.MkdirAll(to, 0o755))
	entries, err := os.ReadDir(from)
	must(f.t, err)
	for _, e := range entries {
		name := e.Name()
		if info, err := os.Stat(filepath.Join(from, name)); err == nil && info.IsDir() && !slices.Contains([]string{"includes", "maintenance"}, name) {
			must(f.t, os.Symlink(filepath.Join(from, name), filepath.Join(to, name)))
		} else if out, err := exec.Command("cp", "-rH", filepath.Join(from, name), to).CombinedOutput(); err != nil {
			f.t.Fatalf("%v: %s", err, out)
		}
	}
	f.edit(filepath.Join(to, "includes/objectcache/ObjectCacheFactory.php"), regexp.MustCompile(`is_string\( \$cachePrefix \) && `), "false && ")
	f.write("wikictl.toml", strings.Replace(f.read("wikictl.toml"), from, to, 1))
}

// losesEdits makes edits whose content is cached, has the database replaced, and edits again:
// pages and messages have the new text, and the administrator can log in.
func (f *farm) losesEdits(tenant, text string, replace func()) {
	f.t.Helper()
	write := func(text string) {
		f.t.Helper()
		c := f.client(tenant)
		c.login(tenant)
		c.edit("Report", "a report "+text)
		c.edit("MediaWiki:Sidebar", "** mainpage|entry "+text)
		f.client(tenant).page("Report")
		f.client(tenant).page("MediaWiki:Sidebar")
	}
	write(text)
	replace()
	write("of what is kept")
	reader := f.client(tenant)
	for _, title := range []string{"Report", "MediaWiki:Sidebar"} {
		f.wants(reader.page(title), "of what is kept")
	}
	if _, _, page := reader.get("/index.php?title=Report"); strings.Contains(page, text) || !strings.Contains(page, "of what is kept") {
		f.t.Errorf("the sidebar is another: %s", page)
	}
}
