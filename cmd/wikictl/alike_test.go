package main

import (
	"strings"
	"testing"
)

// Of wikis whose settings are alike PHP loads those of one; where it can't, each says so
// with its own place.
func TestAlikeSettings(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.define(4)
	for _, name := range []string{"w0", "w1", "w2"} {
		f.write("tenants/"+name+".toml", f.read("tenants/"+name+".toml")+"wgMainCacheType = \"nonsense\"\n")
	}
	output := f.fails("create", "--all")
	f.wants(output, "1 done", "3 failed", "tenants/w0.toml:", "tenants/w1.toml:", "tenants/w2.toml:")
	if n := strings.Count(output, "Invalid object cache type"); n != 3 {
		t.Errorf("%d of 3 wikis say what PHP says:\n%s", n, output)
	}
	f.client("w3").edit("Page", "is served")
}
