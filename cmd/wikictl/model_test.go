package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// How long TestModel walks; testbed soak model asks for more.
var (
	modelHistories = flag.Int("histories", 8, "histories of commands that something happens to")
	modelSeed      = flag.Uint64("seed", 0, "of the histories; 0: another one each time")
)

// model is a farm on which several people work, each on a wiki of their own, on a server that
// also holds databases and accounts that do not belong to the farm.
type model struct {
	*farm
	alone     *sync.RWMutex // held for reading by each history, for writing while the server is stopped or all of the farm changed
	bystander string        // checksums of the wiki on which no person works
	strangers []string      // databases and accounts of the server that do not belong to the farm
}

// TestModel tries whole runs: a command, at whose steps something happens (a kill, a
// failure, a panic, a second person, the loss of the lock, the loss of the server),
// and then the commands that a person would type. Whatever happened, after each history
//   - no acknowledged edit is lost, unless a person confirmed that by a rollback;
//   - no wiki is served by code that does not fit its database, or with a database error;
//   - plain runs of apply and upgrade lead to the state that the files define;
//   - strangers were not changed, and no scratch copy of a rehearsal remains.
func TestModel(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.define(1)
	f.write("wikictl.toml", "allow_php = true\n"+f.read("wikictl.toml"))
	f.exits(0, "create", "w0")
	f.sql("CREATE DATABASE wiki_stranger; CREATE TABLE wiki_stranger.t (a INT); INSERT INTO wiki_stranger.t VALUES (1); CREATE USER wiki_stranger_schema@localhost IDENTIFIED BY 'theirs'; GRANT SELECT ON wiki_stranger.* TO wiki_stranger_schema@localhost")
	m := &model{farm: f, alone: &sync.RWMutex{}, bystander: f.checksums("wiki_w0"), strangers: f.strangers()}
	seed := *modelSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("go test ./cmd/wikictl -run TestModel -histories %d -seed %d", *modelHistories, seed)
	const people = 2
	var wait sync.WaitGroup // parallel subtests would wait until all other tests have begun
	for p := range people {
		wait.Go(func() {
			t.Run(fmt.Sprint(p), func(t *testing.T) {
				w := m.person(t, p)
				for h := p; h < *modelHistories && !t.Failed(); h += people {
					w.history(rand.New(rand.NewPCG(seed, uint64(h))), h)
				}
			})
		})
	}
	wait.Wait()
	if got := f.checksums("wiki_w0"); got != m.bystander {
		t.Errorf("the wiki that nobody worked on was\n%s\nand is\n%s", m.bystander, got)
	}
	if got := f.strangers(); !slices.Equal(got, m.strangers) {
		t.Errorf("beside the farm there were %v, and there are %v", m.strangers, got)
	}
	f.exits(0, "plan", "w0")
	f.exits(0, "upgrade", "w0", "--force", "--rehearse") // it removes what killed ones left
	f.nothingScratch()
}

// checksums returns the checksums of a wiki's tables, except those that reading a page changes.
func (f *farm) checksums(database string) string {
	f.still(database)
	tables := f.sql("SELECT CONCAT('" + database + ".', TABLE_NAME) FROM information_schema.TABLES WHERE TABLE_SCHEMA = '" + database + "' AND TABLE_NAME NOT IN ('objectcache', 'l10n_cache', 'module_deps', 'job') ORDER BY TABLE_NAME")
	return strings.Join(f.sql("CHECKSUM TABLE "+strings.Join(tables, ", ")), " ")
}

// strangers returns rows, accounts and databases that wikictl did not make.
func (f *farm) strangers() []string {
	return f.sql(`SELECT User, Host, authentication_string FROM mysql.user WHERE User LIKE '%stranger%'; SELECT * FROM wiki_stranger.t;
		SELECT Db, User, Select_priv FROM mysql.db WHERE User LIKE '%stranger%'`)
}

