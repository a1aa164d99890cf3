package main

import (
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofrs/flock"

	"wikictl/php/fpm"
)

// visitors read and edit a wiki until stopped.
type visitors struct {
	f    *farm
	wiki string
	stop chan struct{}
	wait sync.WaitGroup

	mu    sync.Mutex
	seen  map[string]int // what readers got
	edits []attempt      // in order
}

// attempt is an edit that makes a page.
type attempt struct {
	title        string // empty: it was refused as the wiki is read-only or closed
	began, ended time.Time
}

// visit has four kinds of page read, and pages made.
func (f *farm) visit(wiki string) *visitors {
	v := &visitors{f: f, wiki: wiki, stop: make(chan struct{}), seen: map[string]int{}}
	for _, path := range []string{"/index.php?title=Main_Page", "/index.php?title=Page&action=history", "/index.php?title=Special:RecentChanges", "/wiki/Page"} {
		v.every(25*time.Millisecond, func(int) { v.read(path) })
	}
	v.every(60*time.Millisecond, v.write)
	return v
}

// every calls do with a number until the visitors are stopped.
func (v *visitors) every(pause time.Duration, do func(n int)) {
	v.wait.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-v.stop:
				return
			case <-time.After(pause):
				do(n)
			}
		}
	})
}

func (v *visitors) read(path string) {
	began := time.Now()
	got := v.f.request(v.wiki, path)
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.seen[got]++; v.seen[got] == 1 && !slices.Contains([]string{"closed", "1.39.17", "1.43.9"}, got) {
		v.f.t.Errorf("%s%s from %s to %s: %s", v.wiki, path, began.Format("05.000"), time.Now().Format("05.000"), got)
	}
}

