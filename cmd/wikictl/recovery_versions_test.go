package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"strings"
	"testing"
)

// A backup of an older MediaWiki is served by that, one of a newer is refused, a part of
// one leaves the rest, and what takes mariadb-dump comes back, too.
func TestRestoreAcrossVersions(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.define(2)
	f.write("tenants/w1.toml", f.read("tenants/w1.toml")+"wgGroupPermissions.\"*\".read = false\n")
	f.exits(0, "create", "--all")
	f.client("w0").edit("Kept", "of 1.39")
	f.sqlIn("wiki_w0", "CREATE VIEW pages AS SELECT page_id FROM page; CREATE TABLE tr (id INT); CREATE TRIGGER t BEFORE INSERT ON tr FOR EACH ROW SET NEW.id = NEW.id + 1")
	f.still("wiki_w0")
	f.exits(0, "backup", "--all", "--verify")
	old := f.holds("w0")
	older := f.newestBackup("w0")
	f.want143()
	f.exits(0, "upgrade", "--all")
	f.client("w0").edit("Kept", "of 1.43")
	must(t, os.WriteFile(f.state("wikis/w0/images/kept.txt"), []byte("kept"), 0o644))
	f.still("wiki_w0")
	f.exits(0, "backup", "w0")
	newer, now := f.newestBackup("w0"), f.holds("w0")
	f.wants(f.exits(0, "restore", "w0", "--from", older, "--yes"), "it runs on MediaWiki 1.39", "wikictl upgrade w0")
	if got := f.holds("w0"); got != old {
		t.Errorf("w0 holds\n%s\nwant\n%s", got, old)
	}
	f.wants(f.client("w0").version(), "1.39")
	f.wants(f.exits(1, "plan", "w0"), "from MediaWiki 1.39")
	f.exits(0, "upgrade", "w0")
	f.wants(f.client("w0").page("Kept"), "of 1.39")
	f.wants(f.client("w0").version(), "1.43")
	must(t, os.WriteFile(f.state("wikis/w0/images/since.txt"), nil, 0o644))
	f.exits(0, "restore", "w0", "--from", newer, "--only", "database", "--yes")
	f.wants(f.client("w0").page("Kept"), "of 1.43")
	if !strings.Contains(f.files("w0"), "since.txt") {
		t.Error("--only database removed a file")
	}
	f.client("w0").edit("Kept", "later")
	f.exits(0, "restore", "w0", "--from", newer, "--only", "uploads", "--yes")
	f.wants(f.client("w0").page("Kept"), "later")
	if strings.Contains(f.files("w0"), "since.txt") {
		t.Error("--only uploads left a file")
	}
	f.exits(0, "restore", "w0", "--from", newer, "--yes")
	if got := f.holds("w0"); got != now {
		t.Errorf("w0 holds\n%s\nwant\n%s", got, now)
	}
	f.write("tenants/other.toml", strings.ReplaceAll(f.read("tenants/w1.toml"), "w1", "other"))
	f.exits(0, "restore", "w1", "--as", "other")
	f.wants(f.exits(1, "plan"), "1 to upgrade, 2 unchanged") // the backup is of 1.39
	f.damagedIsRefused(newer)
	f.replace("wikictl.toml", `codebase = "1.43"`, `codebase = "1.39"`)
	f.wants(f.exits(2, "restore", "w0", "--from", newer, "--dry-run"), "its schema is newer")
}

// newestBackup is the run that made the newest backup of a wiki.
func (f *farm) newestBackup(name string) string {
	f.t.Helper()
	for _, line := range strings.Split(f.exits(0, "backup"), "\n") {
		if words := strings.Fields(line); len(words) > 1 && words[0] == name {
			return words[1]
		}
	}
	f.t.Fatal("there is no backup of", name)
	return ""
}

// damagedIsRefused breaks an archive, by which nothing may be changed.
func (f *farm) damagedIsRefused(run string) {
	f.t.Helper()
	file := f.state("archives/wikis/w0/" + run + ".tar.zst")
	whole, err := os.ReadFile(file)
	must(f.t, err)
	was := f.holds("w0")
	must(f.t, os.WriteFile(file, whole[:len(whole)-20], 0o600))
	f.fails("restore", "w0", "--from", run, "--yes")
	must(f.t, os.WriteFile(file, whole, 0o600))
	upload, content := f.state("wikis/w0/images/kept.txt"), f.state(fmt.Sprintf("archives/files/%.1x/%[1]x", sha256.Sum256([]byte("kept"))))
	stored, err := os.ReadFile(content)
	must(f.t, err)
	away := f.demo.Dir + "/kept.txt" // a file with this content among the uploads would repair the store
	must(f.t, os.Rename(upload, away))
	must(f.t, os.WriteFile(content, []byte("else"), 0o600))
	f.wants(f.fails("restore", "w0", "--from", run, "--yes"), "the upload kept.txt", "nothing of it was changed")
	must(f.t, os.WriteFile(content, stored, 0o600))
	must(f.t, os.Rename(away, upload))
	if got := f.holds("w0"); got != was {
		f.t.Errorf("w0 holds\n%s\nwant\n%s", got, was)
	}
	f.client("w0").edit("After", "it is open")
	f.exits(0, "plan", "w0")
}
