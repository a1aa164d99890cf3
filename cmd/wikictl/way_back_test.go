package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// interruption is a state in which a killed upgrade or rollback leaves a wiki: the run is killed when
// the wiki is at a step.
type interruption struct {
	name   string
	run    []string // the command; those with the same are killed together
	fails  string   // step that fails before
	step   string   // where the wiki is then; empty: the run has done with it
	moment string
	phase  string // that the ledger has then
	oneWay bool   // there is no way back
}

var (
	upgrading = []string{"upgrade", "--jobs", "50", "--per-server", "0", "--max-failures", "100%"}
	dumpless  = append(slices.Clip(upgrading), "--backup", "none")
	unkilled  = append(slices.Clip(upgrading), "--backup=none") // a run of its own: no kill comes into its update.php
	keeping   = append(slices.Clip(upgrading), "--on-failure", "keep")
	rolling   = []string{"rollback", "--jobs", "50", "--yes"}
)

var interruptions = []interruption{
	{"begun", upgrading, "", "read-only", "after", "begun", false},
	{"half a dump", upgrading, "", "backup", "after", "begun", false},
	{"changing", upgrading, "", "update.php", "before", "changing", false},
	{"changed", upgrading, "", "check", "before", "changing", false},
	{"lost dump", upgrading, "", "check", "before", "changing", true},
	{"switching", upgrading, "", "switch", "before", "switching", false},
	{"switched", upgrading, "", "probe", "before", "switching", false},
	{"opening", upgrading, "", "open", "before", "opening", false},
	{"restoring", upgrading, "check", "restore", "before", "restoring", false},
	{"no dump", dumpless, "", "check", "before", "changing", true},
	{"failed without a dump", unkilled, "check", "", "", "changing", true},
	{"kept", keeping, "check", "", "", "kept", false},
	{"undoing", rolling, "", "read-only", "before", "undoing", false},
	{"undoing, frozen", rolling, "", "keep", "after", "undoing", false},
	{"undone half", rolling, "", "restore", "before", "restoring", false},
	{"undone", rolling, "", "old release", "after", "restoring", false},
	{"reopening", rolling, "", "open", "before", "reopening", false},
}

// plant leaves wikis in all states.
func (f *farm) plant(name func(i, finisher int) string) {
	f.t.Helper()
	gates := f.t.TempDir()
	for _, run := range [][]string{upgrading, dumpless, unkilled, keeping, rolling} {
		var events, held, wikis []string
		for i, l := range interruptions {
			if !slices.Equal(l.run, run) {
				continue
			}
			for finisher := range 2 {
				w := name(i, finisher)
				wikis = append(wikis, w)
				if l.fails != "" {
					events = append(events, event{w, l.fails, "before", "panic"}.String())
				}
				if l.step != "" {
					gate := filepath.Join(gates, w)
					events, held = append(events, event{w, l.step, l.moment, "hold=" + gate}.String()), append(held, gate+".held")
				}
			}
		}
		f.killedAt(strings.Join(events, ","), held, append(slices.Clip(run), wikis...))
	}
	for i, l := range interruptions {
		for finisher := range 2 {
			if l.name == "lost dump" {
				loseDump(f, name(i, finisher))
			}
			if got := f.phase(name(i, finisher)); got != l.phase {
				f.t.Errorf("%s: %s is left %q, want %q", l.name, name(i, finisher), got, l.phase)
			}
		}
	}
}

// killedAt runs wikictl and kills it when those files are there, or lets it end when
// there are none.
func (f *farm) killedAt(events string, held, args []string) {
	f.t.Helper()
	cmd := f.command(args...)
	cmd.Env = append(os.Environ(), hookVariable+"="+events)
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	must(f.t, cmd.Start())
	ended := make(chan struct{})
	go func() { cmd.Wait(); close(ended) }()
	missing := func(file string) bool { _, err := os.Stat(file); return err != nil }
	for len(held) > 0 && slices.ContainsFunc(held, missing) {
		select {
		case <-ended:
			f.t.Fatalf("wikictl %v ended by itself: %s", args, out.String())
		case <-time.After(20 * time.Millisecond):
		}
	}
	if len(held) > 0 {
		must(f.t, cmd.Process.Kill())
	}
	<-ended
	if code := cmd.ProcessState.ExitCode(); code == 0 || strings.Contains(out.String(), "goroutine ") {
		f.t.Errorf("wikictl %v was not struck: exit %d\n%s", args, code, out.String())
	}
}

func loseDump(f *farm, wiki string) {
	dumps, err := filepath.Glob(filepath.Join(f.demo.Dir, "state/backups", wiki, "*.sql.zst"))
	must(f.t, err)
	for _, dump := range dumps {
		must(f.t, os.WriteFile(dump, []byte("bitten by a mouse"), 0o600))
	}
}

