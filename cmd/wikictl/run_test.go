package main

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// ran is the document of wikictl run.
type ran struct {
	Run     string
	Counts  struct{ Done, Failed, Skipped int }
	Tenants []struct {
		Name, Status, Error, Log string
		Exit                     *int
		Output                   string
	}
}

// runs runs a script with the result in JSON, and wants an exit code.
func (f *farm) runs(code int, args ...string) (d ran) {
	f.t.Helper()
	out := f.exits(code, append([]string{"--format", "json", "run"}, args...)...)
	must(f.t, json.Unmarshal([]byte(out), &d))
	return d
}

// typed runs wikictl with text on standard input.
func (f *farm) typed(input string, args ...string) (out, story string, code int) {
	f.t.Helper()
	cmd := f.command(args...)
	var stderr strings.Builder
	cmd.Stdin, cmd.Stderr = strings.NewReader(input), &stderr
	text, _ := cmd.Output()
	return string(text), stderr.String(), cmd.ProcessState.ExitCode()
}

// An administrator runs scripts, SQL and jobs over three wikis, of which one is on newer
// code, and each fault stays where it is.
func TestMaintenance(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.define(3)
	f.write("tenants/w2.toml", "codebase = \"1.43\"\nextensions = [\"AbuseFilter\"]\n"+f.read("tenants/w2.toml"))
	f.run("create", "--all")
	for _, part := range []struct {
		name string
		do   func(*testing.T, *farm)
	}{
		{"scripts", runsScripts}, {"arguments", runsArguments}, {"input", runsWithInput}, {"failures", runsFailures}, {"locks", runsLocked}, {"sql", runsSQL}, {"jobs", runsJobs}, {"killed jobs", killedJobs}, {"paused jobs", pausedJobs}, {"service", servesJobs}, {"fair jobs", fairJobs}, {"metrics", measures}, {"states", closes},
	} {
		f.t = t
		t.Run(part.name, func(t *testing.T) {
			f.t = t
			part.do(t, f)
		})
	}
}

// runsScripts: MediaWiki's, an extension's, a file, and code from standard input.
func runsScripts(t *testing.T, f *farm) {
	d := f.runs(0, "--all", "--", "showSiteStats")
	if d.Counts.Done != 3 || len(d.Tenants) != 3 {
		t.Fatalf("%+v", d)
	}
	for _, one := range d.Tenants {
		log, err := os.ReadFile(one.Log)
		if err != nil || one.Exit == nil || *one.Exit != 0 || !strings.Contains(one.Output, "Number of users") || !strings.Contains(string(log), one.Output) {
			t.Errorf("%+v: %q %v", one, log, err)
		}
	}
	f.wants(f.exits(0, "run", "w0", "w2", "--", "maintenance/showSiteStats.php"), "w0: Number of users", "w2: Number of users")
	f.wants(f.exits(0, "run", "w0", "--output", "group", "--", "showSiteStats.php"), "==> w0 <==\nTotal edits")
	for _, name := range []string{"AbuseFilter:SearchFilters", "extensions/AbuseFilter/maintenance/SearchFilters.php"} {
		out := f.refuses(2, "run", "--all", "--with", "extension=AbuseFilter", "--", name, "--help") // MediaWiki's exit status of that is 1
		f.wants(out, "w2: Find all filters", "run: 0 done, 0 unchanged, 1 failed")
	}
	f.wants(f.refuses(64, "run", "--all", "--", "showSiteStat"), "did you mean \"showSiteStats\"?")
	f.wants(f.refuses(64, "run", "--all", "--", "Missing:thing"), `no extension and no skin "Missing"`)
	f.refuses(64, "run", "w0")
	f.refuses(64, "run", "w0", "--")
	f.refuses(64, "run", "--", "showSiteStats")
	out, story, code := f.typed("$this->output( MW_VERSION . ' ' . $wgNothing . implode( '|', $args ) . \"\\n\" );", "run", "w1", "w2", "--", "eval", "a b", "$x")
	if code != 0 {
		t.Fatal(out, story)
	}
	f.wants(out, "w1: 1.39.17 a b|$x", "w2: 1.43.9 a b|$x")
	if left, _ := filepath.Glob(f.state("run/code-*")); left != nil {
		t.Errorf("the code stays: %v", left)
	}
	if _, _, code := f.typed("return false;", "run", "w1", "--", "eval"); code != 2 {
		t.Errorf("eval that returns false: exit code %d", code)
	}
}

