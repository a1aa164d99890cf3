package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A rename that was killed goes back when the files give the wiki its name again;
// until it has ended or gone back, nobody else gets its folder or secrets, and none of
// it counts as left over.
func TestKilledRenameGoesBack(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.define(3)
	f.exits(0, "create", "--all")
	c := f.client("w0")
	c.login("w0")
	c.edit("Kept", "through renames")
	old := f.read("tenants/w0.toml")
	renamed := strings.Replace(old, `name = "w0"`, "name = \"other\"\ndatabase = \"wiki_w0\"", 1)
	for _, e := range []event{{"other", "move", "after", "kill"}, {"", "release", "after", "kill"}, {"other", "probe", "after", "kill"}} {
		killRename(f, e, renamed)
		f.write("tenants/w0.toml", old)
		f.wants(f.exits(1, "plan"), "change w0: a rename to other was interrupted")
		f.exits(2, "create", "w0")
		f.exits(0, "apply", "--all")
		f.exits(0, "plan")
		f.client("w0").login("w0")
		f.wants(f.client("w0").page("Kept"), "through renames")
		if traces := f.traces("other"); len(traces) > 0 {
			t.Errorf("%v: there are %v", e, traces)
		}
	}
	goesBackAfterKill(f, old, renamed)
	namesInTheWay(f, old, renamed)
	chain(f)
}

func killRename(f *farm, e event, renamed string) {
	f.t.Helper()
	f.write("tenants/w0.toml", renamed)
	if out, code := f.struck(e, "apply", "--all"); code != -1 {
		f.t.Fatalf("%v: exit code %d\n%s", e, code, out)
	}
}

// goesBackAfterKill kills the way back as well.
func goesBackAfterKill(f *farm, old, renamed string) {
	for _, e := range []event{{"w0", "move back", "after", "kill"}, {"", "release", "after", "kill"}, {"w0", "probe", "after", "kill"}} {
		killRename(f, event{"other", "move", "after", "kill"}, renamed)
		killRename(f, e, old)
		f.exits(0, "apply", "--all")
		f.exits(0, "plan")
		f.client("w0").login("w0")
		if traces := f.traces("other"); len(traces) > 0 {
			f.t.Errorf("%v: there are %v", e, traces)
		}
	}
}

// namesInTheWay gives the wiki a third name, its second name to another wiki, and
// removes its definition.
func namesInTheWay(f *farm, old, renamed string) {
	killRename(f, event{"other", "move", "after", "kill"}, renamed)
	f.write("tenants/w0.toml", strings.Replace(renamed, `name = "other"`, `name = "third"`, 1))
	f.wants(f.exits(2, "plan"), "blocked third: ", "a rename to other was interrupted; give it that name or w0")
	f.write("tenants/w0.toml", old)
	other := strings.ReplaceAll(old, "w0", "other")
	f.write("tenants/other.toml", other)
	f.wants(f.exits(2, "plan", "other"), "belong to w0, whose rename was interrupted: wikictl apply w0")
	f.exits(2, "create", "other")
	must(f.t, os.Remove(f.demo.Dir+"/tenants/other.toml"))
	must(f.t, os.Remove(f.demo.Dir+"/tenants/w0.toml"))
	f.wants(f.exits(1, "plan"), "can't be removed: its rename to other was interrupted", "1 left over")
	f.exits(2, "apply", "--all", "--prune", "--yes")
	f.write("tenants/w0.toml", renamed)
	f.exits(0, "apply", "--all")
	f.exits(0, "plan")
	f.wants(f.client("w0").page("Kept"), "through renames")
}

// chain gives a wiki the name that another wiki gives up: nobody is told to remove a
// database in which a wiki lives. The last rename is killed, another wiki's change is served, and
// then the web server takes its time to load the new name: the wiki is served until then.
func chain(f *farm) {
	one, two := f.read("tenants/w1.toml"), f.read("tenants/w2.toml")
	f.write("tenants/w1.toml", strings.Replace(one, `name = "w1"`, "name = \"z\"\ndatabase = \"wiki_w1\"", 1))
	f.exits(1, "plan")
	f.write("tenants/w2.toml", strings.Replace(two, `name = "w2"`, "name = \"w1\"\ndatabase = \"wiki_w2\"", 1))
	out := f.exits(2, "plan")
	f.wants(out, "as that of w1, which is now the name of another tenant", "first w1 to z")
	if strings.Contains(out, "remove the database") {
		f.t.Error(out)
	}
	f.write("tenants/w2.toml", two)
	f.exits(0, "apply", "--all")
	f.write("tenants/w2.toml", strings.Replace(two, `name = "w2"`, "name = \"w1\"\ndatabase = \"wiki_w2\"", 1))
	if out, code := f.struck(event{"w1", "move", "after", "kill"}, "apply", "--all"); code != -1 {
		f.t.Fatalf("exit code %d\n%s", code, out)
	}
	f.write("tenants/w0.toml", f.read("tenants/w0.toml")+"wgMaxUploadSize = 3000000\n")
	f.exits(0, "apply", "other")
	f.reloadsLate()
	f.exits(0, "apply", "--all")
	for range 10 {
		if got := f.asked("w2.localhost", "/wiki/Main_Page"); !strings.HasPrefix(got, "200 ") {
			f.t.Errorf("the renamed wiki is gone: %.300s", got)
		}
	}
	f.exits(0, "plan")
}

// reloadsLate has the web server load a new configuration a second after it was told to.
func (f *farm) reloadsLate() {
	f.t.Helper()
	script := filepath.Join(f.demo.Dir, "late")
	must(f.t, os.WriteFile(script, []byte("#!/bin/sh\n( sleep 1; exec \"$@\" ) > /dev/null 2>&1 &\n"), 0o755))
	f.write("wikictl.toml", strings.Replace(f.read("wikictl.toml"), "reload = [", fmt.Sprintf("reload = [%q, ", script), 1))
}
