package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// How hard the tests of upgrades try; testbed soak asks for more.
var (
	upgradeWikis = flag.Int("upgrade-wikis", 5, "wikis to upgrade while being killed")
	upgradeKills = flag.Int("upgrade-kills", 2, "kills of wikictl at random moments")
	soundWikis   = flag.Int("sound-wikis", 2, "wikis beside those whose upgrade fails")
	serverKills  = flag.Int("server-kills", 1, "kills of mariadbd at random moments")
)

// writer edits one wiki all the time and remembers what was acknowledged.
type writer struct {
	c    *client
	acks map[string]ack // by revision id
}

// ack is an edit that was acknowledged.
type ack struct {
	text string
	at   time.Time
}

func (w *writer) run(stop <-chan struct{}) {
	for i := 0; ; i++ {
		select {
		case <-stop:
			return
		case <-time.After(20 * time.Millisecond):
		}
		text := fmt.Sprintf("edit %d of %s", i, w.c.host)
		form := url.Values{"action": {"edit"}, "title": {fmt.Sprint("Page ", i%7)}, "text": {text}, "token": {`+\`}, "format": {"json"}}
		request, _ := http.NewRequest("POST", fmt.Sprintf("http://127.0.0.1:%d/api.php", w.c.f.demo.Web.Port), strings.NewReader(form.Encode()))
		request.Host = w.c.host
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		response, err := w.c.http.Do(request)
		if err != nil {
			continue
		}
		body, err := io.ReadAll(response.Body)
		var answer map[string]any
		// When a commit fails MediaWiki has written "Success" already: an error page
		// follows it, with status 500.
		if err == nil && response.StatusCode == http.StatusOK && json.Unmarshal(body, &answer) == nil && at(answer, "edit", "result") == "Success" {
			w.acks[fmt.Sprint(at(answer, "edit", "newrevid"))] = ack{text, time.Now().UTC()}
		}
		response.Body.Close()
	}
}

// story returns the ledger's and the database's records around a revision.
func (f *farm) story(wiki int, id string) string {
	var recorded []string
	for _, query := range []string{
		"SELECT * FROM wikictl.upgrade WHERE tenant = 'w%[1]d' ORDER BY started",
		`SELECT rev_id, rev_page, rev_timestamp, content_address, old_text FROM wiki_w%[1]d.revision
			LEFT JOIN wiki_w%[1]d.slots ON slot_revision_id = rev_id LEFT JOIN wiki_w%[1]d.content ON content_id = slot_content_id
			LEFT JOIN wiki_w%[1]d.text ON CONCAT('tt:', old_id) = content_address WHERE ABS(CAST(rev_id AS SIGNED) - %[2]s) < 4`,
	} {
		recorded = append(recorded, f.sql(fmt.Sprintf(query, wiki, id))...)
	}
	return strings.Join(recorded, "\n")
}

// An upgrade that is killed at named steps and at random moments, with its server too, while
// people edit, ends with every wiki on the new version and no acknowledged edit lost.
func TestUpgradeSurvivesKills(t *testing.T) {
	n := *upgradeWikis
	adoptOrphans(t)
	f := newFarm(t)
	f.define(n)
	f.run("create", "--all")
	f.want143()
	stop := make(chan struct{})
	var wait sync.WaitGroup
	writers := make([]*writer, n)
	for i := range n {
		writers[i] = &writer{f.client(fmt.Sprint("w", i)), map[string]ack{}}
		if i < 3 {
			wait.Go(func() { writers[i].run(stop) })
		}
	}
	f.killsSteps()
	f.killsUpgrades(n)
	f.run("upgrade", "--all", "--max-failures", "100%")
	time.Sleep(200 * time.Millisecond)
	close(stop)
	wait.Wait()
	if out := f.run("upgrade", "--all"); !strings.Contains(out, fmt.Sprintf("no changes, %d unchanged", n)) {
		t.Error(out)
	}
	f.keptAll(writers)
	if half, _ := filepath.Glob(filepath.Join(f.demo.Dir, "state/backups/*/*.half")); len(half) > 0 {
		t.Errorf("half dumps are left: %v", half)
	}
	if frozen, _ := filepath.Glob(filepath.Join(f.demo.Dir, "state/wikis/*/read-only")); len(frozen) > 0 {
		t.Errorf("wikis are left read-only: %v", frozen)
	}
	noneLeft(t)
}

// stepKills are moments of an upgrade at which no other test kills it. The third is a part of a
// way back.
var stepKills = []string{
	event{"*", "messages", "after", "kill"}.String(),
	event{"*", "lock", "after", "kill"}.String(),
	event{"*", "check", "before", "fail"}.String() + "," + event{"*", "restoring", "after", "kill"}.String(),
	event{"*", "mark", "after", "kill"}.String(),
	event{"*", "count", "after", "kill"}.String(),
	event{"*", "changing", "after", "kill"}.String(),
	event{"*", "maintenance", "after", "kill"}.String(),
	event{"*", "account", "after", "kill"}.String(),
	event{"*", "check", "after", "kill"}.String(),
	event{"*", "open", "after", "kill"}.String(),
}

// killsSteps kills upgrades at those moments.
func (f *farm) killsSteps() {
	f.t.Helper()
	for _, moment := range stepKills {
		cmd := f.command("upgrade", "--all", "--jobs", "3", "--max-failures", "100%")
		cmd.Env = append(os.Environ(), hookVariable+"="+moment)
		if out, _ := cmd.CombinedOutput(); cmd.ProcessState.ExitCode() != -1 {
			f.t.Errorf("no upgrade was killed by %s:\n%s", moment, out)
		}
	}
}

// killsUpgrades kills the server under upgrades of n wikis, and then upgrades.
func (f *farm) killsUpgrades(n int) {
	t := f.t
	t.Helper()
	for i := range *upgradeKills + *serverKills {
		cmd := f.command("upgrade", "--all", "--jobs", "3", "--max-failures", "100%")
		must(t, cmd.Start())
		time.Sleep(time.Duration(500+rand.IntN(min(1500*n, 6000))) * time.Millisecond) // while there is something to kill
		if i < *serverKills {
			for !f.private().Running(t.Context()) { // the one before was killed, too
				time.Sleep(20 * time.Millisecond)
			}
			pid, err := f.private().Pid()
			must(t, err)
			must(t, syscall.Kill(pid, syscall.SIGKILL))
			cmd.Wait()
			continue
		}
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		cmd.Wait()
	}
}

// keptAll wants every wiki on the new version with each edit that it acknowledged.
func (f *farm) keptAll(writers []*writer) {
	t := f.t
	t.Helper()
	acknowledged := 0
	for i, w := range writers {
		if v := w.c.version(); v != "MediaWiki 1.43.9" {
			t.Errorf("w%d is %s", i, v)
		}
		for id, ack := range w.acks {
			acknowledged++
			answer, _ := json.Marshal(w.c.call(url.Values{"action": {"query"}, "revids": {id}, "prop": {"revisions"}, "rvprop": {"content"}, "rvslots": {"main"}}))
			if !strings.Contains(string(answer), ack.text) {
				t.Errorf("w%d lost the acknowledged revision %s, %q, of %s: %s\n%s", i, id, ack.text, ack.at.Format(time.StampMilli), answer, f.story(i, id))
			}
		}
		w.c.edit("After", "all is over")
	}
	if acknowledged == 0 {
		t.Error("nobody could edit")
	}
	t.Logf("%d edits were acknowledged", acknowledged)
}
