package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// noted is an extension whose updater writes into the database of $wgNotedDatabase, as
// extensions with a database of their own do.
const noted = `<?php
class NotedHooks {
	public static function onLoadExtensionSchemaUpdates( $updater ) {
		global $wgNotedDatabase;
		if ( $wgNotedDatabase ) {
			$updater->addExtensionUpdate( [ [ 'NotedHooks', 'note' ] ] );
		}
	}
	public static function note( $updater ) {
		global $wgNotedDatabase;
		$db = $updater->getDB();
		$db->query( "CREATE TABLE IF NOT EXISTS $wgNotedDatabase.note (version VARCHAR(20))", __METHOD__ );
		$db->query( "INSERT INTO $wgNotedDatabase.note VALUES ('" . MW_VERSION . "')", __METHOD__ );
		$updater->output( "noted\n" );
	}
}
`

// withNoted gives w0 the extension, and a database of its own for it.
func (f *farm) withNoted(name string) {
	f.t.Helper()
	dir := filepath.Join(f.demo.Dir, "Noted")
	must(f.t, os.MkdirAll(dir, 0o755))
	f.write("Noted/NotedHooks.php", noted)
	f.write("Noted/extension.json", `{"name": "Noted", "manifest_version": 2, "config": {"NotedDatabase": {"value": ""}},
		"AutoloadClasses": {"NotedHooks": "NotedHooks.php"}, "Hooks": {"LoadExtensionSchemaUpdates": "NotedHooks::onLoadExtensionSchemaUpdates"}}`)
	farm := f.read("wikictl.toml")
	if !strings.Contains(farm, "extensions.Noted") {
		f.write("wikictl.toml", farm+"\n[extensions.Noted]\npath = \"Noted\"\n")
	}
	f.further(name, name+"_notes")
}

// further defines a wiki with the extension and further databases; none takes them away.
func (f *farm) further(name string, databases ...string) {
	f.t.Helper()
	text := f.definition(name)
	if len(databases) > 0 {
		text = strings.Replace(text, "[settings]", "databases = [\""+strings.Join(databases, `", "`)+"\"]\nextensions = [\"Noted\"]\n[settings]\nwgNotedDatabase = \""+databases[0]+"\"", 1)
	}
	f.write("tenants/"+name+".toml", text)
}

// definition returns the definition that define wrote for a wiki.
func (f *farm) definition(name string) string {
	f.t.Helper()
	var kept []string
	for line := range strings.Lines(f.read("tenants/" + name + ".toml")) {
		if strings.HasPrefix(line, "databases") || strings.HasPrefix(line, "extensions") || strings.HasPrefix(line, "wgNoted") || strings.HasPrefix(line, "grants") {
			continue
		}
		kept = append(kept, line)
	}
	return strings.Join(kept, "")
}

// A further database of a wiki is made, granted, dumped, put back, backed up, restored,
// cloned and removed with the wiki; and never one that wikictl did not make.
func TestFurtherDatabases(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.define(2)
	f.withNoted("w0")
	f.exits(0, "create", "w1")
	f.sql("CREATE DATABASE w0_notes; CREATE TABLE w0_notes.mine (id INT)")
	f.wants(f.exits(2, "plan", "w0"), "w0_notes", "wikictl did not make it")
	f.exits(2, "create", "w0")
	if f.has("wiki_w0") || !f.has("w0_notes") {
		t.Fatal("a foreign database was taken, or the wiki made")
	}
	f.sql("DROP DATABASE w0_notes")
	f.wants(f.exits(1, "plan", "w0"), "w0_notes")
	if out, code := f.struck(event{"w0", "databases", "after", "kill"}, "create", "w0"); code != -1 {
		t.Fatal(code, out)
	}
	f.exits(0, "create", "--all")
	f.notes("w0_notes", "1.39")
	f.exits(0, "plan")
	f.audited("w0")
	f.sql("CREATE TABLE w0_notes.kept (id INT); INSERT INTO w0_notes.kept VALUES (1)")
	f.upgradesPutFurtherBack()
	f.archivesHaveFurther()
	f.furtherAreTakenAway()
	f.grantsAreGiven()
	f.removalsTakeFurther()
}

