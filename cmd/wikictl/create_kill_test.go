package main

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// How hard TestCreateSurvivesKills tries; testbed soak asks for more.
var (
	soakWikis = flag.Int("wikis", 8, "wikis to create while being killed")
	soakKills = flag.Int("kills", 6, "kills at random moments")
)

// A tenant on which another run works is not changed, and that run is named.
func TestCreateNamesWhoHoldsTheLock(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.run("server", "start")
	holder := exec.Command("mariadb", "--no-defaults", "--socket="+f.private().Socket, "-e", "SELECT GET_LOCK('wikictl/wiki_alpha', 0); DO SLEEP(60)")
	must(t, holder.Start())
	defer holder.Wait()
	defer holder.Process.Kill()
	for f.sql("SELECT IS_USED_LOCK('wikictl/wiki_alpha') IS NOT NULL")[0] != "1" {
		time.Sleep(20 * time.Millisecond)
	}
	out, err := f.command("create", "alpha").CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 75 || !strings.Contains(string(out), "wiki_alpha is locked by") {
		t.Errorf("%v: %s", err, out)
	}
	if got := f.sql("SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = 'wiki_alpha'"); got[0] != "0" {
		t.Error("the locked tenant's database was made")
	}
}

// createSteps are the steps of a create once the golden exists.
var createSteps = []string{"lock", "claim", "database", "accounts", "schema", "seed", "verify", "farm sql", "ledger", "folders", "release", "probe"}

// createKills are events in random order: two kills while the golden is made, then as
// many others, each step before it is met again, in a wiki of its own as long as there
// are enough.
func createKills(wikis, kills int) []event {
	steps := slices.Clone(createSteps)
	rand.Shuffle(len(steps), func(i, j int) { steps[i], steps[j] = steps[j], steps[i] })
	events := []event{{"k0", "golden", "before", "kill"}, {"k0", "golden", "after", "kill"}}
	for i := range kills {
		e := event{fmt.Sprintf("k%d", i%(wikis-1)), steps[i%len(steps)], []string{"before", "after"}[rand.IntN(2)], "kill"}
		if e.step == "release" {
			e.tenant = "" // of all at once
		}
		events = append(events, e)
	}
	return events
}

// A create that is killed at its steps, again and again, ends where an undisturbed one
// ends, and leaves nothing behind.
func TestCreateSurvivesKills(t *testing.T) {
	wikis := *soakWikis
	adoptOrphans(t)
	f := newEmptyFarm(t)
	f.define(0)
	for i := range wikis {
		text := fmt.Sprintf("name = \"k%d\"\nhosts = [\"k%[1]d.localhost\"]\nsitename = \"Wiki %[1]d\"\ncodebase = \"1.43\"\nskins = [\"Vector\"]\n", i)
		must(t, os.WriteFile(filepath.Join(f.demo.Dir, "tenants", fmt.Sprintf("k%d.toml", i)), []byte(text), 0o644))
	}
	must(t, f.private().Start(t.Context())) // it outlives the kills, as a real server would
	for i, e := range createKills(wikis, *soakKills) {
		name := fmt.Sprintf("k%d", max(i-2, 0)%(wikis-1))
		out, code := f.struck(e, "create", name, fmt.Sprintf("k%d", wikis-1)) // the last one is a bystander
		if code != -1 && i <= wikis {                                         // later ones may be made already
			t.Errorf("create %s was not killed %s %s: exit %d\n%s", name, e.moment, e.step, code, out)
		}
		noneLeft(t)
	}
	f.run("create", "--all")
	if out := f.run("create", "--all"); !strings.Contains(out, fmt.Sprintf("no changes, %d unchanged", wikis)) {
		t.Error(out)
	}
	f.asUndisturbed(wikis)
}

// asUndisturbed checks that each wiki equals one whose creation was not disturbed, and that the
// server has nothing else.
func (f *farm) asUndisturbed(wikis int) {
	f.t.Helper()
	f.write("tenants/calm.toml", "name = \"calm\"\nhosts = [\"calm.localhost\"]\nsitename = \"Calm\"\ncodebase = \"1.43\"\nskins = [\"Vector\"]\n")
	f.run("create", "calm")
	calm, want := f.sql(shape("wiki_calm")), []string{"wiki_calm"}
	for i := range wikis {
		want = append(want, fmt.Sprintf("wiki_k%d", i))
		if got := f.sql(shape(want[i+1])); strings.Join(got, " ") != strings.Join(calm, " ") {
			f.t.Errorf("wiki %d is\n%v\nand an undisturbed one\n%v", i, got, calm)
		}
	}
	slices.Sort(want) // as the server does
	if got := f.sql("SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME LIKE 'wiki%' AND SCHEMA_NAME <> 'wikictl' ORDER BY 1"); strings.Join(got, " ") != strings.Join(want, " ") {
		f.t.Errorf("databases are %v", got)
	}
	if got := f.sql("SELECT COUNT(*) FROM mysql.user WHERE User LIKE 'wiki%'"); got[0] != fmt.Sprint(2*len(want)) {
		f.t.Errorf("%v accounts are there, want %d", got, 2*len(want))
	}
	if left, _ := filepath.Glob(f.state("wikis/golden-*")); len(left) > 0 {
		f.t.Errorf("left over: %v", left)
	}
	noneLeft(f.t)
}

// shape returns the content of a fresh wiki's tables, except times, passwords, and the number of
// active users, which a job of MediaWiki counts after enough pages were read.
func shape(database string) string {
	return fmt.Sprintf(`USE %s; SELECT COUNT(*), MD5(GROUP_CONCAT(TABLE_NAME ORDER BY 1)) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE();
		SELECT user_id, user_name, user_password <> '' FROM user ORDER BY 1; SELECT page_id, page_namespace, page_title, page_latest, page_len FROM page ORDER BY 1;
		SELECT rev_id, rev_page, rev_actor, rev_sha1 FROM revision ORDER BY 1; SELECT old_id, MD5(old_text) FROM text ORDER BY 1;
		SELECT MD5(GROUP_CONCAT(ul_key ORDER BY 1)) FROM updatelog; SELECT ss_total_edits, ss_good_articles, ss_total_pages, ss_users, ss_images FROM site_stats; SELECT ug_user, ug_group FROM user_groups ORDER BY 2`, database)
}