// walker is one person and their wiki.
type walker struct {
	*model
	name    string // changes by a rename
	number  int
	edition int             // of the wiki's name, which a change counts up
	version string          // of the codebase that the files want
	broken  bool            // the files have a setting that breaks the wiki
	made    bool            // it was seen to be finished once
	edits   map[string]edit // acknowledged, by page title
	story   []string        // what happened in this history
	undone  bool            // a rollback was confirmed in this history
	removed bool            // and so was a removal
}

// edit is an edit that the wiki acknowledged.
type edit struct {
	version string // that the wiki ran on
	upgrade string // run of the latest upgrade before it; empty: there was none
}

func (m *model) person(t *testing.T, n int) *walker {
	own := *m.farm
	own.t = t
	mine := *m
	mine.farm = &own
	w := &walker{model: &mine, name: fmt.Sprint("m", n), number: n, version: "1.39", edits: map[string]edit{}}
	w.say()
	return w
}

// say writes the wiki's definition, as one file that changes at once: others read the
// farm at any moment.
func (w *walker) say() {
	text := fmt.Sprintf("name = %q\ndatabase = \"wiki_m%d\"\nhosts = [\"m%[2]d.localhost\"]\nsitename = \"Model %d\"\ncodebase = %q\nskins = [\"Vector\"]\n[settings]\nwgGroupPermissions.\"*\".edit = true\nwgGroupPermissions.\"*\".createpage = true\nwgRateLimits = {}\n",
		w.name, w.number, w.edition, w.version)
	if w.broken {
		text += "wgExtensionFunctions = [{ php = \"static function () { throw new Error( 'planted' ); }\" }]\n"
	}
	os.Remove(filepath.Join(w.demo.Dir, fmt.Sprintf("tenants/m%dx.toml", w.number))) // an undelete of the renamed wiki may have written it
	w.write("drafts/"+w.name, text)
	must(w.t, os.Rename(filepath.Join(w.demo.Dir, "drafts", w.name), filepath.Join(w.demo.Dir, fmt.Sprintf("tenants/m%d.toml", w.number))))
}

// history lets something happen to one or two commands, and then has a person put
// everything right by plain commands.
func (w *walker) history(r *rand.Rand, number int) {
	w.alone.RLock()
	defer w.alone.RUnlock()
	w.story, w.undone = []string{fmt.Sprintf("history %d of wiki m%d", number, w.number)}, false
	for range 1 + r.IntN(2) {
		w.tryEdit(r)
		w.strike(r, w.pick(r))
		w.served()
	}
	w.converge()
	w.removed = false
	w.check(r)
	if w.t.Failed() {
		w.t.Log(strings.Join(w.story, "\n"))
	}
}

// strike runs a command and has something happen at one of its steps.
func (w *walker) strike(r *rand.Rand, o operation) {
	at := event{"*", fmt.Sprint("#", 1+r.IntN(o.calls)), "either", ""}
	o.prepare(w)
	args := o.args(w)
	what := pickOne(r, "none", "none", "kill", "kill", "kill", "kill", "fail", "fail", "panic", "person", "person", "lock", "server")
	if what == "server" || o.alone {
		w.alone.RUnlock()
		w.alone.Lock()
		defer w.alone.RLock()
		defer w.alone.Unlock()
	}
	var out string
	var code int
	switch what {
	case "none":
		out, code = w.struck(event{}, args...)
	case "kill", "fail", "panic":
		at.what = what
		out, code = w.struck(at, args...)
	default:
		out, code, _ = w.holdAt(at, func() { w.meanwhile(r, what) }, args...)
	}
	w.story = append(w.story, fmt.Sprintf("%s: wikictl %s: exit code %d\n%s", what, strings.Join(args, " "), code, out))
	if strings.Contains(out, "goroutine ") {
		w.t.Errorf("wikictl %v printed a stack trace", args)
	}
}