// grantsAreGiven gives w1 rights in the database of the copy, and takes them away.
func (f *farm) grantsAreGiven() {
	f.t.Helper()
	grant := "grants = [{ on = \"wiki_copy\", tables = [\"user\"], rights = [\"SELECT\", \"UPDATE\"] }]\n"
	plain := f.definition("w1")
	f.write("tenants/w1.toml", strings.Replace(plain, "[settings]", grant+"[settings]", 1))
	f.wants(f.exits(1, "audit", "w1"), "grant-missing")
	f.wants(f.exits(1, "plan", "w1"), "grant SELECT, UPDATE on wiki_copy.user to wiki_w1@localhost", "to wiki_w1_schema@localhost")
	f.exits(0, "apply", "w1")
	f.exits(0, "plan", "w1")
	f.audited("w1")
	if got := f.sql("SELECT User, Table_name, Table_priv FROM mysql.tables_priv WHERE Db = 'wiki_copy'"); len(got) != 6 || got[2] != "Select,Update" {
		f.t.Error(got)
	}
	f.wants(f.exits(2, "delete", "copy", "--dry-run"), "the grants of w1 are on its database")
	f.write("tenants/w1.toml", plain)
	f.wants(f.exits(1, "audit", "w1"), "grant-extra")
	f.wants(f.exits(1, "plan", "w1"), "revoke SELECT, UPDATE on wiki_copy.user from wiki_w1@localhost")
	f.exits(0, "apply", "w1")
	f.audited("w1")
	f.write("tenants/w1.toml", strings.Replace(plain, "[settings]", strings.Replace(grant, "user", "usr", 1)+"[settings]", 1))
	f.wants(f.exits(2, "plan", "w1"), "wiki_copy has no table usr")
	f.write("tenants/w2.toml", strings.ReplaceAll(f.read("tenants/w1.toml"), "w1", "w2"))
	f.wants(f.exits(2, "create", "w2", "--dry-run"), "wiki_copy has no table usr")
	must(f.t, os.Remove(f.demo.Dir+"/tenants/w2.toml"))
	f.write("tenants/w1.toml", plain)
}

func (f *farm) has(database string) bool {
	return len(f.sql("SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = '"+database+"'")) > 0
}

// notes wants the versions that the updater noted.
func (f *farm) notes(database, want string) {
	f.t.Helper()
	got := ""
	if len(f.sql("SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = '"+database+"' AND TABLE_NAME = 'note'")) > 0 {
		got = strings.Join(f.sql("SELECT LEFT(version, 4) FROM "+database+".note"), " ")
	}
	if got != want {
		f.t.Errorf("%s has the notes %q, want %q", database, got, want)
	}
}

// audited wants nothing wrong with the databases and grants of a wiki.
func (f *farm) audited(name string) {
	f.t.Helper()
	out := f.exits(0, "audit", "--fail-on", "error", name)
	for _, rule := range []string{"further-", "grant-", "database-", "account-"} {
		if strings.Contains(out, rule) {
			f.t.Errorf("audit says\n%s", out)
		}
	}
}

// upgradesPutFurtherBack fails an upgrade after its updater wrote, and rolls another back.
func (f *farm) upgradesPutFurtherBack() {
	f.t.Helper()
	f.write("tenants/w0.toml", strings.Replace(f.read("tenants/w0.toml"), "sitename", "codebase = \"1.43\"\nsitename", 1))
	if out, code := f.struck(event{"w0", "check", "before", "fail"}, "upgrade", "w0"); code != 2 {
		f.t.Fatal(code, out)
	}
	f.notes("w0_notes", "1.39")
	if rows := f.sql("SELECT id FROM w0_notes.kept"); len(rows) != 1 {
		f.t.Error("the database was not put back", rows)
	}
	f.exits(0, "upgrade", "w0")
	f.notes("w0_notes", "1.39 1.43")
	f.audited("w0")
	f.exits(0, "rollback", "w0", "--yes")
	f.notes("w0_notes", "1.39")
	f.write("tenants/w0.toml", strings.Replace(f.read("tenants/w0.toml"), "codebase = \"1.43\"\n", "", 1))
}