// phase returns the phase of a wiki's open upgrade.
func (f *farm) phase(wiki string) string {
	f.t.Helper()
	return strings.Join(f.sql("SELECT phase FROM wikictl.upgrade WHERE ended IS NULL AND tenant = '"+wiki+"'"), " ")
}

// request wants a whole page of one release or an honest 503, and says which.
func (f *farm) request(wiki, path string) string {
	request, err := http.NewRequest("GET", fmt.Sprintf("http://127.0.0.1:%d%s", f.demo.Web.Port, path), nil)
	if err != nil {
		return err.Error()
	}
	request.Host = wiki + ".localhost"
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	text := string(body)
	switch {
	case err == nil && response.StatusCode == 503 && response.Header.Get("Retry-After") != "" && strings.Contains(text, "This wiki is"):
		return "closed"
	case err == nil && response.StatusCode == 200 && strings.HasSuffix(strings.TrimSpace(text), "</html>"):
		for _, version := range []string{"1.39.17", "1.43.9"} {
			if strings.Contains(text, `content="MediaWiki `+version+`"`) {
				return version
			}
		}
	}
	if _, heading, found := strings.Cut(text, `id="firstHeading"`); found { // what MediaWiki says is wrong
		text = heading
	}
	return fmt.Sprintf("BAD %v %d %.1500q", err, response.StatusCode, text)
}

// In each state in which a killed upgrade or rollback leaves a wiki, all other commands change
// nothing, readers see no error, and both upgrade and rollback lead out of it, and say so.
func TestEveryStateLeadsOn(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.define(2 * len(interruptions))
	f.run("create", "--all")
	f.want143()
	name := func(i, finisher int) string { return fmt.Sprint("w", 2*i+finisher) }
	var upgraded []string
	for i, l := range interruptions {
		if l.run[0] == "rollback" {
			upgraded = append(upgraded, name(i, 0), name(i, 1))
		}
	}
	f.run(append([]string{"upgrade"}, upgraded...)...)
	f.plant(name)
	if t.Failed() {
		t.FailNow()
	}
	before := f.sql("SELECT run, tenant, phase FROM wikictl.upgrade WHERE ended IS NULL ORDER BY tenant")
	for _, args := range [][]string{{"status"}, {"plan"}, {"create", "--all"}, {"apply", "--all"}, {"render", "--write", "--all"}, {"audit", "--quick"}, {"rollback", "--dry-run", "--all"}, {"upgrade", "--dry-run", "--all"}} {
		cmd := f.command(args...)
		if out, _ := cmd.CombinedOutput(); cmd.ProcessState.ExitCode() < 0 || cmd.ProcessState.ExitCode() > 2 || strings.Contains(string(out), "goroutine ") {
			t.Errorf("wikictl %v: exit %d: %s", args, cmd.ProcessState.ExitCode(), out)
		}
	}
	if after := f.sql("SELECT run, tenant, phase FROM wikictl.upgrade WHERE ended IS NULL ORDER BY tenant"); !slices.Equal(before, after) {
		t.Errorf("commands that only read upgrades changed them:\n%v\n%v", before, after)
	}
	for i, l := range interruptions {
		for finisher := range 2 {
			if got := f.request(name(i, finisher), "/index.php?title=Main_Page"); strings.HasPrefix(got, "BAD") {
				t.Errorf("%s: readers get %s", l.name, got)
			}
		}
	}
	f.finishAll(name)
	f.redosLeadOn(name)
}

// finishAll ends half of the states by upgrade, and half by rollback.
func (f *farm) finishAll(name func(i, finisher int) string) {
	t := f.t
	up, down := []string{"upgrade", "--max-failures", "100%"}, []string{"rollback", "--yes"}
	for i, l := range interruptions {
		up, down = append(up, name(i, 0)), append(down, name(i, 1))
		if l.oneWay {
			f.refused(2, "blocked ", "rollback", "--yes", name(i, 1))
			up, down = append(up, name(i, 1)), down[:len(down)-1]
		}
	}
	out := f.run(up...)
	for i, l := range interruptions {
		if !strings.Contains(out, "\n"+name(i, 0)+": ") {
			t.Errorf("%s: the result of upgrade does not say what became of it:\n%s", l.name, out)
		}
	}
	f.run(down...)
	f.refused(2, "no older upgrade to undo", down...)
	for i, l := range interruptions {
		for finisher, want := range []string{"MediaWiki 1.43.9", "MediaWiki 1.39.17"} {
			c := f.client(name(i, finisher))
			if l.oneWay {
				want = "MediaWiki 1.43.9"
			}
			if got := c.version(); got != want {
				t.Errorf("%s, finisher %d: it is %s, want %s", l.name, finisher, got, want)
			}
			c.edit("After", "the walk")
		}
	}
	f.noneOpen()
	if wrong := f.sql("SELECT tenant, old_version, new_version FROM wikictl.upgrade WHERE old_version <> '1.39.17' OR new_version <> '1.43.9'"); len(wrong) > 0 {
		t.Errorf("upgrades of versions that were not there: %v", wrong)
	}
}

