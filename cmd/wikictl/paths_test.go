package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A wiki that has its host alone gets a path and a neighbour. Both are audited, upgraded,
// put back and removed, each without the other.
func TestWikisOfOneHost(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	define := func(name, path string) {
		f.write("tenants/"+name+".toml", "name = \""+name+"\"\nhosts = [\"one.localhost\"]\nsitename = \""+name+"\"\n"+path)
	}
	define("alpha", "")
	f.run("create", "alpha")
	f.below(map[string]string{"/wiki/Main_Page": "200 <title>alpha"})

	define("alpha", "path = \"/en\"\n")
	define("beta", "path = \"/de\"\n")
	f.wants(f.run("apply", "alpha"), "alpha")
	f.below(map[string]string{"/en/wiki/Main_Page": "200 <title>alpha", "/wiki/Main_Page": "404 ", "/de/wiki/Main_Page": "404 "})
	f.run("create", "beta")
	both := map[string]string{
		"/en/wiki/Main_Page": "200 <title>alpha", "/de/wiki/Main_Page": "200 <title>beta",
		"/en": "301 /en/wiki/Main_Page", "/de/load.php?modules=startup&only=scripts": "200 /de/load.php", "/": "404 ", "/wiki/Main_Page": "404 ",
	}
	f.below(both)
	if settings := f.read("state/wikis/beta/current/LocalSettings.php"); !strings.Contains(settings, "$wgCookiePath = '/de';") {
		t.Error("beta's cookies are not its own")
	}
	for _, found := range f.audit("alpha", "beta") {
		if found.Rule != "mediawiki-eol" {
			t.Errorf("found is %+v", found)
		}
	}
	f.exits(0, "plan", "alpha", "beta")
	hosts := filepath.Join(f.demo.Dir, "state/vhosts/~hosts.conf")
	text := f.read("state/vhosts/~hosts.conf")
	must(t, os.WriteFile(hosts, []byte(text+"# by hand\n"), 0o644))
	f.wants(f.exits(1, "plan", "alpha"), "~hosts.conf")
	f.run("apply", "alpha")
	if f.read("state/vhosts/~hosts.conf") != text {
		t.Error("what was changed by hand is still there")
	}

	f.edits("alpha", "codebase", "1.43")
	f.wants(f.run("upgrade", "alpha"), "upgrade: 1 done")
	f.below(both)
	f.movesFPM("alpha", "beta")
	f.wants(f.run("rollback", "--yes", "alpha"), "its release was made anew")
	f.below(both)

	f.honest("one.localhost", "/de/wiki/Main_Page", func() { f.run("delete", "--yes", "beta") })
	f.below(map[string]string{"/en/wiki/Main_Page": "200 <title>alpha", "/de/wiki/Main_Page": "410 ", "/de": "410 ", "/other": "404 "})
	define("beta", "path = \"/de\"\n")
	f.honest("one.localhost", "/de/wiki/Main_Page", func() {
		f.exits(0, "apply", "alpha")
		f.run("undelete", "beta")
	})
	f.below(both)

	// Renamed and moved, by a run that is killed around the switch of what is served.
	must(t, os.Remove(filepath.Join(f.demo.Dir, "tenants/beta.toml")))
	f.run("apply", "alpha") // beta is left over, and served
	f.below(both)
	define("gamma", "database = \"wiki_beta\"\npath = \"/nl\"\n")
	for _, moment := range []string{"before", "after"} {
		if out, code := f.struck(event{"", "release", moment, "kill"}, "apply", "gamma"); code != -1 {
			t.Fatalf("it was not killed: %s", out)
		}
	}
	f.run("apply", "gamma")
	moved := map[string]string{"/en/wiki/Main_Page": "200 <title>alpha", "/nl/wiki/Main_Page": "200 <title>gamma", "/de/wiki/Main_Page": "404 "}
	f.below(moved)

	// A neighbour that can't be rendered keeps being served, and a copy comes beside it.
	define("alpha", "path = \"/en\"\nskins = [\"Missing\"]\n")
	define("copy", "path = \"/en-copy\"\n")
	f.run("clone", "gamma", "copy")
	moved["/en-copy/wiki/Main_Page"] = "200 <title>copy"
	f.below(moved)
	f.wants(f.exits(2, "plan"), "blocked alpha", "2 unchanged")
}

// below asks one.localhost for paths, as answers asks the wiki alpha.
func (f *farm) below(wanted map[string]string) {
	f.t.Helper()
	for path, want := range wanted {
		f.comesTo(path, want, func() string { return f.asked("one.localhost", path) })
	}
}

// movesFPM gives php-fpm another socket, and wikis that know it: releases from before do not.
func (f *farm) movesFPM(wikis ...string) {
	f.t.Helper()
	from, to := filepath.Join(f.demo.Dir, "run/fpm.sock"), filepath.Join(f.demo.Dir, "run/moved.sock")
	must(f.t, os.Rename(from, to))
	f.write("wikictl.toml", strings.Replace(f.read("wikictl.toml"), from, to, 1))
	f.run(append([]string{"apply"}, wikis...)...)
}