// runsArguments: what stands after "--" reaches a script byte for byte.
func runsArguments(t *testing.T, f *farm) {
	file := filepath.Join(f.demo.Dir, "say it.php")
	must(t, os.WriteFile(file, []byte(`<?php echo json_encode( array_map( 'bin2hex', array_slice( $argv, 1 ) ) ), ' ', getcwd(), "\n";`), 0o644))
	args := []string{"--all", "", "a b", "'", `"`, "$HOME", "`id`", "\\", "ä", "\xff\xfe", "-", "--", "*", "new\nline", "--generate"}
	d := f.runs(0, append([]string{"w0", "--", file}, args...)...)
	text, _, _ := strings.Cut(d.Tenants[0].Output, " ")
	var got []string
	must(t, json.Unmarshal([]byte(text), &got))
	for i, arg := range args {
		if i >= len(got) || got[i] != hex.EncodeToString([]byte(arg)) {
			t.Errorf("argument %d, %q, arrived as %q", i, arg, got)
		}
	}
	cmd := f.command("run", "w0", "--", "./say it.php")
	cmd.Dir = f.demo.Dir
	out, err := cmd.Output()
	if err != nil || !strings.Contains(string(out), f.demo.Dir+"\n") {
		t.Errorf("%v: %s", err, out)
	}
}

// runsFailures: a tenant's failure is that tenant's, first, in the middle and last, and can
// be tried again alone.
func runsFailures(t *testing.T, f *farm) {
	fails := filepath.Join(f.demo.Dir, "fails.php")
	for i, name := range []string{"w0", "w1", "w2"} {
		must(t, os.WriteFile(fails, []byte(`<?php echo "says\n"; if ( strpos( getenv( 'MW_CONFIG_FILE' ), '/`+name+`/' ) ) { exit( 7 ); }`), 0o644))
		d := f.runs(2, "--all", "--jobs", "1", "--", fails)
		for j, one := range d.Tenants {
			want := map[bool]string{true: "failed", false: "done"}[i == j]
			if one.Status != want || one.Exit == nil || (*one.Exit == 7) != (i == j) || one.Output != "says" {
				t.Errorf("%s fails: %+v", name, one)
			}
		}
		must(t, os.WriteFile(fails, []byte(`<?php echo "better\n";`), 0o644))
		if again := f.runs(0, "--retry-failed", d.Run, "--", fails); len(again.Tenants) != 1 || again.Tenants[0].Name != name {
			t.Errorf("%+v", again)
		}
	}
	must(t, os.WriteFile(fails, []byte(`<?php echo "secret words\n"; exit( strpos( getenv( 'MW_CONFIG_FILE' ), '/w1/' ) ? 1 : 0 );`), 0o644))
	out, story, code := f.result("run", "--all", "--output", "failed", "--", fails)
	if code != 2 || out != "==> w1 <==\nsecret words\n" || !strings.Contains(story, "run: 2 done, 0 unchanged, 1 failed") {
		t.Errorf("%d %q %s", code, out, story)
	}
	must(t, os.WriteFile(fails, []byte(`<?php sleep( 100 );`), 0o644))
	if d := f.runs(2, "w0", "--limit", "200ms", "--", fails); !strings.Contains(d.Tenants[0].Error, "did not end within 200ms") {
		t.Errorf("%+v", d)
	}
	f.refuses(64, "run", "--retry-failed", "20200101-000000-aaaaaa", "--", fails)
	must(t, os.WriteFile(fails, []byte(`<?php foreach ( explode( ' ', 'x' ) as $x ) { require getenv( 'MW_INSTALL_PATH' ) . '/maintenance/Maintenance.php'; }
class MakesTable extends Maintenance { public function execute() { $this->getDB( DB_PRIMARY )->query( 'CREATE TABLE made_by_run (a INT)', __METHOD__ ); } }
$maintClass = MakesTable::class; require_once RUN_MAINTENANCE_IF_MAIN;`), 0o644))
	f.runs(2, "w0", "w2", "--", fails)
	f.runs(0, "w0", "w2", "--schema-account", "--", fails)
}

