package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// reporter is an extension whose tag reads a column that MediaWiki 1.43 has no more, and
// whose set-up its users run themselves.
var reporter = map[string]string{
	"extension.json": `{"name": "Reporter", "version": "1.0", "manifest_version": 2, "AutoloadClasses": {"Reporter": "Reporter.php"}, "Hooks": {"ParserFirstCallInit": "Reporter::onParserFirstCallInit"}}`,
	"Reporter.php": `<?php
class Reporter {
	public static function onParserFirstCallInit( $parser ) {
		$parser->setHook( 'report', [ self::class, 'report' ] );
	}
	public static function report( $text, $args, $parser ) {
		MediaWiki\MediaWikiServices::getInstance()->getDBLoadBalancer()->getConnection( DB_REPLICA )
			->newSelectQueryBuilder()->select( 'pl_title' )->from( 'pagelinks' )->caller( __METHOD__ )->fetchField();
		return 'a report of what links here';
	}
}
`,
	"maintenance/setup.php": `<?php
require_once ( getenv( 'MW_INSTALL_PATH' ) ?: __DIR__ . '/../../..' ) . '/maintenance/Maintenance.php';
class ReporterSetup extends Maintenance {
	public function __construct() {
		parent::__construct();
		$this->addOption( 'note', 'what to note', true, true );
	}
	public function execute() {
		$db = $this->getDB( DB_PRIMARY );
		if ( $db->getDBname() === 'wiki_w2' ) {
			$this->fatalError( 'the set-up of w2 has a fault' );
		}
		$db->query( 'CREATE TABLE IF NOT EXISTS reporter (version VARCHAR(20), note VARCHAR(20))', __METHOD__ );
		$db->insert( 'reporter', [ 'version' => MW_VERSION, 'note' => $this->getOption( 'note' ) ], __METHOD__ );
	}
}
$maintClass = ReporterSetup::class;
require_once RUN_MAINTENANCE_IF_MAIN;
`,
}

// copyTrees has the farm run on copies of both trees that have further extensions, by name
// and file.
func (f *farm) copyTrees(extensions map[string]map[string]string) {
	f.t.Helper()
	text := f.read("wikictl.toml")
	for _, version := range []string{"1.39", "1.43"} {
		from, to := filepath.Join(os.Getenv("WIKICTL_TEST_CODEBASES"), version), filepath.Join(f.demo.Dir, "trees", version)
		must(f.t, os.MkdirAll(filepath.Dir(to), 0o755))
		if exec.Command("cp", "-alH", from, to).Run() != nil { // on another disk
			must(f.t, os.RemoveAll(to))
			if out, err := exec.Command("cp", "-aH", from, to).CombinedOutput(); err != nil {
				f.t.Fatalf("%v: %s", err, out)
			}
		}
		for name, files := range extensions {
			for file, text := range files {
				f.write(filepath.Join("trees", version, "extensions", name, file), text)
			}
		}
		text = strings.Replace(text, fmt.Sprintf("path = %q", from), fmt.Sprintf("path = %q", to), 1)
	}
	f.write("wikictl.toml", text)
}

// Pages that the farm names are requested before and after an upgrade. An upgrade that breaks one
// is put back; a page that was bad before is reported. The farm's own scripts run before the
// updater on the old code and after it on the new; an upgrade whose script fails is put back.
func TestOwnPagesAndSteps(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.copyTrees(map[string]map[string]string{"Reporter": reporter})
	f.define(3)
	f.write("wikictl.toml", f.read("wikictl.toml")+`
[upgrade]
pages = ["/index.php?title=Report"]
[[upgrade.step]]
script = "extensions/Reporter/maintenance/setup.php"
arguments = ["--note", "ahead"]
when = "before"
where = "extension=Reporter"
[[upgrade.step]]
script = "extensions/Reporter/maintenance/setup.php"
arguments = ["--note", "done"]
where = "extension=Reporter"
`)
	for i, pages := range []string{"", "\n[upgrade]\npages = [\"/index.php?title=Missing\"]\n", ""} {
		name := fmt.Sprintf("tenants/w%d.toml", i)
		f.write(name, "extensions = [\"Reporter\"]\n"+f.read(name)+pages)
	}
	f.run("create", "--all")
	f.client("w0").edit("Report", "<report/>")
	f.client("w1").edit("Report", "a report without a tag")
	f.client("w2").edit("Report", "a report")
	f.want143()
	f.missingScripts()
	if out, code := f.struck(event{"w1", "own steps before", "after", "kill"}, "upgrade", "w1"); code != -1 || f.phase("w1") != "changing" {
		t.Errorf("exit %d, %s: %s", code, f.phase("w1"), out)
	}

	out, err := f.command("--format", "json", "upgrade", "--all", "--max-failures", "100%").CombinedOutput()
	f.wants(string(out), "/index.php?title=Report", "wikictl.toml:", "the set-up of w2 has a fault", "/index.php?title=Missing", "as before")
	if err == nil {
		t.Error("it ended as if all was well")
	}
	for i, want := range []string{"MediaWiki 1.39.17", "MediaWiki 1.43.9", "MediaWiki 1.39.17"} {
		if got := f.client(fmt.Sprint("w", i)).version(); got != want {
			t.Errorf("w%d is %s, want %s\n%s", i, got, want, out)
		}
	}
	if got := strings.Join(f.sql("SELECT version, note FROM wiki_w1.reporter"), " "); got != "1.39.17 ahead 1.43.9 done" {
		t.Errorf("the steps of w1: %q", got)
	}
	if left := f.sql("SHOW TABLES FROM wiki_w0 LIKE 'reporter'"); len(left) != 0 {
		t.Error("w0 was put back, and has what its step made")
	}
	f.stepsNotRunAgain()
}

// stepsNotRunAgain: without a dump, a run that continues an interrupted one runs no step on the old
// code, and names those that may not have been run.
func (f *farm) stepsNotRunAgain() {
	f.t.Helper()
	if out, code := f.struck(event{"w1", "maintenance", "after", "kill"}, "upgrade", "--force", "--backup", "none", "w1"); code != -1 {
		f.t.Errorf("exit %d: %s", code, out)
	}
	f.wants(f.run("upgrade", "w1"), "the updater was run again", "remark: ", "upgrade.step: extensions/Reporter/maintenance/setup.php was not run again")
	if got := strings.Join(f.sql("SELECT version, note FROM wiki_w1.reporter"), " "); got != "1.39.17 ahead 1.43.9 done 1.43.9 done" {
		f.t.Errorf("the steps of w1: %q", got)
	}
}

// missingScripts: a step whose script a codebase does not have blocks before anything is
// touched, and is said with its place.
func (f *farm) missingScripts() {
	f.t.Helper()
	whole := f.read("wikictl.toml")
	f.write("wikictl.toml", whole+"[[upgrade.step]]\nscript = \"extensions/Reporter/maintenance/gone.php\"\nwhere = \"name=w1\"\n")
	f.refused(2, "upgrade.step: extensions/Reporter/maintenance/gone.php: codebase 1.43 has no such script", "upgrade", "--all")
	f.write("wikictl.toml", whole)
}