// noneOpen wants that no upgrade is unfinished and no wiki closed.
func (f *farm) noneOpen() {
	f.t.Helper()
	if open := f.sql("SELECT tenant, phase FROM wikictl.upgrade WHERE ended IS NULL"); len(open) > 0 {
		f.t.Errorf("still open: %v", open)
	}
	for _, name := range []string{"maintenance", "read-only"} {
		if files, _ := filepath.Glob(filepath.Join(f.demo.Dir, "state/wikis/*/", name)); len(files) > 0 {
			f.t.Errorf("still closed: %v", files)
		}
	}
}

// A rollback holds the tenant's lock while it asks, and asks again about edits that were made
// meanwhile; a repeated rollback does not go back further.
func TestRollbackAsksUnderTheLock(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.define(1)
	f.run("create", "--all")
	f.want143()
	f.run("upgrade", "w0")
	c := f.client("w0")
	c.edit("Year", "of work")
	f.run("upgrade", "--force", "w0")
	c.edit("Since", "the second")

	f.sql("CREATE TRIGGER wikictl.refuse BEFORE INSERT ON wikictl.run FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'there is no room'")
	f.refused(2, "there is no room", "rollback", "--yes", "w0")
	f.sql("DROP TRIGGER wikictl.refuse")

	q := f.asks("rollback", "w0")
	q.wait("lose content made since? [y/N]")
	f.refused(75, "locked by", "upgrade", "--force", "w0")
	c.edit("Meanwhile", "a page")
	q.answer("y")
	q.wait("more was edited while you were asked: now 2 edits")
	q.answer("n")
	if code := q.end(); code != 2 || !strings.Contains(q.text(), "it is open as before") {
		t.Fatalf("exit %d: %s", code, q.text())
	}
	c.edit("Meanwhile", "still open")

	out := f.run("rollback", "--yes", "w0")
	if !strings.Contains(out, "its content until then is in "+f.demo.Dir+"/state/backups/w0/") || !strings.Contains(out, `3 edits`) {
		t.Error(out)
	}
	if page := c.page("Year"); !strings.Contains(page, "of work") || strings.Contains(c.page("Since"), "the second") {
		t.Errorf("after the first rollback: %s", page)
	}
	undone := f.sql("SELECT undone_by FROM wikictl.upgrade WHERE tenant = 'w0' ORDER BY started DESC LIMIT 1")[0]
	if f.run("rollback", "--yes", "--to", undone, "w0"); !strings.Contains(c.page("Since"), "the second") {
		t.Error("what a rollback dropped was not brought back")
	}
	f.run("rollback", "--yes", "w0")
	first := f.sql("SELECT run FROM wikictl.upgrade WHERE tenant = 'w0' ORDER BY started")[0]
	f.refused(2, "to go back further, to MediaWiki 1.39.17: --to "+first, "rollback", "--yes", "w0")
	if c.version() != "MediaWiki 1.43.9" {
		t.Fatal("a repeated rollback went back further")
	}
	q = f.asks("rollback", "--to", first, "w0")
	q.wait("go back FURTHER than the last upgrade, to dumps of up to 0.0 days ago")
	q.answer("y")
	if code := q.end(); code != 0 || c.version() != "MediaWiki 1.39.17" {
		t.Errorf("exit %d: %s", code, q.text())
	}
	f.rollbackFails(c)
}

// rollbackFails has rollbacks of w0 fail at two steps; the next one goes through.
func (f *farm) rollbackFails(c *client) {
	t := f.t
	t.Helper()
	if _, code := f.struck(event{"w0", "keep", "before", "panic"}, "upgrade", "w0"); code != 0 {
		t.Errorf("exit %d", code)
	}
	if out, code := f.struck(event{"w0", "keep", "before", "panic"}, "rollback", "--yes", "w0"); code != 2 || !strings.Contains(out, "it is open as before") {
		t.Errorf("exit %d: %s", code, out)
	}
	if out, code := f.struck(event{"w0", "restore", "after", "fail"}, "rollback", "--yes", "--backup", "none", "w0"); code != 2 || !strings.Contains(out, "until wikictl rollback w0 is run again") {
		t.Errorf("exit %d: %s", code, out)
	}
	if f.run("rollback", "--yes", "w0"); c.version() != "MediaWiki 1.39.17" {
		t.Errorf("it is %s", c.version())
	}
	c.edit("After", "all")
}
