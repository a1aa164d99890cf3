package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// How long TestLifeSurvivesKills runs; testbed soak life asks for more.
var (
	lifeHistories = flag.Int("life-histories", 1, "lives of a wiki with a kill in each command")
	lifeSeed      = flag.Uint64("life-seed", 0, "of the kills; 0: another one each time")
)

// life is a farm whose wiki w0 is restored, and whose wiki copy is cloned, deleted, brought
// back, deleted again and purged, while each command is killed. w1 stands by.
type life struct {
	*farm
	r         *rand.Rand
	bystander string                   // what w1 holds
	calm      []string                 // what audit and the server have when nothing is under way
	took      map[string]time.Duration // of each command, when it was not killed
	story     []string
}

// Every command of a wiki's life is killed at random moments. Run again it ends finished or
// the wiki is untouched, other wikis hold what they held, and nothing is left over.
func TestLifeSurvivesKills(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.define(2)
	f.exits(0, "create", "--all")
	c := f.client("w0")
	c.login("w0")
	c.upload("Pixel.gif")
	f.client("w1").edit("Stands", "by")
	seed := *lifeSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("go run ./cmd/testbed soak life --histories %d --seed %d", *lifeHistories, seed)
	l := &life{farm: f, bystander: f.holds("w1"), took: map[string]time.Duration{}}
	l.r = rand.New(rand.NewPCG(seed, 0))
	f.result("audit", "--quick") // it writes what audits keep
	l.calm = l.remains()
	for h := range *lifeHistories {
		l.story = []string{fmt.Sprint("history ", h)}
		l.lives(h)
		if t.Failed() {
			t.Fatal(strings.Join(l.story, "\n"))
		}
	}
}

// lives is one history: a restore of w0, and a whole life of copy.
func (l *life) lives(number int) {
	l.t.Helper()
	l.client("w0").edit("Number", fmt.Sprint("of history ", number))
	l.still("wiki_w0")
	l.exits(0, "backup", "w0")
	was := l.holds("w0")
	l.client("w0").edit("Number", fmt.Sprint("after the backup of history ", number))
	must(l.t, os.WriteFile(l.state("wikis/w0/images/since.txt"), []byte("since"), 0o644))
	l.killed("restore", "w0", "--yes")
	l.finishes(0, "restore", "w0", "--yes")
	l.same("w0", was)

	l.write("tenants/copy.toml", strings.ReplaceAll(l.read("tenants/w1.toml"), "w1", "copy"))
	l.killed("clone", "w0", "copy")
	if code := l.finishes(2, "clone", "w0", "copy"); code == 2 && len(l.sql("SELECT 1 FROM wikictl.tenant WHERE name = 'copy' AND state = 'ready'")) == 0 {
		l.t.Error("it is not cloned")
	}
	l.same("w0", was)
	l.wants(l.client("copy").page("Number"), "of history")
	was, file := l.holds("copy"), l.read("tenants/copy.toml")

	l.deletes(file, l.killed)
	l.write("tenants/copy.toml", file)
	l.killed("undelete", "copy")
	l.finishes(2, "undelete", "copy")
	l.same("copy", was)
	l.exits(0, "plan")
	l.deletes(file, func(...string) {})
	l.killed("purge", "copy", "--early", "--backups", "--yes")
	l.finishes(64, "purge", "copy", "--early", "--backups", "--yes")
	l.exits(0, "apply", "--all")
	l.same("w1", l.bystander)
	if got := l.remains(); !slices.Equal(got, l.calm) {
		l.t.Errorf("there are\n%s\nand were\n%s", strings.Join(got, "\n"), strings.Join(l.calm, "\n"))
	}
}

