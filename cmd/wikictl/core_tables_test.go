package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// A wiki that lacks a table which update.php does not make is refused before anything is
// changed, and the refusal names a repair that works. For wikis that share tables it names the
// order of an upgrade by hand.
func TestUpgradeNeedsCoreTables(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.define(2)
	f.run("create", "--all")
	f.write("tenants/w1.toml", f.read("tenants/w1.toml")+"wgSharedDB = \"pool\"\nwgSharedTables = [\"user\", \"ipblocks\"]\n")
	f.wants(f.exits(1, "plan", "w1"), "it uses tables of the database pool")
	f.sql("USE wiki_w0; DROP TABLE sites; DROP TABLE user_autocreate_serial")
	f.want143()
	cmd := f.command("upgrade", "w0")
	combined, _ := cmd.CombinedOutput()
	out := string(combined)
	if code := cmd.ProcessState.ExitCode(); code != 2 || !strings.Contains(out, "nothing was changed") {
		t.Errorf("exit %d: %s", code, out)
	}
	file := regexp.MustCompile(`no table sites, which update.php does not make; .* run its CREATE TABLE from (\S+)`).FindStringSubmatch(out)
	if file == nil {
		t.Fatalf("it does not say which file has the table: %s", out)
	}
	tables, err := os.ReadFile(file[1])
	must(t, err)
	f.sql("USE wiki_w0; " + regexp.MustCompile(`(?s)CREATE TABLE /\*_\*/sites \(.*?\) /\*\$wgDBTableOptions\*/;`).FindString(string(tables)))
	if f.run("upgrade", "w0"); f.client("w0").version() != "MediaWiki 1.43.9" {
		t.Error("it was not upgraded")
	}
	if made := f.sql("SHOW TABLES FROM wiki_w0 LIKE 'user_autocreate_serial'"); len(made) == 0 {
		t.Error("the table that update.php makes is not there")
	}

	f.wants(f.exits(2, "upgrade", "--dry-run", "w1"), "update.php --doshared", "then each other by update.php")
	for _, found := range f.audit("--quick", "w1") {
		if found.Rule == "shared-replaced" && strings.Contains(found.Message, "block and block_target in its place") {
			return
		}
	}
	t.Error("audit does not say that blocks will not be shared any more")
}
