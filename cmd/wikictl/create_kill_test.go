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
	"syscall"
	"testing"
	"time"
)

// How hard TestCreateSurvivesKills tries; testbed soak asks for more.
var (
	soakWikis = flag.Int("wikis", 8, "wikis to create while being killed")
	soakKills = flag.Int("kills", 6, "kills at random moments")
)

// A tenant that another run works on is left alone, and the other run is named.
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

// A create that is killed at random moments, again and again, ends where an
// undisturbed one ends, and leaves nothing behind.
func TestCreateSurvivesKills(t *testing.T) {
	wikis := *soakWikis
	adoptOrphans(t)
	f := newFarm(t)
	must(t, os.RemoveAll(filepath.Join(f.demo.Dir, "tenants")))
	must(t, os.MkdirAll(filepath.Join(f.demo.Dir, "tenants"), 0o755))
	for i := range wikis {
		text := fmt.Sprintf("name = \"k%d\"\nhosts = [\"k%[1]d.localhost\"]\nsitename = \"Wiki %[1]d\"\ncodebase = \"1.43\"\nskins = [\"Vector\"]\n", i)
		must(t, os.WriteFile(filepath.Join(f.demo.Dir, "tenants", fmt.Sprintf("k%d.toml", i)), []byte(text), 0o644))
	}
	must(t, f.private().Start(t.Context())) // it outlives the kills, as a real server would
	for range *soakKills {
		cmd := f.command("create", "--all", "--jobs", "4")
		must(t, cmd.Start())
		time.Sleep(time.Duration(100+rand.IntN(500*wikis)) * time.Millisecond)
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		cmd.Wait()
	}
	f.run("create", "--all")
	if out := f.run("create", "--all"); !strings.Contains(out, fmt.Sprintf("no changes, %d unchanged", wikis)) {
		t.Error(out)
	}
	var want []string
	for i := range wikis {
		want = append(want, fmt.Sprintf("wiki_k%d", i))
		if got, first := f.sql(shape(i)), f.sql(shape(0)); strings.Join(got, " ") != strings.Join(first, " ") {
			t.Errorf("wiki %d differs from the first: %v, %v", i, got, first)
		}
	}
	slices.Sort(want) // as the server does
	if got := f.sql("SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME LIKE 'wiki%' AND SCHEMA_NAME <> 'wikictl' ORDER BY 1"); strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("databases are %v", got)
	}
	if got := f.sql("SELECT COUNT(*) FROM mysql.user WHERE User LIKE 'wiki%'"); got[0] != fmt.Sprint(2*wikis) {
		t.Errorf("%v accounts are there, want %d", got, 2*wikis)
	}
	noneLeft(t)
}

// shape counts what a fresh wiki has in its tables.
func shape(i int) string {
	db := fmt.Sprintf("wiki_k%d", i)
	return fmt.Sprintf(`SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = '%[1]s';
		SELECT COUNT(*) FROM %[1]s.user; SELECT COUNT(*) FROM %[1]s.page; SELECT COUNT(*) FROM %[1]s.updatelog;
		SELECT COUNT(*) FROM %[1]s.user WHERE user_name = 'Admin' AND user_password <> ''`, db)
}
