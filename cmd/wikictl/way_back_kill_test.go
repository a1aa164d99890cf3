package main

import (
	"path/filepath"
	"slices"
	"strings"
)

// kill is a step after which a rollback is killed, and the phase that the ledger has then.
type kill struct{ step, phase string }

var (
	rollbackKills = []kill{{"lock", ""}, {"read-only", "undoing"}, {"count", "undoing"}}
	redoKills     = []kill{
		{"lock", ""}, {"mark", "begun"}, {"read-only", "begun"}, {"count", "begun"}, {"keep", "begun"},
		{"changing", "changing"}, {"maintenance", "changing"}, {"losses", "changing"},
		{"switching", "switching"}, {"switch", "switching"}, {"probe", "switching"}, {"ledger", "opening"},
	}
)

// killsAt kills one run of a command, each of the first wikis at another step.
func (f *farm) killsAt(kills []kill, wikis []string, args ...string) {
	f.t.Helper()
	var events, held []string
	gates := f.t.TempDir()
	for i, k := range kills {
		gate := filepath.Join(gates, wikis[i])
		events, held = append(events, event{wikis[i], k.step, "after", "hold=" + gate}.String()), append(held, gate+".held")
	}
	f.killedAt(strings.Join(events, ","), held, append(slices.Clip(args), wikis[:len(kills)]...))
	for i, k := range kills {
		if got := f.phase(wikis[i]); got != k.phase {
			f.t.Errorf("%v after %s: %s is left %q, want %q", args, k.step, wikis[i], got, k.phase)
		}
		if got := f.request(wikis[i], "/index.php?title=Main_Page"); strings.HasPrefix(got, "BAD") {
			f.t.Errorf("%v after %s: readers get %s", args, k.step, got)
		}
	}
}

// redosLeadOn kills rollbacks of the wikis that finishAll left upgraded, and the redos of these
// rollbacks. Upgrade and rollback lead out of each state, and a later redo brings back what the
// first rollback dropped.
func (f *farm) redosLeadOn(name func(i, finisher int) string) {
	t := f.t
	t.Helper()
	var wikis, up, down []string
	for i, l := range interruptions {
		if !l.oneWay && len(wikis) < len(redoKills) {
			wikis = append(wikis, name(i, 0))
		}
	}
	f.killsAt(rollbackKills, wikis, rolling...)
	f.run(append([]string{"rollback", "--yes"}, wikis...)...)
	undone := f.newest(wikis[0], "undone_by")
	f.killsAt(redoKills, wikis, append(slices.Clip(rolling), "--to", undone)...)
	for i, w := range wikis {
		if i%2 == 0 {
			up = append(up, w)
		} else {
			down = append(down, w)
		}
	}
	f.run(append([]string{"upgrade"}, up...)...)
	f.run(append([]string{"rollback", "--yes"}, down...)...)
	f.noneOpen()
	for _, w := range down {
		if got := f.client(w).version(); got != "MediaWiki 1.39.17" {
			t.Errorf("%s is %s after the rollback", w, got)
		}
	}
	f.run(append([]string{"rollback", "--yes", "--to", undone}, down...)...)
	for i, w := range wikis {
		c := f.client(w)
		if got := c.version(); got != "MediaWiki 1.43.9" {
			t.Errorf("%s is %s", w, got)
		}
		if dropped := i%2 == 0 && slices.Contains([]string{"", "begun", "changing"}, redoKills[i].phase); !dropped && !strings.Contains(c.page("After"), "the walk") {
			t.Errorf("%s, killed after %s, has lost its page", w, redoKills[i].step)
		}
		c.edit("After", "the redo")
	}
	f.noneOpen()
}
