package main

import (
	"os"
	"strings"
	"testing"

	"wikictl/cmd/testbed/needs"
)

// A removal without room to keep the wiki fails while the wiki is still served, or at the latest
// while it still has its database.
func TestRemovalNeedsRoom(t *testing.T) {
	t.Parallel()
	parent := map[string]string{"/dev/shm": "/tmp", "/tmp": "/dev/shm"}[needs.Parent()] // on another file system than the farm
	other, err := os.MkdirTemp(parent, "wikictl")
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(other) })
	f := newFarm(t)
	f.define(1)
	f.exits(0, "create", "--all")
	must(t, os.Symlink(other, f.state("removed")))
	large := f.state("wikis/w0/images/large")
	must(t, os.WriteFile(large, nil, 0o644))
	must(t, os.Truncate(large, 1<<42)) // a hole: it takes no space where it is
	file := f.read("tenants/w0.toml")
	f.write("tenants/w0.toml", strings.NewReplacer("w0", "w1").Replace(file)) // a farm has a tenant
	f.wants(f.exits(1, "plan"), "left w0: ", "can't be removed: it needs about 419430", " MB in "+f.state("removed")+", where ")
	f.exits(2, "apply", "--all", "--prune", "--yes")
	if name := f.client("w0").sitename(); name != "Wiki 0" {
		t.Errorf("w0 is called %q", name)
	}
	must(t, os.Truncate(large, 1<<20))
	f.struck(event{"w0", "files", "before", "fail"}, "apply", "--all", "--prune", "--yes")
	if found := f.sql("SELECT COUNT(*) FROM wiki_w0.page"); found[0] == "0" || len(f.traces("w0")) == 0 {
		t.Error("it lost its database before its files were kept")
	}
	f.exits(0, "apply", "--all", "--prune", "--yes")
	if traces := f.traces("w0"); len(traces) > 0 {
		t.Errorf("there are still %v", traces)
	}
	must(t, os.Remove(f.demo.Dir+"/tenants/w0.toml"))
	f.defineRemoved("w0")
	f.exits(0, "undelete", "w0")
	if info, err := os.Stat(large); err != nil || info.Size() != 1<<20 {
		t.Error(info, err)
	}
}
