package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Waves start one after the other, each is asked about, a wiki that is blocked is left
// out, and no more run on a server than was said.
func TestUpgradeInWaves(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.define(6)
	f.run("create", "--all")
	f.want143()
	f.sql("DELETE FROM wiki_w2.job")
	f.sql("INSERT INTO wiki_w2.job (job_cmd, job_namespace, job_title, job_timestamp, job_params) VALUES ('null', 0, 'A', '20260101000000', '')")
	f.write("tenants/w5.toml", f.read("tenants/w5.toml")+"wgUploadStashScalerBaseUrl = \"http://localhost\"\n")
	f.refused(2, "w5: ", "upgrade", "--all")

	events := filepath.Join(f.demo.Dir, "events.json")
	q := f.asks("upgrade", "--all", "--skip-blocked", "--canary", "w3", "--waves", "50%,100%", "--confirm", "--per-server", "1", "--pause-between", "10ms", "--run-jobs", "--events", events)
	q.wait("continue with wave 2 of 3? [y/N]")
	if v := f.client("w3").version() + f.client("w0").version(); v != "MediaWiki 1.43.9MediaWiki 1.39.17" {
		t.Errorf("before the second wave: %s", v)
	}
	q.answer("y")
	q.wait("continue with wave 3 of 3? [y/N]")
	q.answer("no, thanks")
	if code := q.end(); code == 0 || !strings.Contains(q.text(), "not confirmed: wave 3 was not begun") {
		t.Errorf("exit %d: %s", code, q.text())
	}
	var versions []string
	for i := range 6 {
		versions = append(versions, strings.TrimPrefix(f.client(fmt.Sprint("w", i)).version(), "MediaWiki "))
	}
	done := 0
	for _, v := range versions {
		if v == "1.43.9" {
			done++
		}
	}
	if versions[3] != "1.43.9" || versions[5] != "1.39.17" || done != 1+3 && done != 1+2 {
		t.Errorf("after two waves: %v", versions)
	}
	if most := mostAtOnce(t, events); most != 1 {
		t.Errorf("%d at once on one server", most)
	}
	if versions[2] == "1.43.9" && f.sql("SELECT COUNT(*) FROM wiki_w2.job")[0] != "0" {
		t.Error("the queued job was not run")
	}
	f.write("tenants/w5.toml", strings.Replace(f.read("tenants/w5.toml"), "wgUploadStashScalerBaseUrl = \"http://localhost\"\n", "", 1))
	if out, code := f.struck(event{"*", "check", "before", "fail"}, "upgrade", "--all", "--max-failures", "0", "--jobs", "1", "--waves", "50%,100%"); code != 2 || !strings.Contains(out, "1 failed") {
		t.Errorf("exit %d: %s", code, out)
	}
	if out := f.run("upgrade", "--all"); strings.Contains(out, "failed") && !strings.Contains(out, "0 failed") {
		t.Error(out)
	}
}

// mostAtOnce is how many tenants ran at the same time, by a file of events.
func mostAtOnce(t *testing.T, events string) (most int) {
	text, err := os.ReadFile(events)
	must(t, err)
	var running []string
	for line := range strings.Lines(string(text)) {
		var e struct{ Tenant, Step, Status string }
		must(t, json.Unmarshal([]byte(line), &e))
		switch {
		case e.Status != "":
			running = slices.DeleteFunc(running, func(n string) bool { return n == e.Tenant })
		case e.Step == "read-only":
			running = append(running, e.Tenant)
			most = max(most, len(running))
		}
	}
	return most
}

// tree is a copy of the 1.43 tree that says that it is another version.
func (f *farm) tree(version string) {
	to := filepath.Join(f.demo.Dir, "trees", version)
	must(f.t, os.MkdirAll(filepath.Dir(to), 0o755))
	from, err := filepath.EvalSymlinks(filepath.Join(os.Getenv("WIKICTL_TEST_CODEBASES"), "1.43")) // a copied link would be the tree itself
	must(f.t, err)
	if exec.Command("cp", "-al", from, to).Run() != nil { // on another disk
		must(f.t, os.RemoveAll(to))
		out, err := exec.Command("cp", "-a", from, to).CombinedOutput()
		if err != nil {
			f.t.Fatalf("%v: %s", err, out)
		}
	}
	defines := filepath.Join(to, "includes/Defines.php")
	text, err := os.ReadFile(defines)
	must(f.t, err)
	must(f.t, os.Remove(defines))
	must(f.t, os.WriteFile(defines, []byte(strings.Replace(string(text), "'1.43.9'", "'"+version+"'", 1)), 0o644))
	f.write("wikictl.toml", f.read("wikictl.toml")+fmt.Sprintf("\n[codebases.%q]\npath = %q\n", version, to))
}

func (f *farm) want(tenant, codebase string) {
	text := f.read("tenants/" + tenant + ".toml")
	kept := slices.DeleteFunc(strings.SplitAfter(text, "\n"), func(line string) bool { return strings.HasPrefix(line, "codebase = ") })
	f.write("tenants/"+tenant+".toml", "codebase = \""+codebase+"\"\n"+strings.Join(kept, ""))
}

// The ledger identifies versions after the newest whose schema is known; older
// code than the database's is refused, also when an upgrade was interrupted at its end.
func TestUpgradeKnowsNewerAndOlder(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.define(1)
	f.tree("1.44.0")
	f.tree("1.46.1")
	f.run("create", "--all")
	c := f.client("w0")
	f.want("w0", "1.43")
	if out, code := f.struck(event{"w0", "open", "before", "kill"}, "upgrade", "w0"); code != -1 {
		t.Fatal(out)
	}
	f.want("w0", "1.39") // the old code is back before the upgrade was opened
	f.refused(2, "which 1.39.17 can't go back from", "upgrade", "w0")
	if c.edit("Open", "on 1.43"); c.version() != "MediaWiki 1.43.9" {
		t.Errorf("it is %s", c.version())
	}
	f.refused(2, "which 1.39.17 can't go back from", "upgrade", "w0")

	f.write("migrations/001-as-1.44.sql", "CREATE TABLE filetypes (ft_id INT PRIMARY KEY);\n")
	for _, version := range []string{"1.44.0", "1.46.1"} {
		f.want("w0", version)
		if f.run("upgrade", "w0"); c.version() != "MediaWiki "+version {
			t.Errorf("it is %s, want %s", c.version(), version)
		}
	}
	f.want("w0", "1.44.0")
	f.wants(f.exits(1, "plan"), "schema of MediaWiki 1.46.1, which 1.44.0 can't go back from")
	f.refused(2, "schema of MediaWiki 1.46.1, which 1.44.0 can't go back from", "upgrade", "w0")
}