// write makes a page, without logging in. The answer is a success, that the wiki is
// read-only, or an honest 503.
func (v *visitors) write(n int) {
	e := attempt{title: fmt.Sprint("Written ", n), began: time.Now()}
	form := url.Values{"action": {"edit"}, "title": {e.title}, "text": {"text"}, "token": {`+\`}, "format": {"json"}, "formatversion": {"2"}}
	status, body := v.f.client(v.wiki).ask(form)
	switch {
	case status == 200 && strings.Contains(body, `"result":"Success"`):
	case status == 200 && strings.Contains(body, `"code":"readonly"`), status == 503 && strings.Contains(body, "This wiki is"):
		e.title = ""
	default:
		v.f.t.Errorf("%s: an edit at %s: %d %.400s", v.wiki, time.Now().Format("05.000"), status, body)
		return
	}
	e.ended = time.Now()
	v.mu.Lock()
	defer v.mu.Unlock()
	v.edits = append(v.edits, e)
}

// leave ends the visits, and wants that readers saw both releases, and that no edit is
// lost but those that a rollback, which began at a time, took back: they were made after
// the refusals of the upgrade that it undid. A refusal that began before the rollback and ended
// later may be of either.
func (v *visitors) leave(rollback time.Time) {
	v.f.t.Helper()
	close(v.stop)
	v.wait.Wait()
	v.f.t.Log(v.wiki, v.seen, len(v.edits), "edits")
	if v.seen["closed"] == 0 || v.seen["1.39.17"] == 0 || v.seen["1.43.9"] == 0 {
		v.f.t.Errorf("the readers of %s came too late: %v", v.wiki, v.seen)
	}
	titles := v.f.sql("SELECT CONVERT(page_title USING utf8mb4) FROM wiki_" + v.wiki + ".page")
	refusals, last := 0, 0
	for i, e := range v.edits {
		if e.title == "" && e.ended.Before(rollback) {
			last = i
		}
	}
	mayGo := true // from the last refusal before the rollback until its own
	for i, e := range v.edits {
		if e.title == "" {
			refusals++
			mayGo = mayGo && (i <= last || e.began.Before(rollback))
			continue
		}
		found := slices.Contains(titles, strings.ReplaceAll(e.title, " ", "_"))
		if taken := i > last && mayGo; !found && !taken {
			v.f.t.Errorf("%s: the edit of %q at %s was acknowledged, and is lost", v.wiki, e.title, e.ended.Format("05.000"))
		}
	}
	if refusals == 0 || refusals == len(v.edits) {
		v.f.t.Errorf("%s: %d of %d edits were refused", v.wiki, refusals, len(v.edits))
	}
}

// slowRequests has those who read a history, and every tenth who writes, wait between the settings
// and the first query, as on a busy machine. Others wait for php-fpm meanwhile.
const slowRequests = `<?php
$wgShowExceptionDetails = true;
$late = ( $_GET['action'] ?? '' ) === 'history' || preg_match( '/0$/', $_POST['title'] ?? '' );
if ( PHP_SAPI !== 'cli' && $late ) {
	usleep( 3000000 );
}
`

// Readers of a wiki see whole pages of one release, or 503 with Retry-After, and no edit
// that was acknowledged is lost, while it is upgraded, left by a kill, upgraded again and
// rolled back; with rows moved ahead, too.
func TestVisitorsSeeNoErrors(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.define(2)
	f.write("php/slow.php", slowRequests)
	f.write("wikictl.toml", "allow_php = true\n"+strings.Replace(f.read("wikictl.toml"), "[defaults]\n", "[defaults]\ninclude = \"php/slow.php\"\n", 1))
	f.run("create", "--all")
	f.manyRows("w1")
	for _, wiki := range []string{"w0", "w1"} {
		f.client(wiki).edit("Page", "text")
	}
	f.want143()
	w0, w1 := f.visit("w0"), f.visit("w1")
	if out, code := f.struck(event{"w1", "ahead", "after", "kill"}, "upgrade", "w1", "--ahead", "only"); code != -1 {
		t.Error(out)
	}
	if out, code := f.struck(event{"*", "check", "before", "kill"}, "upgrade", "w0", "w1"); code != -1 {
		t.Error(out)
	}
	time.Sleep(300 * time.Millisecond)
	f.run("upgrade", "w0", "w1")
	rollback := time.Now()
	f.run("rollback", "--yes", "w0", "w1")
	f.run("upgrade", "w0", "w1")
	w0.leave(rollback)
	w1.leave(rollback)
	f.asksLate("w0")
	f.savesLate("w0")
}

// savesLate makes a wiki read-only while an edit waits that began before: it is saved, and those
// that begin later are refused.
func (f *farm) savesLate(wiki string) {
	f.t.Helper()
	c := f.client(wiki)
	edit := func(title string) string {
		status, body := c.ask(url.Values{"action": {"edit"}, "title": {title}, "text": {"x"}, "token": {`+\`}, "format": {"json"}, "formatversion": {"2"}})
		return fmt.Sprint(status, " ", body)
	}
	answer := make(chan string, 1)
	go func() { answer <- edit("Begun 0") }()
	lock := flock.New(f.state("wikis/"+wiki+"/requests"), flock.SetFlag(os.O_RDONLY))
	defer lock.Close()
	for begun := time.Now(); time.Since(begun) < time.Minute; time.Sleep(time.Millisecond) {
		if free, err := lock.TryLock(); !free || err != nil || lock.Unlock() != nil {
			break
		}
	}
	f.put("wikis/"+wiki+"/read-only", "closed")
	if late := edit("Late"); !strings.Contains(late, `"code":"readonly"`) {
		f.t.Errorf("an edit of a read-only wiki: %s", late)
	}
	if begun := <-answer; !strings.Contains(begun, `"result":"Success"`) {
		f.t.Errorf("an edit that began before its wiki was read-only: %s", begun)
	}
}

// asksLate has php-fpm get a request for the release of an upgraded wiki's old code, as one that
// waited in its queue while the wiki was upgraded.
func (f *farm) asksLate(wiki string) {
	old := f.state("wikis/" + wiki + "/releases/1")
	reply, _, err := fpm.Ask(f.t.Context(), f.demo.Web.FPM(), old+"/core/index.php", [][2]string{
		{"MW_CONFIG_FILE", old + "/LocalSettings.php"}, {"SCRIPT_NAME", "/index.php"}, {"REQUEST_URI", "/index.php?title=Page"}, {"QUERY_STRING", "title=Page"},
		{"HTTP_HOST", wiki + ".localhost"}, {"SERVER_NAME", wiki + ".localhost"}, {"SERVER_PORT", "80"},
	})
	if text := string(reply); err != nil || !strings.Contains(text, "Status: 503") || !strings.Contains(text, "Retry-After: 1") {
		f.t.Errorf("a late request got %v: %.300s", err, text)
	}
}
