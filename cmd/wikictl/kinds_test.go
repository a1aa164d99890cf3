package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// unusual is what a wiki's database may have beside MediaWiki's tables, in the
// wiki's own database.
const unusual = `
ALTER TABLE page ENGINE=MyISAM;
ALTER TABLE revision ENGINE=MyISAM;
ALTER TABLE templatelinks ENGINE=Aria;
CREATE VIEW pages AS SELECT page_id, page_title FROM page;
CREATE TABLE gone (id INT);
CREATE VIEW broken AS SELECT id FROM gone;
DROP TABLE gone;
CREATE SEQUENCE counting;
CREATE TABLE odd (id INT PRIMARY KEY, f FLOAT, v INT AS (id + 1) VIRTUAL, t VARCHAR(20) CHARACTER SET latin1) WITH SYSTEM VERSIONING;
INSERT INTO odd (id, f, t) VALUES (1, 0.3333333333, x'81e4');
UPDATE odd SET f = 2.7182818284;
CREATE TRIGGER growing BEFORE INSERT ON odd FOR EACH ROW BEGIN /* it's */ SET NEW.id = NEW.id; END;
CREATE PROCEDURE speaking() SELECT ';';
`

// A wiki with views, sequences, triggers, tables of other engines and a revision of
// 20 MB is upgraded, rolled back, removed and brought back out of its last dump, on a
// server with MariaDB's default of 16 MB for max_allowed_packet.
func TestDumpOfEveryKindOfObject(t *testing.T) {
	t.Parallel()
	f := newEmptyFarm(t)
	f.define(1)
	f.run("create", "--all")
	f.client("w0").edit("Page", "text")
	f.sqlIn("wiki_w0", unusual)
	f.sql("SET GLOBAL max_allowed_packet = 1073741824")
	f.sqlIn("wiki_w0", "ALTER TABLE text MODIFY old_text LONGBLOB;\nINSERT INTO text (old_text, old_flags) VALUES (REPEAT('abcdefghij', 2000000), 'utf-8')")
	f.sql("SET GLOBAL max_allowed_packet = 16777216")
	checksums := func() string {
		f.still("wiki_w0")
		return strings.Join(f.sql("CHECKSUM TABLE wiki_w0.page, wiki_w0.revision, wiki_w0.templatelinks, wiki_w0.text, wiki_w0.counting; SELECT * FROM wiki_w0.odd FOR SYSTEM_TIME ALL"), " ")
	}
	before := checksums()

	f.want143()
	f.wants(f.exits(1, "upgrade", "--dry-run", "w0"), "its view broken can't be used")
	f.run("upgrade", "w0")
	c := f.client("w0")
	if v := c.version(); !strings.HasPrefix(v, "MediaWiki 1.43") {
		t.Errorf("%s is served", v)
	}
	f.exits(0, "audit", "w0") // its level is the new one
	f.run("rollback", "--yes", "w0")
	if after := checksums(); after != before {
		t.Errorf("after the rollback it is\n%s\nand was\n%s", after, before)
	}
	if out := f.exits(1, "audit", "w0"); !strings.Contains(out, "schema-type") || strings.Contains(out, "schema-version") {
		t.Errorf("%s", out)
	}
	f.client("w0").edit("After", "it is open")
	if n := f.sql("SELECT @@GLOBAL.max_allowed_packet")[0]; n != "16777216" {
		t.Errorf("max_allowed_packet is %s", n)
	}

	f.sql("SET GLOBAL max_allowed_packet = 16777216")
	before = checksums()
	must(t, os.Rename(filepath.Join(f.demo.Dir, "tenants/w0.toml"), filepath.Join(f.demo.Dir, "w0.toml")))
	f.write("tenants/other.toml", "name = \"other\"\nhosts = [\"other.localhost\"]\nsitename = \"Other\"\nskins = [\"Vector\"]\n")
	f.sqlIn("wiki_w0", "CREATE TABLE gone (id INT);\nCREATE VIEW broken AS SELECT id FROM gone;\nDROP TABLE gone;\n") // no rollback makes one
	f.sql("SET GLOBAL event_scheduler = ON; CREATE EVENT wiki_w0.busy ON SCHEDULE EVERY 1 DAY DO SELECT 1")
	f.wants(f.exits(1, "plan"), "w0", "can't be removed: it can't be dumped: its event busy may write", "its view broken can't be used")
	f.sql("SET GLOBAL event_scheduler = OFF")
	f.run("apply", "--all", "--prune", "--yes")
	if n := f.sql("SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = 'wiki_w0'")[0]; n != "0" {
		t.Error("the database is still there")
	}
	must(t, os.Rename(filepath.Join(f.demo.Dir, "w0.toml"), filepath.Join(f.demo.Dir, "tenants/w0.toml")))
	f.run("undelete", "w0")
	if after := checksums(); after != before {
		t.Errorf("brought back it is\n%s\nand was\n%s", after, before)
	}
	f.sql("SELECT COUNT(*) FROM wiki_w0.pages")
	f.client("w0").edit("Back", "again")
}

// sqlIn runs statements in a database.
func (f *farm) sqlIn(database, statements string) {
	f.t.Helper()
	cmd := exec.Command("mariadb", "--no-defaults", "--socket="+f.private().Socket, "--delimiter=$$", "--default-character-set=utf8mb4", database)
	cmd.Stdin = strings.NewReader(strings.ReplaceAll(statements, ";\n", "$$\n"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		f.t.Fatalf("%s: %s", statements, out)
	}
}
