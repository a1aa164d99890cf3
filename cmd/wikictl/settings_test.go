package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// broken are settings that no request could load, with what PHP says of them and the
// key that they come from.
var broken = []struct{ settings, says, key string }{
	{`wgFoo = { php = "NS_DEV" }`, `Undefined constant "NS_DEV"`, "settings.wgFoo"},
	{`wgFoo = { php = "( $wgUploadDirectory = '/tmp' )" }`, "an expression changes $wgUploadDirectory", "settings.wgFoo"},
	{`wgFoo.bar = { php = "nothing()" }`, "undefined function nothing()", "settings.wgFoo.bar"},
	{"wgMainCacheType = \"redis\"\nwgObjectCaches.redis = { class = \"RedisBagOStuff\", servers = [\"127.0.0.1:6379\"] }", "Redis client library", "settings.wgObjectCaches.redis.class"},
	{`wgExtensionFunctions = { php = "[ function () { throw new Exception( 'not today' ); } ]" }`, "not today", "settings.wgExtensionFunctions"},
}

// Settings that PHP can't load are found before anything is switched, with their place;
// nothing of their tenant changes, and others continue.
func TestSettingsAreLoadedBefore(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.define(2)
	f.write("wikictl.toml", "allow_php = true\n"+f.read("wikictl.toml"))
	f.exits(0, "create", "--all")
	whole, other := f.read("tenants/w0.toml"), f.read("tenants/w1.toml")
	current := f.link("w0")
	for i, c := range broken {
		f.write("tenants/w0.toml", whole+c.settings+"\n")
		f.write("tenants/w1.toml", strings.Replace(other, "Wiki 1", "Wiki 1"+strings.Repeat("!", i+1), 1))
		f.wants(f.fails("apply", "--all"), "1 done", "1 failed", "tenants/w0.toml:", c.key+": ", c.says)
		if now := f.link("w0"); now != current {
			t.Errorf("%s: it is served from %s, and was from %s", c.key, now, current)
		}
		f.client("w0").version()
	}
	f.write("tenants/w0.toml", strings.Replace(whole, "skins", "codebase = \"1.43\"\nskins", 1)+broken[0].settings+"\n")
	f.wants(f.fails("upgrade", "w0"), broken[0].says, "tenants/w0.toml:")
	if _, err := os.Stat(f.state("wikis/w0/read-only")); err == nil {
		t.Error("the wiki became read-only")
	}
	f.client("w0").edit("After", "it can be written")
	f.write("tenants/new.toml", strings.NewReplacer("w0", "new").Replace(whole)+broken[2].settings+"\n")
	f.wants(f.fails("create", "new"), broken[2].says, "tenants/new.toml:")
	if _, err := os.Stat(f.state("vhosts/new.conf")); err == nil {
		t.Error("the new wiki is served")
	}
	f.write("tenants/w0.toml", whole)
	f.write("tenants/new.toml", strings.NewReplacer("w0", "new").Replace(whole))
	f.exits(0, "apply", "--all")
	f.wants(f.exits(0, "plan"), "no changes")
}

// link is where a tenant's current release is.
func (f *farm) link(name string) string {
	to, err := filepath.EvalSymlinks(f.state("wikis/" + name + "/current"))
	must(f.t, err)
	return to
}