// meanwhile has something happen while a run is held at a step.
func (w *walker) meanwhile(r *rand.Rand, what string) {
	switch what {
	case "lock":
		for _, id := range w.sql(fmt.Sprintf("SELECT COALESCE(IS_USED_LOCK('wikictl/wiki_m%d'), 0)", w.number)) {
			if id != "0" {
				printedRows(w.private().Socket, "KILL "+id) // it may have ended meanwhile
			}
		}
	case "server":
		if pid, err := w.private().Pid(); err == nil {
			syscall.Kill(pid, syscall.SIGKILL)
		}
		for w.private().Start(w.t.Context()) != nil && w.t.Context().Err() == nil {
			time.Sleep(100 * time.Millisecond)
		}
		return
	}
	w.tryEdit(r)
	if o := w.pick(r); !o.alone {
		w.undone = w.undone || o.name == "rollback"
		args := o.args(w)
		out, code := w.struck(event{}, args...)
		w.story = append(w.story, fmt.Sprintf("meanwhile: wikictl %s: exit code %d\n%s", strings.Join(args, " "), code, out))
	}
	w.tryEdit(r)
}

// tryEdit edits the wiki as a reader would, who may be told that it is read-only. It
// returns what the wiki answered, and whether that is an acknowledgement.
func (w *walker) tryEdit(r *rand.Rand) (answer string, acknowledged bool) {
	title := fmt.Sprint("E", r.Uint64())
	form := url.Values{"action": {"edit"}, "title": {title}, "text": {"text of " + title}, "token": {`+\`}, "format": {"json"}}
	status, body := w.post(form)
	acknowledged = status == http.StatusOK && strings.Contains(body, `"result":"Success"`)
	if acknowledged {
		w.edits[title] = edit{w.row("version"), w.upgraded("")}
	}
	return fmt.Sprintf("%d: %.600s", status, body), acknowledged
}

// row returns a column of the wiki's row in the ledger; empty if it has none.
func (w *walker) row(column string) string {
	return strings.Join(w.sql(fmt.Sprintf("SELECT %s FROM wikictl.tenant WHERE database_name = 'wiki_m%d'", column, w.number)), "")
}

// upgraded returns the run of the wiki's newest upgrade that is not undone or, given a run, that
// run if it made such an upgrade; empty if none did.
func (w *walker) upgraded(run string) string {
	return strings.Join(w.sql(fmt.Sprintf("SELECT run FROM wikictl.upgrade WHERE tenant = '%s' AND phase = 'upgraded' AND run LIKE '%s%%' ORDER BY started DESC LIMIT 1", w.row("name"), run)), "")
}

// post sends a form to the wiki's api.php; the status is 0 when nothing answers.
func (w *walker) post(form url.Values) (status int, body string) {
	c := w.client(fmt.Sprint("m", w.number))
	return c.ask(form)
}

// converge runs the commands that the README tells a person to run, until nothing differs.
func (w *walker) converge() {
	w.broken = false
	for range 5 {
		if now := w.row("version"); w.undone && now != "" { // what a rollback led to
			w.version = now[:4]
		}
		w.say()
		if w.removed {
			out, code := w.struck(event{}, "undelete", w.name)
			w.story = append(w.story, fmt.Sprintf("converging: wikictl undelete %s: exit code %d\n%s", w.name, code, out))
			if strings.Contains(out, "give it back its name") { // it was removed before its rename ended
				w.rename()
				continue
			}
		}
		out, code := w.struck(event{}, "plan", w.name)
		if code == 0 {
			w.made = true
			return
		}
		w.story = append(w.story, "converging: "+out)
		if strings.Contains(out, "give it back its name") { // what was left is ended before a rename
			w.rename()
		}
		for _, command := range []string{"apply", "upgrade"} {
			out, code := w.struck(event{}, command, w.name)
			w.story = append(w.story, fmt.Sprintf("converging: wikictl %s %s: exit code %d\n%s", command, w.name, code, out))
		}
	}
	w.t.Errorf("five rounds of plan, apply and upgrade do not lead to what the files want")
}
