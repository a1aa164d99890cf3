package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A wiki whose upgrade is open is not removed, as its database is for neither code;
// what was never whole is made anew, and does not come back as a wiki without an
// administrator; and a folder whose files went back is no removal to take back.
func TestHalfOfAWikiIsNotBroughtBack(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.define(3)
	f.exits(0, "create", "w0", "w1")
	neverWhole(f)
	renamedByHalf(f)
	goneBack(f)
	openUpgrade(f)
}

// openUpgrade removes the definition of a wiki whose upgrade was killed.
func openUpgrade(f *farm) {
	old := f.read("tenants/w0.toml")
	f.write("tenants/w0.toml", "codebase = \"1.43\"\n"+old)
	f.struck(event{"w0", "update.php", "after", "kill"}, "upgrade", "w0")
	file := f.read("tenants/w0.toml")
	must(f.t, os.Remove(f.demo.Dir+"/tenants/w0.toml"))
	f.wants(f.exits(1, "plan"), "is upgrading it, or was interrupted", "wikictl upgrade w0", "wikis/w0/current/definition.toml")
	f.exits(2, "apply", "--all", "--prune", "--yes")
	if len(f.traces("w0")) == 0 {
		f.t.Error("it was removed")
	}
	f.write("tenants/w0.toml", file)
	f.exits(0, "upgrade", "w0")
	f.exits(0, "plan", "w0")
	rollsBackAfterReturn(f)

	// One whose upgrade is begun after it was seen to be left over.
	must(f.t, os.Remove(f.demo.Dir+"/tenants/w1.toml"))
	out, code := f.held("w1", "lock", "before", func() {
		f.sql(`INSERT INTO wikictl.upgrade (run, tenant, phase, old_codebase, old_version, old_set, old_release, new_codebase, new_version, new_set, new_release, backup, backup_bytes, started)
			SELECT run, 'w1', 'changing', old_codebase, old_version, old_set, old_release, new_codebase, new_version, new_set, new_release, backup, backup_bytes, started FROM wikictl.upgrade LIMIT 1`)
	}, "apply", "--all", "--prune", "--yes")
	if code != 2 || len(f.traces("w1")) == 0 {
		f.t.Error(code, out)
	}
}

// rollsBackAfterReturn removes a wiki that was upgraded, brings it back, and undoes the
// upgrade: the ledger knows of it again.
func rollsBackAfterReturn(f *farm) {
	f.client("w0").edit("Upgraded", "and written")
	upgrades := f.sql("SELECT run, phase, old_version, backup, opened FROM wikictl.upgrade WHERE tenant = 'w0' ORDER BY started")
	f.removed("w0")
	f.defineRemoved("w0")
	f.exits(0, "undelete", "w0")
	if got := f.sql("SELECT run, phase, old_version, backup, opened FROM wikictl.upgrade WHERE tenant = 'w0' ORDER BY started"); !slices.Equal(got, upgrades) || len(got) == 0 {
		f.t.Errorf("the ledger has %v of its upgrades, and had %v", got, upgrades)
	}
	f.exits(0, "rollback", "--yes", "w0")
	f.wants(f.client("w0").version(), "1.39")
}

// neverWhole removes a wiki whose making was killed, and defines it again.
func neverWhole(f *farm) {
	file := f.read("tenants/w2.toml")
	f.struck(event{"w2", "schema", "after", "kill"}, "create", "w2")
	f.removed("w2")
	f.write("tenants/w2.toml", file)
	_, story, code := f.result("undelete", "w2")
	f.wants(story, "was unfinished when run", "wikictl create w2")
	if code != 2 {
		f.t.Error(code)
	}
	f.exits(0, "create", "w2")
	f.client("w2").login("w2")

	// Whole, and never served: it has folders for uploads when it comes back.
	f.removed("w2")
	must(f.t, os.RemoveAll(f.state("removed")))
	f.write("tenants/w2.toml", file)
	f.struck(event{"w2", "ledger", "after", "kill"}, "create", "w2")
	f.removed("w2")
	f.write("tenants/w2.toml", file)
	f.exits(0, "undelete", "w2")
	f.client("w2").login("w2")
	f.exits(0, "audit", "--fail-on", "error", "--quick", "w2")
}

// renamedByHalf removes a wiki under its former name, as its rename was killed, and asks
// for it under the new one: plan and undelete say which name it comes back by.
func renamedByHalf(f *farm) {
	old := f.read("tenants/w2.toml")
	renamed := strings.Replace(old, `name = "w2"`, "name = \"other\"\ndatabase = \"wiki_w2\"", 1)
	must(f.t, os.RemoveAll(f.state("removed")))
	f.write("tenants/w2.toml", renamed)
	f.struck(event{"other", "move", "before", "kill"}, "apply", "other")
	f.removed("w2")
	f.write("tenants/w2.toml", renamed)
	f.wants(f.exits(1, "plan", "other"), "removed w2, which had its database", "wikictl undelete w2")
	_, story, code := f.result("undelete", "other")
	f.wants(story, "as that of w2", "wikictl undelete w2")
	if code != 2 {
		f.t.Error(code)
	}
	f.write("tenants/w2.toml", old)
	f.exits(0, "undelete", "w2")
	f.client("w2").login("w2")
	f.exits(0, "plan", "w2")
}

// goneBack removes a wiki again whose return was killed at its end, and asks for the
// first removal.
func goneBack(f *farm) {
	f.removed("w1")
	f.defineRemoved("w1")
	file := f.read("tenants/w1.toml")
	f.struck(event{"w1", "probe", "after", "kill"}, "undelete", "w1")
	folders, _ := filepath.Glob(f.state("removed/w1-*"))
	first := strings.TrimPrefix(filepath.Base(folders[0]), "w1-")
	f.removed("w1")
	f.write("tenants/w1.toml", file)
	_, story, code := f.result("undelete", "--run", first, "w1")
	f.wants(story, "its secrets are no longer in")
	if code != 2 {
		f.t.Error(code)
	}
	f.exits(0, "undelete", "w1")
	f.exits(0, "plan", "w1")
}
