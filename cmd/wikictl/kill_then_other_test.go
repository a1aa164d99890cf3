package main

import (
	"os"
	"strings"
	"testing"
)

// After a kill somebody types another command than the one that was killed: it does not make
// another wiki of what is left, and names the command that finishes.
func TestOtherCommandsAfterAKill(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.define(3)
	f.exits(0, "create", "--all")
	f.halfDeleted()
	f.deletedButForItsFile()
	f.halfStaged()
	f.halfRolledBack()
}

// afterwards runs the commands that make and change wikis, and wants words in what each says.
func (f *farm) afterwards(words string) {
	f.t.Helper()
	for _, args := range [][]string{{"plan"}, {"create", "--all"}, {"create", "--all", "--dry-run"}, {"apply", "--all"}} {
		out, story, _ := f.result(args...)
		if !strings.Contains(out+story, words) {
			f.t.Errorf("wikictl %v does not say %q:\n%s%s", args, words, out, story)
		}
	}
}

// halfDeleted kills a deletion before its dump: no job is run whose effects the dump might lack.
func (f *farm) halfDeleted() {
	f.t.Helper()
	f.exits(0, "jobs", "run", "w2")
	f.queue("w2", 3)
	if out, code := f.struck(event{"w2", "mark", "after", "kill"}, "delete", "w2", "--yes", "--no-backup"); code != -1 {
		f.t.Fatal(code, out)
	}
	f.afterwards("wikictl delete w2 finishes that; wikictl undelete w2 keeps it")
	for _, args := range [][]string{{"jobs", "run", "w2"}, {"upgrade", "w2"}} {
		_, story, code := f.result(args...)
		if f.wants(story, "did not finish", "wikictl plan w2 says what finishes it"); code != 2 {
			f.t.Errorf("wikictl %v: exit code %d", args, code)
		}
	}
	if left := f.backlog("w2"); left != "3" {
		f.t.Errorf("%s of 3 jobs are left", left)
	}
	out, _, _ := f.result("audit", "--quick", "w2")
	f.wants(out, "wikictl delete …")
	f.exits(0, "delete", "w2", "--yes")
	f.exits(0, "undelete", "w2")
	if left := f.backlog("w2"); left != "3" {
		f.t.Errorf("%s of 3 jobs came back", left)
	}
}

// deletedButForItsFile kills a deletion before its last step.
func (f *farm) deletedButForItsFile() {
	f.t.Helper()
	if out, code := f.struck(event{"w2", "ledger", "after", "kill"}, "delete", "w2", "--yes", "--no-backup"); code != -1 {
		f.t.Fatal(code, out)
	}
	f.afterwards("wikictl delete w2 finishes that, or wikictl undelete w2 brings it back")
	if traces := f.traces("w2"); len(traces) > 0 {
		f.t.Errorf("an empty wiki was made: %v", traces)
	}
	f.exits(0, "delete", "w2", "--yes")
	f.exits(0, "plan")
	f.exits(0, "undelete", "w2")
	f.hasStatus("w2.localhost", "200 ")

	file := f.read("tenants/w2.toml")
	f.exits(0, "delete", "w2", "--yes", "--no-backup")
	f.write("tenants/w2.toml", file)
	f.wants(f.exits(1, "plan"), "a new wiki, although run") // it was deleted, and is wanted again
	must(f.t, os.Remove(f.demo.Dir+"/tenants/w2.toml"))
	f.exits(0, "undelete", "w2")
}

// halfStaged kills a stage between the definition of the copy and the copy.
func (f *farm) halfStaged() {
	f.t.Helper()
	if out, code := f.struck(event{"w0-stage", "lock", "before", "kill"}, "stage", "w0"); code != -1 {
		f.t.Fatal(code, out)
	}
	f.afterwards("only wikictl stage w0 --as w0-stage makes or finishes")
	if traces := f.traces("w0-stage"); len(traces) > 0 {
		f.t.Errorf("an empty wiki was made: %v", traces)
	}
	f.exits(0, "stage", "w0")
	f.exits(0, "plan")
}

// halfRolledBack kills a rollback of the upgrade that the definition wants.
func (f *farm) halfRolledBack() {
	f.t.Helper()
	f.write("tenants/w1.toml", "codebase = \"1.43\"\n"+f.read("tenants/w1.toml"))
	f.exits(0, "upgrade", "w1")
	if out, code := f.struck(event{"w1", "read-only", "after", "kill"}, "rollback", "--yes", "w1"); code != -1 {
		f.t.Fatal(code, out)
	}
	f.afterwards("is rolling it back, or was interrupted; wikictl rollback w1 finishes it")
	_, story, _ := f.result("backup", "w1")
	f.wants(story, "wikictl rollback w1 finishes it")
	f.exits(0, "rollback", "--yes", "w1")
	if got := f.client("w1").version(); got != "MediaWiki 1.39.17" {
		f.t.Errorf("it is %s", got)
	}
}
