package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// A create or apply that read the ledger before another person made the wiki,
// edited and upgraded it leaves it alone, wherever it was held.
func TestCreateKeepsWorkOfAnotherRun(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.define(4)
	cases := []struct {
		name    string
		command []string
		upgrade bool // the other person also moves the wiki to 1.43
	}{
		{"w0", []string{"create", "w0"}, false},
		{"w1", []string{"apply", "w1"}, false},
		{"w2", []string{"create", "w2"}, true},
		{"w3", []string{"apply", "w3"}, true},
	}
	for _, c := range cases {
		var before, content string
		out, code := f.held(c.name, "lock", "before", func() {
			f.exits(0, "create", c.name)
			if c.upgrade {
				f.write("tenants/"+c.name+".toml", "codebase = \"1.43\"\n"+f.read("tenants/"+c.name+".toml"))
				f.exits(0, "upgrade", c.name)
			}
			f.client(c.name).edit("Main Page", "what its owner wrote")
			before, content = f.past("wiki_"+c.name), f.client(c.name).content()
		}, c.command...)
		if code != 0 || !strings.Contains(out, "unchanged "+c.name) {
			t.Errorf("%v: exit code %d\n%s", c.command, code, out)
		}
		if f.past("wiki_"+c.name) != before {
			t.Errorf("%v wrote into a wiki that another run had made:\n%s", c.command, out)
		}
		f.exits(0, "create", c.name)
		if got := f.client(c.name).content(); got != content {
			t.Errorf("after %v the wiki holds\n%s", c.command, got)
		}
	}

	// So does a change that was planned before the upgrade: its release has the old code.
	f.write("tenants/w0.toml", strings.Replace(f.read("tenants/w0.toml"), "Wiki 0", "Changed", 1))
	out, code := f.held("w0", "lock", "before", func() {
		f.write("tenants/w0.toml", "codebase = \"1.43\"\n"+f.read("tenants/w0.toml"))
		f.exits(0, "upgrade", "w0")
	}, "apply", "w0")
	if code != 2 || !strings.Contains(out, "another run has changed it meanwhile") {
		t.Errorf("apply: exit code %d\n%s", code, out)
	}
	if v := f.client("w0").version(); v != "MediaWiki 1.43.9" {
		t.Errorf("a wiki of 1.43 is served by %s", v)
	}
}

// render --write holds the locks of what it writes, and leaves alone what is not
// finished or what another run works on.
func TestRenderWritesUnderTheLock(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.define(2)
	f.exits(0, "create", "w0")
	f.struck(event{"w1", "schema", "after", "kill"}, "create", "w1")
	f.exits(0, "render", "--write", "--all")
	if _, err := os.Stat(f.state("vhosts/w1.conf")); err == nil {
		t.Error("a wiki that is not finished was given to the web server")
	}
	f.write("tenants/w0.toml", strings.Replace(f.read("tenants/w0.toml"), "Wiki 0", "Wiki 0.", 1))
	out, code := f.held("", "release", "before", func() {
		if out, code := f.struck(event{}, "upgrade", "--force", "w0"); code != 75 {
			t.Errorf("exit code %d\n%s", code, out)
		}
	}, "render", "--write", "w0")
	if code != 0 {
		t.Errorf("exit code %d\n%s", code, out)
	}
	f.held("w0", "check", "before", func() {
		if out, code := f.struck(event{}, "render", "--write", "w0"); code != 75 || !strings.Contains(out, "wiki_w0 is locked by") {
			t.Errorf("exit code %d\n%s", code, out)
		}
	}, "upgrade", "--force", "w0")

	// A run writes the definitions that it loaded, with the secrets that it reads under the
	// lock, although it rendered them before.
	define := func(sitename string) {
		text := f.read("tenants/w0.toml")
		_, after, _ := strings.Cut(text, "sitename")
		_, after, _ = strings.Cut(after, "\n")
		before, _, _ := strings.Cut(text, "sitename")
		f.write("tenants/w0.toml", before+"sitename = \""+sitename+"\"\n"+after)
	}
	holds := func(key, sitename string) {
		t.Helper()
		text := f.read("state/wikis/w0/current/LocalSettings.php")
		for _, line := range []string{"$wgSecretKey = '" + key + "';", "$wgSitename = '" + sitename + "';"} {
			if !strings.Contains(text, line) {
				t.Errorf("the settings lack %s", line)
			}
		}
	}
	secrets := f.read("state/secrets/w0.toml")
	_, key, _ := strings.Cut(secrets, "secret_key = '")
	key, _, _ = strings.Cut(key, "'")
	for i, command := range [][]string{{"apply", "w0"}, {"render", "--write", "w0"}} {
		first, second, other := fmt.Sprint("First", i), fmt.Sprint("Second", i), strings.Repeat(fmt.Sprint(i), 64)
		define(first)
		out, code := f.held("", "release", "before", func() {
			must(t, os.WriteFile(f.state("secrets/w0.toml"), []byte(strings.Replace(secrets, key, other, 1)), 0o600))
			define(second)
		}, command...)
		if code != 0 {
			t.Errorf("%v: exit code %d\n%s", command, code, out)
		}
		holds(other, first)
		f.exits(0, command...)
		holds(other, second)
	}

	// What is recorded as rendered needs no lock, until it is changed by hand.
	time.Sleep(3500 * time.Millisecond) // newer files are not recorded
	f.exits(0, "render", "--write", "w0")
	f.held("w0", "check", "before", func() {
		if out, code := f.struck(event{}, "render", "--write", "w0"); code != 0 || !strings.Contains(out, "no changes, 1 unchanged") {
			t.Errorf("exit code %d\n%s", code, out)
		}
		path, text := f.state("wikis/w0/current/LocalSettings.php"), f.read("state/wikis/w0/current/LocalSettings.php")
		info, err := os.Stat(path)
		must(t, err)
		must(t, os.WriteFile(path, []byte(strings.Replace(text, "Second1", "Sec0nd1", 1)), 0o640))
		must(t, os.Chtimes(path, info.ModTime(), info.ModTime()))
		if out, code := f.struck(event{}, "render", "--write", "w0"); code != 75 || !strings.Contains(out, "wiki_w0 is locked by") {
			t.Errorf("changed by hand: exit code %d\n%s", code, out)
		}
	}, "upgrade", "--force", "w0")
	f.exits(0, "render", "--write", "w0")
	holds(strings.Repeat("1", 64), "Second1")
}