// deletes deletes copy, whose definition goes last.
func (l *life) deletes(file string, kill func(...string)) {
	l.t.Helper()
	kill("delete", "copy", "--yes")
	l.finishes(64, "delete", "copy", "--yes")
	if traces := l.traces("copy"); len(traces) > 0 {
		l.t.Errorf("there are still %v", traces)
	}
	if kept, _ := filepath.Glob(l.state("removed/copy-*/source.toml")); len(kept) == 0 || l.read(strings.TrimPrefix(kept[len(kept)-1], l.demo.Dir+"/")) != file {
		l.t.Errorf("its definition is not among %v", kept)
	}
}

// killed runs a command once or twice, and kills it at a step or at a moment.
func (l *life) killed(args ...string) {
	l.t.Helper()
	for range 1 + l.r.IntN(2) {
		if l.r.IntN(2) == 0 || l.took[args[0]] == 0 {
			at := event{"*", fmt.Sprint("#", 1+l.r.IntN(lifeCalls[args[0]])), "either", "kill"}
			out, code := l.struck(at, args...)
			l.tell(fmt.Sprintf("killed at %s: %d", at.step, code), args, out)
			continue
		}
		after := time.Duration(l.r.Int64N(int64(l.took[args[0]])))
		cmd := l.command(args...)
		var out strings.Builder
		cmd.Stdout, cmd.Stderr = &out, &out
		must(l.t, cmd.Start())
		timer := time.AfterFunc(after, func() { syscall.Kill(cmd.Process.Pid, syscall.SIGKILL) })
		cmd.Wait()
		timer.Stop()
		l.tell(fmt.Sprintf("killed after %s: %d", after, cmd.ProcessState.ExitCode()), args, out.String())
	}
}

// lifeCalls are about the calls of the hook in a command.
var lifeCalls = map[string]int{"restore": 40, "clone": 44, "delete": 44, "undelete": 18, "purge": 2}

// finishes runs a command to its end, with exit code 0; or another one if it had come to
// its end before it was killed.
func (l *life) finishes(other int, args ...string) int {
	l.t.Helper()
	begun := time.Now()
	out, code := l.struck(event{}, args...)
	l.tell(fmt.Sprint("again: ", code), args, out)
	if code != 0 && code != other {
		l.t.Fatalf("wikictl %v does not finish: exit code %d\n%s", args, code, strings.Join(l.story, "\n"))
	}
	if code == 0 {
		l.took[args[0]] = max(l.took[args[0]], time.Since(begun))
	}
	return code
}

func (l *life) tell(what string, args []string, out string) {
	l.story = append(l.story, fmt.Sprintf("%s: wikictl %s\n%s", what, strings.Join(args, " "), out))
}

// same wants a wiki to hold what it held.
func (l *life) same(name, was string) {
	l.t.Helper()
	if got := l.holds(name); got != was {
		l.t.Fatalf("%s holds\n%s\nwant\n%s\n%s", name, got, was, strings.Join(l.story, "\n"))
	}
}

// remains lists the findings of audit and the content of the server and the disk, except files
// that every run adds: logs, dumps and backups of w0.
func (l *life) remains() []string {
	l.t.Helper()
	out, _, _ := l.result("audit", "--quick", "--format", "sarif")
	all := []string{fmt.Sprint("findings: ", strings.Count(out, `"ruleId"`))}
	all = append(all, l.sql(`SELECT CONCAT('database ', SCHEMA_NAME) FROM information_schema.SCHEMATA ORDER BY 1; SELECT CONCAT('account ', User, '@', Host) FROM mysql.user ORDER BY 1;
		SELECT CONCAT('tenant ', name, ' ', state) FROM wikictl.tenant ORDER BY 1`)...)
	for _, pattern := range []string{"wikis/*", "secrets/*", "vhosts/*", "pools/*", "removed/*", "restoring/*", "archives/half/*", "archives/wikis/copy*", "backups/*", "wikis/*/read-only", "wikis/*/maintenance"} {
		found, _ := filepath.Glob(l.state(pattern))
		all = append(all, found...)
	}
	return all
}
