package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A release that was not seen to answer is remembered: when apply is killed before it
// asks, the next run asks, and serves the last one again that was seen to answer; so
// does a later change that fails. Which hosts to ask is the old release's own.
func TestUnseenReleases(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.define(2)
	f.exits(0, "create", "--all")
	whole := f.read("tenants/w0.toml")
	good := f.link("w0")
	break0 := func() {
		f.write("tenants/w0.toml", strings.Replace(whole, `hosts = ["w0`, `hosts = ["0`, 1)+"wgUrlProtocols = [\"none:\"]\n")
	}
	struck := func() {
		break0()
		if out, code := f.struck(event{"w0", "probe", "before", "kill"}, "apply", "w0"); code != -1 {
			t.Fatal(out)
		}
		if f.link("w0") == good {
			t.Fatal("it was killed too early")
		}
	}
	struck()
	f.wants(f.exits(1, "plan", "w0"), "has not answered")
	f.wants(f.fails("apply", "w0"), "failed (restored)", "main page at")
	if f.link("w0") != good || f.client("w0").sitename() != "Wiki 0" {
		t.Error("the good release is not served again")
	}

	struck()
	f.wants(f.fails("create", "w0"), "failed (restored)")
	if f.link("w0") != good {
		t.Error("create left the broken release")
	}

	struck()
	f.write("tenants/w0.toml", f.read("tenants/w0.toml")+"wgMaxUploadSize = 5\n")
	f.wants(f.fails("apply", "w0"), "failed (restored)")
	if f.link("w0") != good {
		t.Errorf("a second bad change left %s", f.link("w0"))
	}

	struck()
	f.write("tenants/w0.toml", whole)
	f.exits(0, "apply", "w0")
	f.wants(f.exits(0, "plan", "w0"), "no changes")

	f.exits(0, "apply", "--all")
	f.write("tenants/w1.toml", strings.Replace(f.read("tenants/w1.toml"), "Wiki 1", "Seen 1", 1))
	if out, code := f.struck(event{"w1", "probe", "before", "kill"}, "apply", "w1"); code != -1 {
		t.Fatal(out)
	}
	f.wants(f.run("apply", "w1"), "1 done")
	f.wants(f.exits(0, "plan"), "no changes")
}

// Faults that a wiki had before a change are reported; only a change that adds faults is undone.
func TestEarlierFaultsAreRemarks(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.define(1)
	f.write("wikictl.toml", "allow_php = true\n"+f.read("wikictl.toml"))
	hook := func(code string) string {
		return "wgHooks.BeforePageDisplay = { php = \"[ function () { " + code + " } ]\" }\n"
	}
	whole := f.read("tenants/w0.toml")
	f.write("tenants/w0.toml", whole+hook("throw new Exception( 'a broken page' );"))
	f.exits(0, "create", "--all") // it answers who it is, which is what create asks
	f.write("tenants/w0.toml", f.read("tenants/w0.toml")+"wgMaxUploadSize = 1000\n")
	f.wants(f.run("apply", "w0"), "done", "remark: ", "500 Internal Server Error", "as before")
	f.write("tenants/w0.toml", whole+hook("sleep( 6 );"))
	f.wants(f.run("apply", "w0"), "done", "remark: ", " page takes ", " before")
	f.write("wikictl.toml", strings.Replace(f.read("wikictl.toml"), `codebase = "1.39"`, `codebase = "1.43"`, 1))
	f.wants(f.run("upgrade", "w0"), "done", "remark: its main page takes ", " s, as before")
	f.write("tenants/w0.toml", whole)
	f.run("apply", "w0")
	f.write("tenants/w0.toml", whole+hook("throw new Exception( 'a broken page' );"))
	output := f.fails("apply", "w0")
	f.wants(output, "failed (restored)", "PHP says: ", "a broken page", "settings.wgHooks.BeforePageDisplay")
	f.noMarkup(output)
	if data, err := os.ReadFile(f.state("wikis/w0/current/LocalSettings.php")); err != nil || strings.Contains(string(data), "BeforePageDisplay") {
		t.Error("the broken settings are served", err)
	}

	// Pages that were seen to be good are not requested before an upgrade, nor after one
	// that changed nothing. One that broke meanwhile is the next upgrade's to find.
	broken := filepath.Join(f.demo.Dir, "broken")
	f.write("tenants/w0.toml", whole+hook("is_file( '"+broken+"' ) && throw new Exception( 'a page that broke' );"))
	f.run("apply", "w0")
	must(t, os.WriteFile(broken, nil, 0o644))
	if out := f.run("upgrade", "--force", "w0"); strings.Contains(out, "500") {
		t.Error(out)
	}

	// Code that was changed in place is other code, even if its updater has no work.
	set := f.sql("SELECT component_set FROM wikictl.tenant WHERE name = 'w0'")[0]
	seen := f.state("wikis/w0/seen.json")
	text, err := os.ReadFile(seen)
	must(t, err)
	f.sql("UPDATE wikictl.tenant SET component_set = 'other' WHERE name = 'w0'")
	must(t, os.WriteFile(seen, []byte(strings.ReplaceAll(string(text), set, "other")), 0o600))
	f.wants(f.fails("upgrade", "w0"), "failed (restored)", "a page that broke", "it answered well at ")
	must(t, os.Remove(broken))
	f.run("upgrade", "w0")

	must(t, os.WriteFile(broken, nil, 0o644))
	f.sql("DELETE FROM wiki_w0.updatelog WHERE ul_key = 'MigrateExternallinks'")
	f.wants(f.fails("upgrade", "--force", "w0"), "failed (restored)", "a page that broke", "it answered well at ", "run this again, which asks first")
	f.wants(f.run("upgrade", "--force", "w0"), "done", "remark: request", "as before")
}
