package main

import (
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Wikis that strangers may not read are made, changed, audited, upgraded, put back
// and removed like others, and a public one becomes private and public again.
func TestPrivateWikis(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.define(2)
	hide := func(name string) {
		f.write("tenants/"+name+".toml", f.read("tenants/"+name+".toml")+"wgGroupPermissions.\"*\".read = false\nwgWhitelistRead = [\"Main Page\"]\n")
	}
	public := f.read("tenants/w1.toml")
	f.write("tenants/new.toml", strings.NewReplacer("w1", "new", "Wiki 1", "New wiki", "skins", "codebase = \"1.43\"\nskins").Replace(public))
	hide("w0")
	hide("new")
	f.exits(0, "create", "--all")
	f.readable("w0", false)
	f.readable("w1", true)
	f.readable("new", false)
	hide("w1")
	f.exits(0, "apply", "--all")
	f.readable("w1", false)
	f.noOtherWiki()
	f.write("tenants/w1.toml", public)
	f.exits(0, "apply", "--all")
	f.readable("w1", true)
	f.write("tenants/new.toml", strings.Replace(f.read("tenants/new.toml"), "New wiki", "Renewed wiki", 1))
	f.exits(0, "apply", "--all")
	hide("w1")
	f.exits(0, "apply", "--all")

	f.want143()
	f.wants(f.run("upgrade", "w0", "w1"), "upgrade: 2 done")
	f.noOtherWiki()
	f.run("rollback", "--yes", "w0")
	f.readable("w0", false)
	f.noOtherWiki()
	f.run("upgrade", "w0")
	must(t, os.Remove(filepath.Join(f.demo.Dir, "tenants/new.toml")))
	f.exits(0, "apply", "--all", "--prune", "--yes")
	f.wants(f.exits(0, "plan"), "no changes")
}

// readable wants strangers to be let in, or to be kept out.
func (f *farm) readable(name string, want bool) {
	f.t.Helper()
	answer := f.client(name).call(url.Values{"action": {"query"}, "meta": {"siteinfo"}})
	if got := at(answer, "error", "code") != "readapidenied"; got != want {
		f.t.Errorf("%s: readable by strangers is %v: %v", name, got, answer)
	}
}

// noOtherWiki wants audit to find each wiki behind its own host names.
func (f *farm) noOtherWiki() {
	f.t.Helper()
	for _, found := range f.audit() {
		if strings.HasPrefix(found.Rule, "wiki-") {
			f.t.Errorf("%+v", found)
		}
	}
}

// A wiki that its own code closes is served only when a definition says so, too, as its
// files would be anybody's. One that is served like that already is found, and changed
// by what puts it right.
func TestWikiClosedByItsCode(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.define(2)
	f.write("wikictl.toml", "allow_php = true\n"+f.read("wikictl.toml"))
	closes := "wgExtensionFunctions = [ { php = \"static function () { $GLOBALS['wgGroupPermissions']['*']['read'] = false; }\" } ]\n"
	open := f.read("tenants/w1.toml")
	f.write("tenants/w0.toml", f.read("tenants/w0.toml")+closes)
	f.wants(f.fails("create", "--all"), "w0.localhost requires a log-in for reading", "1 done", "1 failed")
	f.write("tenants/w0.toml", f.read("tenants/w0.toml")+"wgGroupPermissions.\"*\".read = false\n")
	f.exits(0, "create", "--all")
	f.readable("w0", false)

	for _, only := range []string{"$action === 'read' && $title->getNamespace() === NS_FILE", "$action === 'read'"} { // as Lockdown does
		hook := "wgHooks.getUserPermissionsErrors = [ { php = \"static function ( $title, $user, $action, &$result ) { if ( " + only + " && !$user->isRegistered() ) { $result = [ 'badaccess-group0' ]; return false; } return true; }\" } ]\n"
		f.write("tenants/w1.toml", open+hook)
		f.wants(f.fails("apply", "--all"), "w1.localhost requires a log-in for reading", "its files would be served to everyone")
		f.readable("w1", true)
	}

	f.write("tenants/w1.toml", open+closes)
	f.wants(f.fails("apply", "--all"), "w1.localhost requires a log-in for reading")
	f.readable("w1", true)
	f.exits(0, "render", "--write", "w1")
	f.readable("w1", false)
	if found := f.audit(); !slices.ContainsFunc(found, func(f finding) bool { return f.Rule == "private-unsaid" && slices.Equal(f.Tenants, []string{"w1"}) }) {
		t.Errorf("a wiki that hides its pages and not its files is not found: %+v", found)
	}
	f.write("tenants/w1.toml", open+closes+"wgGroupPermissions.\"*\".read = false\n")
	f.exits(0, "apply", "--all")
	f.wants(f.exits(0, "plan"), "no changes")
}