// A repair that was planned before another person upgraded the wiki is not done: the
// link would lead the new database's wiki back to the old code.
func TestFixKeepsChangesOfAnotherRun(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.define(1)
	f.exits(0, "create", "w0")
	core := f.state("wikis/w0/current/core")
	must(t, os.Remove(core))
	out, code := f.held("w0", "lock", "before", func() {
		f.struck(event{}, "audit", "--fix", "--yes", "w0")
		f.want143()
		f.exits(0, "upgrade", "w0")
	}, "audit", "--fix", "--yes", "w0")
	if code != 2 || !strings.Contains(out, "run this again") {
		t.Errorf("exit code %d\n%s", code, out)
	}
	if v := f.client("w0").version(); v != "MediaWiki 1.43.9" {
		t.Errorf("the wiki is served by %s", v)
	}
}

// past is what only making a wiki writes: log-ins, and when its first rows were made.
func (f *farm) past(database string) string {
	f.t.Helper()
	f.still(database)
	return strings.Join(f.sql(fmt.Sprintf(`SELECT user_id, user_password, user_registration FROM %[1]s.user;
		SELECT rev_id, rev_timestamp FROM %[1]s.revision; SELECT log_id, log_timestamp FROM %[1]s.logging; SELECT page_id, page_random FROM %[1]s.page`, database)), " ")
}

// A create that was killed between any two steps is done by the next, also when
// other code is wanted by then; a wiki that people used is not made anew, whatever
// the ledger says.
func TestCreateRestartsOnlyUnusedWikis(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	steps := []string{"claim", "database", "accounts", "schema", "seed", "verify"}
	f.define(len(steps) + 1)
	f.exits(0, "create", fmt.Sprint("w", len(steps)))
	for i, step := range steps {
		f.struck(event{fmt.Sprint("w", i), step, "after", "kill"}, "create", fmt.Sprint("w", i))
	}
	f.want143()
	for i := range steps {
		f.exits(0, "create", fmt.Sprint("w", i))
		if got, want := f.sql(fmt.Sprintf("SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'wiki_w%d'", i)),
			f.sql("SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'wiki_w0'"); got[0] != want[0] {
			t.Errorf("killed after %s: %v tables, want %v", steps[i], got, want)
		}
	}
	used := fmt.Sprint("w", len(steps))
	f.client(used).edit("Page", "of its owner")
	before := f.past("wiki_" + used)
	f.sql("UPDATE wikictl.tenant SET state = 'creating' WHERE name = '" + used + "'")
	f.exits(2, "create", used)
	f.shell("rm", "-r", f.state("wikis/"+used)) // nor when nothing tells that it was served
	if out, _ := f.struck(event{}, "create", used); !strings.Contains(out, "is in use") {
		t.Error(out)
	}
	if f.past("wiki_"+used) != before {
		t.Error("a wiki that people use was made anew")
	}
}
