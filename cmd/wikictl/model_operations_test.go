package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// operation is a command that a person may begin.
type operation struct {
	name    string
	calls   int  // of the hook, about, in a run that nothing happens to
	alone   bool // it works on all of the farm
	fits    func(*walker) bool
	prepare func(*walker) // what they change in the files first
	args    func(*walker) []string
}

var operations = []operation{
	{"create", 24, false, here, func(*walker) {}, on("create")},
	{"change", 10, false, here, func(w *walker) { w.edition++; w.say() }, on("apply")},
	{"break", 10, false, made, func(w *walker) { w.broken = true; w.say() }, on("apply")},
	{"rename", 12, false, made, func(w *walker) { w.rename() }, on("apply")},
	{"upgrade", 28, false, made, func(w *walker) { w.version = "1.43"; w.say() }, on("upgrade")},
	{"upgrade without dump", 26, false, made, func(w *walker) { w.version = "1.43"; w.say() }, on("upgrade", "--backup", "none")},
	{"upgrade again", 28, false, made, func(*walker) {}, on("upgrade", "--force")},
	{"rehearse", 24, false, made, func(w *walker) { w.version = "1.43"; w.say() }, on("upgrade", "--rehearse")},
	{"ahead", 10, false, made, func(w *walker) { w.version = "1.43"; w.say() }, on("upgrade", "--ahead", "only")},
	{"rollback", 18, false, made, func(w *walker) { w.undone = true; w.version = "1.39"; w.say() }, on("rollback", "--yes")},
	{"render", 4, false, made, func(w *walker) { w.edition++; w.say() }, on("render", "--write")},
	{"remove", 16, true, made, (*walker).remove, func(*walker) []string {
		return []string{"apply", "--all", "--prune", "--yes", "--max-removals", "9"}
	}},
	{"undelete", 20, false, func(w *walker) bool { return w.removed }, (*walker).say, on("undelete")},
}

func here(w *walker) bool { return !w.removed }
func made(w *walker) bool { return w.made && !w.removed }

// remove removes the wiki's definition.
func (w *walker) remove() {
	w.removed = true
	must(w.t, os.Remove(filepath.Join(w.demo.Dir, fmt.Sprintf("tenants/m%d.toml", w.number))))
}

// on is a command on the person's wiki.
func on(words ...string) func(*walker) []string {
	return func(w *walker) []string { return append(slices.Clone(words), w.name) }
}

// rename gives the wiki its other name.
func (w *walker) rename() {
	own := fmt.Sprint("m", w.number)
	w.name = map[bool]string{true: own + "x", false: own}[w.name == own]
	w.say()
}

// pick is an operation that a person could think of now.
func (w *walker) pick(r *rand.Rand) operation {
	for {
		o := operations[r.IntN(len(operations))]
		if o.fits(w) {
			return o
		}
	}
}

func pickOne(r *rand.Rand, words ...string) string { return words[r.IntN(len(words))] }

var generator = regexp.MustCompile(`"generator":"MediaWiki ([0-9]+\.[0-9]+)`)

// served checks that the code that serves the wiki fits its database.
func (w *walker) served() {
	status, body := w.post(url.Values{"action": {"query"}, "meta": {"siteinfo"}, "format": {"json"}})
	if status >= 500 && status != http.StatusServiceUnavailable {
		w.t.Errorf("wiki m%d answers %d: %.600s", w.number, status, body)
	}
	version := generator.FindStringSubmatch(body)
	if status != http.StatusOK || version == nil {
		return
	}
	// MediaWiki 1.42 made the table block, 1.43 dropped ipblocks.
	found := w.sql(fmt.Sprintf("SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'wiki_m%d' AND TABLE_NAME IN ('block', 'ipblocks')", w.number))
	if want := map[string]string{"1.39": "ipblocks", "1.43": "block"}[version[1]]; strings.Join(found, " ") != want {
		w.t.Errorf("wiki m%d is served by MediaWiki %s, and has of its tables of blocks %v", w.number, version[1], found)
	}
}

// check checks the conditions that hold after every history.
func (w *walker) check(r *rand.Rand) {
	answer, done := w.tryEdit(r)
	for tries := 0; !done && tries < 3; tries++ { // a web server that reloads may cut a connection
		time.Sleep(500 * time.Millisecond)
		answer, done = w.tryEdit(r)
	}
	if !done {
		w.t.Errorf("wiki m%d can't be edited: %s", w.number, answer)
	}
	w.served()
	pages := w.sql(fmt.Sprintf("SELECT CONVERT(page_title USING utf8mb4) FROM wiki_m%d.page", w.number))
	for title, e := range w.edits {
		if slices.Contains(pages, title) {
			continue
		}
		if !w.undone || e.upgrade == "" || w.upgraded(e.upgrade) != "" {
			w.t.Errorf("wiki m%d lost the page %s, which was made on %s, after the upgrade %q", w.number, title, e.version, e.upgrade)
		}
		delete(w.edits, title)
	}
	if open := w.sql(fmt.Sprintf("SELECT run, phase FROM wikictl.upgrade WHERE tenant = '%s' AND ended IS NULL", w.name)); len(open) > 0 {
		w.t.Errorf("an upgrade of m%d is open: %v", w.number, open)
	}
	for _, file := range []string{"read-only", "maintenance"} {
		if _, err := os.Lstat(filepath.Join(w.demo.Dir, "state/wikis", w.name, file)); err == nil {
			w.t.Errorf("wiki m%d has its file %s still", w.number, file)
		}
	}
}