// runsLocked: an upgrade and a script exclude each other, and a drained run says what it did
// not come to.
func runsLocked(t *testing.T, f *farm) {
	out, code := f.held("w0", "script", "before", func() {
		f.wants(f.refuses(75, "run", "w0", "--", "showSiteStats"), "is locked by")
		f.refuses(75, "upgrade", "w0", "--force")
		if d := f.runs(75, "w0", "w1", "--", "showSiteStats"); d.Counts.Done != 1 {
			t.Errorf("%+v", d)
		}
	}, "run", "w0", "--", "showSiteStats")
	if code != 0 {
		t.Errorf("%d %s", code, out)
	}
	waits := filepath.Join(f.demo.Dir, "waits.php")
	must(t, os.WriteFile(waits, []byte(`<?php echo "waiting\n"; while ( !file_exists( __DIR__ . '/go on' ) ) { usleep( 5000 ); clearstatcache(); }`), 0o644))
	s := f.start("run", "--all", "--jobs", "1", "--", waits)
	s.prints("w0: waiting")
	must(t, s.cmd.Process.Signal(os.Interrupt))
	s.prints("finishing the work in progress")
	f.write("go on", "")
	if out, code := s.ends(); code != 130 || !strings.Contains(out, "run: 1 done, 0 unchanged, 0 failed, 2 skipped") {
		t.Errorf("%d %s", code, out)
	}
	run := f.sql("SELECT id FROM wikictl.run ORDER BY started DESC LIMIT 1")[0]
	if again := f.runs(0, "--retry-failed", run, "--", "showSiteStats"); len(again.Tenants) != 2 {
		t.Errorf("%+v", again)
	}
}

// runsWithInput: what comes on standard input reaches the scripts of all wikis, or they are not run.
func runsWithInput(t *testing.T, f *farm) {
	_, story, code := f.typed("Page of many\n", "run", "--all", "--stdin", "--", "edit", "--user", "Admin", "From input")
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, story)
	}
	for _, wiki := range []string{"w0", "w1", "w2"} {
		if page := f.get(wiki+".localhost", "/index.php?title=From_input&action=raw"); !strings.Contains(page, "Page of many") {
			t.Errorf("%s: %s", wiki, page)
		}
	}
	if out, story, code := f.typed("From input\n", "run", "--all", "--stdin", "--", "deleteBatch"); code != 0 || strings.Count(out, "Deleted") != 3 {
		t.Errorf("exit code %d: %s %s", code, out, story)
	}
	for _, c := range []struct{ script, says string }{
		{"edit", "saves what it reads from standard input"},
		{"purgeList", "may read standard input, and would not get what is there"},
	} {
		if _, story, code := f.typed("lost", "run", "--all", "--", c.script, "From input"); code != 64 || !strings.Contains(story, c.says) || !strings.Contains(story, "--stdin") {
			t.Errorf("exit code %d: %s", code, story)
		}
	}
	if _, story, code := f.typed("read by another program", "run", "w0", "--", "showSiteStats"); code != 0 {
		t.Errorf("exit code %d: %s", code, story)
	}
	f.wants(f.exits(0, "run", "w0", "--", "purgeList"), "w0: Purging 0 urls")
	if left, err := filepath.Glob(filepath.Join(f.demo.Dir, "state", "run", "input-*")); err != nil || len(left) > 0 {
		t.Errorf("%q, %v", left, err)
	}
}
