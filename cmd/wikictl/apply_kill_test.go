package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"wikictl/tenants/backup"
)

// An apply that is killed while it renames, removes, makes and changes is
// finished by the next one.
func TestApplySurvivesKills(t *testing.T) {
	t.Parallel()
	steps := []string{"move", "check", "reload", "probe", "last dump", "database", "files", "ledger"}
	f := newFarm(t)
	f.define(len(steps) + 2)
	f.countHooks()
	f.exits(0, "apply", "--all")
	f.client("w0").edit("Only here", "of w0")
	want := f.client("w0").content()
	text := f.read("tenants/w0.toml")
	name := "w0"
	for i, step := range steps {
		removed, to := fmt.Sprintf("w%d", i+2), fmt.Sprintf("moved%d", i)
		must(t, os.Remove(filepath.Join(f.demo.Dir, "tenants", removed+".toml")))
		must(t, os.Remove(filepath.Join(f.demo.Dir, "tenants", name+".toml")))
		f.write("tenants/"+to+".toml", "database = \"wiki_w0\"\n"+strings.Replace(text, `"w0"`, `"`+to+`"`, 1))
		f.write("tenants/w1.toml", strings.Replace(f.read("tenants/w1.toml"), "Wiki 1", "Wiki 1.", 1))
		f.killAt(step)
		if out := f.exits(1, "plan"); step == "reload" {
			f.wants(out, "the web server has not read its whole configuration")
		}
		if step == "database" {
			f.sql("DROP TABLE IF EXISTS wiki_" + removed + ".page") // as if it were half dropped
		}
		f.exits(0, "apply", "--all", "--prune", "--yes")
		f.wants(f.exits(0, "plan"), "no changes")
		if traces := append(f.traces(name), f.traces(removed)...); len(traces) > 0 {
			t.Errorf("killed at %q: there are still %v", step, traces)
		}
		if got := f.client("w0").content(); got != want {
			t.Errorf("killed at %q: the renamed wiki holds\n%s", step, got)
		}
		if got := f.client("w1").sitename(); got != "Wiki 1"+strings.Repeat(".", i+1) {
			t.Errorf("killed at %q: the changed wiki is %s", step, got)
		}
		dumps, _ := filepath.Glob(f.state("removed/" + removed + "-*/database.*"))
		if len(dumps) != 2 {
			t.Fatalf("killed at %q: dumps are %v", step, dumps)
		}
		if b, err := backup.Open(dumps[1]); err != nil || b.Tables["page"].Rows == 0 {
			t.Errorf("killed at %q: the last dump is not whole: %v", step, err)
		}
		name = to
	}
	if got := f.sql("SELECT COUNT(*) FROM mysql.user WHERE User LIKE 'wiki%'"); got[0] != "4" {
		t.Errorf("%v accounts are there, want 4", got)
	}
}

// killAt kills an apply when a step begins or a moment later, or within a hook of
// the web server.
func (f *farm) killAt(step string) {
	f.t.Helper()
	events := filepath.Join(f.demo.Dir, "events")
	os.Remove(events)
	hook := filepath.Join(f.demo.Dir, "kill-"+step)
	if step == "check" || step == "reload" {
		must(f.t, os.WriteFile(hook, nil, 0o644))
	}
	cmd := f.command("apply", "--all", "--prune", "--yes", "--events", events)
	must(f.t, cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		data, _ := os.ReadFile(events)
		if strings.Contains(string(data), fmt.Sprintf(`"step":%q`, step)) {
			syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			<-ended
			return
		}
		select {
		case err := <-ended:
			if _, err := os.Stat(hook); (step == "check" || step == "reload") && err != nil {
				return
			}
			f.t.Errorf("apply ended before it came to %q: %v\n%s", step, err, data)
			return
		case <-time.After(time.Millisecond):
		}
	}
}
