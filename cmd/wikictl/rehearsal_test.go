package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// updating is an extension whose updates of MediaWiki 1.43 have the fault that a setting
// names: they fail, or are as if joined statements had dropped an index that they must not. It
// leaves a file when a page of a scratch copy is asked for.
var updating = map[string]string{
	"extension.json": `{"name": "Updating", "version": "1.0", "manifest_version": 2, "AutoloadClasses": {"Updating": "Updating.php"},
		"config": {"UpdatingFault": {"value": ""}, "UpdatingPage": {"value": ""}}, "Hooks": {"LoadExtensionSchemaUpdates": "Updating::onLoad", "BeforePageDisplay": "Updating::onPage"}}`,
	"Updating.php": `<?php
class Updating {
	public static function onLoad( $updater ) {
		if ( version_compare( MW_VERSION, '1.43', '>=' ) ) {
			$updater->addExtensionUpdate( [ [ self::class, 'update' ] ] );
		}
	}
	public static function onPage() {
		if ( PHP_SAPI === 'fpm-fcgi' && $GLOBALS['wgReadOnly'] === 'This is a copy.' ) {
			touch( $GLOBALS['wgUpdatingPage'] );
		}
	}
	public static function update( $updater ) {
		switch ( $GLOBALS['wgUpdatingFault'] ) {
			case 'throw':
				throw new Error( 'broken everywhere' );
			case 'join':
				if ( class_exists( 'WikictlStatements', false ) && WikictlStatements::may( 'join' ) ) {
					$updater->getDB()->query( 'ALTER TABLE page DROP KEY page_random', __METHOD__ );
				}
		}
	}
}
`,
}

// An upgrade is tried on scratch copies first: what it finds there decides how the
// wikis are upgraded, and holds for the next run.
func TestUpgradeIsRehearsed(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.copyTrees(map[string]map[string]string{"Updating": updating})
	f.define(6)
	asked := filepath.Join(f.demo.Dir, "asked")
	must(t, errors.Join(os.Mkdir(asked, 0o755), os.Chmod(asked, 0o777))) // php-fpm writes there
	for wiki, fault := range map[string]string{"w3": "throw", "w4": "throw", "w5": "join"} {
		f.write("tenants/"+wiki+".toml", "extensions = [\"Updating\"]\n"+f.read("tenants/"+wiki+".toml")+fmt.Sprintf("wgUpdatingFault = %q\nwgUpdatingPage = %q\n", fault, filepath.Join(asked, "page")))
	}
	plain := f.read("tenants/w2.toml")
	f.write("tenants/w2.toml", `extensions = ["AbuseFilter", "Math", "OATHAuth"]`+"\n"+plain)
	f.write("tenants/w1.toml", f.read("tenants/w1.toml")+"wgLogo = \"/other.png\"\n")
	f.run("create", "--all")
	f.sql("ALTER TABLE wiki_w2.page ADD KEY own (page_len)") // a table of its own
	f.want143()
	f.write("tenants/w2.toml", `extensions = ["AbuseFilter", "Math", "OATHAuth", "Echo", "Linter", "LoginNotify", "VisualEditor", "DiscussionTools"]`+"\n"+plain)

	f.brokenCode()
	f.rehearsesOnce()
	if _, err := os.Stat(filepath.Join(asked, "page")); err != nil {
		t.Errorf("php-fpm did not compile the new code before the first wave: %v", err)
	}
	f.rehearsalKilled()

	f.joined("w0", 24)
	f.wants(f.joined("w5", 46), "the upgrade of w5 goes by update.php's own statements: table page: ")
	if got := f.sql("SHOW KEYS FROM wiki_w5.page WHERE Key_name = 'page_random'"); len(got) == 0 {
		t.Error("the rehearsal found a wrong statement, and the wiki was upgraded by it")
	}

	// A wiki that ends otherwise than its rehearsal is put back, once.
	f.sql("UPDATE wikictl.rehearsal SET result = REPLACE(result, 'page_is_new', 'page_is_old') WHERE result NOT LIKE '%KEY `own`%' AND result LIKE '%\"joined\":true%'")
	if out := f.fails("upgrade", "w1"); !strings.Contains(out, "ended with other tables than in its rehearsal, which is given up") || f.client("w1").version() != "MediaWiki 1.39.17" {
		t.Error(out)
	}
	// A rehearsal that can't be made stops nothing.
	f.large("w1")
	out, code := f.struck(event{"w1", "rehearsal plain tables", "before", "fail"}, "upgrade", "w1", "--ahead", "no")
	if code != 0 || !strings.Contains(out, "the upgrade of w1 was not rehearsed, and goes by update.php's own statements: planted by a test") {
		t.Errorf("exit code %d: %s", code, out)
	}
	f.sent("w1", 46, out)
	f.nothingScratch()
}

// large has a wiki look as if it had so many links that a rehearsal of it alone pays. The
// server does not count them again meanwhile.
func (f *farm) large(name string) {
	f.sql(fmt.Sprintf("ALTER TABLE wiki_%[1]s.pagelinks STATS_AUTO_RECALC=0; UPDATE mysql.innodb_table_stats SET n_rows = 2000000 WHERE database_name = 'wiki_%[1]s' AND table_name = 'pagelinks'; FLUSH TABLE wiki_%[1]s.pagelinks", name))
}

