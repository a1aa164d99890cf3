package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Pages are requested of the old code only if those of the new code are bad. Then the
// wiki is put back, and upgraded again if they were bad before as well, whatever kills it.
func TestOldPagesAreAskedOnDoubt(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.define(4)
	f.write("wikictl.toml", "allow_php = true\n"+f.read("wikictl.toml"))
	broken := filepath.Join(f.demo.Dir, "broken")
	for name, when := range map[string]string{
		"w0": "is_file( '" + broken + "' )", // before and after
		"w1": "version_compare( MW_VERSION, '1.40', '>' )",
		"w2": "is_file( '" + broken + "' )",
		"w3": "false",
	} {
		f.write("tenants/"+name+".toml", f.read("tenants/"+name+".toml")+
			"wgHooks.BeforePageDisplay = { php = \"[ function () { "+when+" && throw new Exception( 'a broken page' ); } ]\" }\n")
	}
	f.exits(0, "create", "--all")
	for _, name := range []string{"w0", "w1", "w2", "w3"} {
		f.client(name).edit("Page", "text of "+name)
	}
	must(t, os.WriteFile(broken, nil, 0o644))
	f.want143()
	steps := func(name string) (text string) {
		for line := range strings.Lines(f.read("events.json")) {
			if strings.Contains(line, `"`+name+`"`) {
				text += line
			}
		}
		return text
	}
	events := filepath.Join(f.demo.Dir, "events.json")

	f.wants(f.run("upgrade", "w3", "--events", events), "1 done")
	if text := steps("w3"); strings.Contains(text, "restore") {
		t.Error(text)
	}
	f.wants(f.run("upgrade", "w0", "--events", events), "1 done", "remark: ", "500 Internal Server Error", "as before")
	if text := steps("w0"); !strings.Contains(text, `"restore"`) || !strings.Contains(text, `"ledger"`) {
		t.Errorf("its old pages were not requested: %s", text)
	}
	f.wants(f.fails("upgrade", "w1"), "failed (restored)", "a broken page")
	if v := f.client("w1").version(); v != "MediaWiki 1.39.17" {
		t.Error(v)
	}
	f.client("w1").edit("After", "it was put back")

	if out, code := f.struck(event{"w2", "old release", "after", "kill"}, "upgrade", "w2"); code != -1 {
		t.Fatal(out)
	}
	if out, code := f.struck(event{"w2", "probe", "before", "kill"}, "upgrade", "w2"); code != -1 {
		t.Fatal(out)
	}
	must(t, os.Remove(f.state("vhosts/w2.conf"))) // as another run does when the web server refuses it
	f.shell(f.demo.Web.Reload()[0], f.demo.Web.Reload()[1:]...)
	f.wants(f.run("upgrade", "w2"), "1 done", "was finished", "as before")
	for _, name := range []string{"w0", "w2", "w3"} {
		if v := f.client(name).version(); v != "MediaWiki 1.43.9" {
			t.Error(name, v)
		}
		f.client(name).edit("After", "it is open")
	}
	f.wants(f.exits(0, "plan", "w0", "w2", "w3"), "no changes")
}