// archivesHaveFurther backs up, restores, and makes another wiki of a backup.
func (f *farm) archivesHaveFurther() {
	f.t.Helper()
	f.exits(0, "backup", "w0", "--verify")
	was := f.checksums("w0_notes")
	f.sql("CREATE TABLE w0_notes.since (id INT); DELETE FROM w0_notes.kept")
	if out, code := f.struck(event{"w0", "database", "before", "kill"}, "restore", "w0", "--yes"); code != -1 {
		f.t.Fatal(code, out)
	}
	f.exits(0, "restore", "w0", "--yes")
	if got := f.checksums("w0_notes"); got != was {
		f.t.Errorf("w0_notes holds\n%s\nwant\n%s", got, was)
	}
	f.write("tenants/copy.toml", strings.NewReplacer("w0", "copy").Replace(f.definition("w0")))
	f.wants(f.exits(2, "clone", "w0", "copy", "--dry-run"), "1 further database (w0_notes)", "set databases")
	f.further("copy", "copy_notes")
	f.wants(f.exits(2, "clone", "w0", "copy", "--anonymize", "--dry-run"), "without --anonymize")
	f.exits(0, "clone", "w0", "copy")
	if got := f.checksums("copy_notes"); strings.ReplaceAll(got, "copy_notes", "w0_notes") != was {
		f.t.Errorf("copy_notes holds\n%s\nwant\n%s", got, was)
	}
	f.exits(0, "plan")
	f.audited("copy")
}

// furtherAreTakenAway takes a database out of a definition, and brings it back.
func (f *farm) furtherAreTakenAway() {
	f.t.Helper()
	text := f.read("tenants/copy.toml")
	f.write("tenants/copy.toml", strings.Replace(text, `databases = ["copy_notes"]`, "", 1))
	f.wants(f.exits(1, "plan", "copy"), "on copy_notes.* from wiki_copy@localhost", "copy_notes is not in its definition any more: it is kept")
	f.exits(0, "apply", "copy")
	f.exits(0, "plan", "copy")
	if grants := strings.Join(f.sql("SHOW GRANTS FOR wiki_copy@localhost"), " "); strings.Contains(grants, "notes") {
		f.t.Error(grants)
	}
	f.wants(f.exits(1, "audit", "copy"), "further-unused")
	f.sql("GRANT SELECT ON `w0\\_notes`.* TO wiki_copy@localhost")
	f.wants(f.exits(1, "plan", "copy"), "revoke SELECT on w0_notes.* from wiki_copy@localhost")
	f.write("tenants/copy.toml", text)
	f.wants(f.exits(1, "audit", "copy"), "grant-missing", "grant-extra")
	f.exits(0, "apply", "copy")
	f.audited("copy")
	f.write("tenants/copy.toml", strings.Replace(text, `"copy_notes"]`, `"copy_notes", "copy_more"]`, 1))
	const fills = "wikictl upgrade copy --force has update.php make"
	f.wants(f.exits(1, "plan", "copy"), "make database copy_more", fills)
	if _, story, code := f.result("apply", "copy"); code != 0 || !strings.Contains(story, "its new database copy_more is empty: "+fills) {
		f.t.Errorf("exit %d: %s", code, story)
	}
}

// removalsTakeFurther removes a wiki, brings it back, and renames it.
func (f *farm) removalsTakeFurther() {
	f.t.Helper()
	was := f.checksums("w0_notes")
	f.wants(f.exits(1, "delete", "w0", "--dry-run"), "database w0_notes on server main")
	if out, code := f.struck(event{"w0", "database", "before", "kill"}, "delete", "w0", "--yes"); code != -1 {
		f.t.Fatal(code, out)
	}
	f.exits(0, "delete", "w0", "--yes")
	if f.has("w0_notes") || f.has("wiki_w0") {
		f.t.Error("a database of w0 is left")
	}
	f.defineRemoved("w0")
	f.sql("CREATE DATABASE w0_notes")
	f.wants(f.exits(2, "undelete", "w0", "--dry-run"), "w0_notes exists")
	f.sql("DROP DATABASE w0_notes; CREATE DATABASE w0_more")
	text := f.read("tenants/w0.toml")
	f.write("tenants/w0.toml", regexp.MustCompile(`(?m)^databases = .*`).ReplaceAllString(text, `databases = ["w0_notes", "w0_more"]`))
	f.wants(f.exits(2, "undelete", "w0", "--dry-run"), "the database w0_more exists on server main and wikictl did not make it")
	f.write("tenants/w0.toml", text)
	f.sql("DROP DATABASE w0_more")
	f.exits(0, "undelete", "w0")
	if got := f.checksums("w0_notes"); got != was {
		f.t.Errorf("w0_notes holds\n%s\nwant\n%s", got, was)
	}
	f.exits(0, "plan")
	f.audited("w0")
	must(f.t, os.Remove(f.demo.Dir+"/tenants/w0.toml"))
	f.exits(0, "apply", "--all", "--prune", "--yes")
	if f.has("w0_notes") || len(f.sql("SELECT tenant FROM wikictl.tenant_database WHERE tenant = 'w0'")) > 0 {
		f.t.Error("w0 is not gone")
	}
}
