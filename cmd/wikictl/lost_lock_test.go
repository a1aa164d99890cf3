package main

import (
	"strings"
	"testing"
)

// A run whose lock is lost, at whatever step, leaves the wiki to the run that took
// over, and says so: it runs no updater on an open wiki and restores nothing.
func TestARunThatLostItsLockLeavesTheWikiAlone(t *testing.T) {
	f := newFarm(t)
	f.define(2)
	f.run("create", "--all")
	f.want143()
	for wiki, step := range map[string]string{"w0": "update.php", "w1": "switch"} {
		var edited string
		out, code := f.held(wiki, step, "before", func() {
			f.sql("KILL " + f.sql("SELECT IS_USED_LOCK('wikictl/wiki_" + wiki + "')")[0])
			f.run("upgrade", wiki)
			c := f.client(wiki)
			c.edit("Meanwhile", "acknowledged")
			edited = f.dump("wiki_" + wiki)
		}, "upgrade", wiki)
		if code != 2 || !strings.Contains(out, "the locks of this run were lost") || strings.Contains(out, "read-only until") {
			t.Errorf("%s: exit %d: %s", step, code, out)
		}
		if f.dump("wiki_"+wiki) != edited {
			t.Errorf("%s: the run that lost its lock changed the database", step)
		}
		c := f.client(wiki)
		if v := c.version(); !strings.HasPrefix(v, "MediaWiki 1.43") {
			t.Errorf("%s: %s is served", step, v)
		}
		c.edit("After", "it is open")
	}
}