// brokenCode: code that can't upgrade any wiki is said once, before any is changed.
func (f *farm) brokenCode() {
	f.t.Helper()
	const once = "broken everywhere"
	if out := f.fails("upgrade", "w3", "w4", "--rehearse"); strings.Count(out, once) != 1 || !strings.Contains(out, "w3, w4: ") {
		f.t.Error(out)
	}
	// Few small wikis are not rehearsed; large ones are.
	f.large("w3")
	f.large("w4")
	out := f.fails("upgrade", "w3", "w4", "--ahead", "no")
	f.wants(out, "nothing was changed: 2 wikis can't be upgraded", "w3, w4: codebase 1.43 can't upgrade a copy of its tables: ")
	if strings.Count(out, once) != 1 {
		f.t.Error(out)
	}
	f.nothingScratch()
	f.brokenAutoload()
}

// brokenAutoload: code that can't even start is said once, too.
func (f *farm) brokenAutoload() {
	f.t.Helper()
	file := filepath.Join(f.demo.Dir, "trees/1.43/vendor/autoload.php")
	must(f.t, os.Rename(file, file+".sound"))
	must(f.t, os.WriteFile(file, []byte("<?php\nrequire __DIR__ . '/composer/autoload_none.php';\n"), 0o644))
	if out := f.fails("upgrade", "w0", "w3", "w4"); strings.Count(out, "autoload_none.php") != 1 || !strings.Contains(out, "nothing was changed: 3 wikis") {
		f.t.Error(out)
	}
	must(f.t, os.Rename(file+".sound", file))
}

// rehearsesOnce: a rehearsal holds for all wikis of a kind, and for later runs.
func (f *farm) rehearsesOnce() {
	f.t.Helper()
	all := []string{"upgrade", "w0", "w1", "w2", "w5", "--rehearse"}
	// Another run leaves the scratch copies of one that is under way alone.
	out, code := f.held("w0", "rehearsal joined compare", "before", func() {
		f.wants(f.run("upgrade", "w2", "--rehearse"), "1 wiki like w2: passed,", "76 changes of tables go as 49, with the same end")
	}, "upgrade", "w0", "w1", "w5", "--rehearse")
	f.wants(out, "MediaWiki 1.39.17 to 1.43.9, 2 wikis like w0: passed,", "46 changes of tables go as 24, with the same end",
		"1 wiki like w5: passed,", "the 46 changes of tables are not joined: table page: ")
	if code != 0 {
		f.t.Errorf("exit code %d: %s", code, out)
	}
	f.nothingScratch()
	if got := f.client("w0").version(); got != "MediaWiki 1.39.17" {
		f.t.Errorf("a rehearsal upgraded a wiki to %s", got)
	}
	if out := f.run(all...); strings.Count(out, "by an earlier run") != 3 {
		f.t.Error(out)
	}
}

// rehearsalKilled: what a killed rehearsal leaves is removed by the next one, of whatever wiki.
func (f *farm) rehearsalKilled() {
	f.t.Helper()
	f.sql("DELETE FROM wikictl.rehearsal WHERE result LIKE '%KEY `own`%'")
	for _, e := range []event{
		{"w2", "rehearsal plain accounts", "before", "kill"}, {"w2", "rehearsal joined tables", "after", "kill"}, {"w2", "rehearsal joined compare", "before", "kill"},
	} {
		if out, code := f.struck(e, "upgrade", "w2", "--rehearse"); code != -1 {
			f.t.Errorf("it was not killed %s %s: exit code %d: %s", e.moment, e.step, code, out)
		}
	}
	f.run("upgrade", "w0", "--rehearse")
	f.nothingScratch()
}

// joined upgrades a wiki, looks how many changes of tables its updater sent, and returns what
// was printed.
func (f *farm) joined(name string, sent int) (out string) {
	f.t.Helper()
	out = f.run("upgrade", name)
	f.sent(name, sent, out)
	return out
}

// sent looks how many changes of tables the updater of a wiki sent.
func (f *farm) sent(name string, sent int, out string) {
	f.t.Helper()
	logs, _ := filepath.Glob(f.state("logs/" + name + "/*-update.php.log"))
	if len(logs) == 0 {
		f.t.Fatal(out)
	}
	text, err := os.ReadFile(logs[len(logs)-1])
	must(f.t, err)
	if want := fmt.Sprintf(`wikictl-statements {"altering":46,"sent":%d,`, sent); !strings.Contains(string(text), want) {
		f.t.Errorf("%s: there is no %s in %s", name, want, text)
	}
}

// nothingScratch looks that scratch copies left nothing.
func (f *farm) nothingScratch() {
	f.t.Helper()
	if got := f.sql("SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME LIKE 'wikictl\\_golden%'"); len(got) > 0 {
		f.t.Errorf("databases are left: %v", got)
	}
	if got := f.sql("SELECT User FROM mysql.user WHERE User LIKE '%golden%'"); len(got) > 0 {
		f.t.Errorf("accounts are left: %v", got)
	}
	if got := f.sql("SELECT name FROM wikictl.scratch"); len(got) > 0 {
		f.t.Errorf("the ledger has still: %v", got)
	}
	if got, _ := filepath.Glob(f.state("wikis/golden-*")); len(got) > 0 {
		f.t.Errorf("folders are left: %v", got)
	}
}
