package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// A staging copy is made of a wiki on 1.39 and upgraded to 1.43, and pages are compared; the
// wiki and others stay as they are. A killed one is finished by the next, which replaces the
// content of a copy, and of nothing else.
func TestStage(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.define(2)
	f.write("tenants/w1.toml", strings.Replace(f.read("tenants/w1.toml"), "hosts", "state = \"private\"\nhosts", 1))
	f.exits(0, "create", "--all")
	c := f.client("w0")
	c.login("w0")
	c.edit("Report", "The text of the report on {{SERVERNAME}}. [[Other]]")
	f.refusesToStage()
	f.stagesAgain(c)
	f.stagesPrivate()
}

// refusesToStage names what can't be staged, and changes nothing.
func (f *farm) refusesToStage() {
	f.t.Helper()
	f.exits(64, "stage", "w0", "w1")
	f.exits(64, "stage", "nobody")
	f.exits(64, "stage", "w0", "--as", "w1")
	f.exits(64, "stage", "w0", "--as", "It's", "--dry-run")
	f.exits(64, "stage", "w0", "--codebase", "9.9")
	f.wants(f.exits(1, "stage", "w0", "--codebase", "1.43", "--dry-run"), "clone w0-stage")
	w0 := f.read("tenants/w0.toml")
	f.write("tenants/w0.toml", strings.Replace(w0, "hosts", "extensions = [\"Absent\"]\nhosts", 1))
	if out, code := f.struck(event{}, "stage", "w0", "--codebase", "1.43"); code == 0 || !strings.Contains(out, "Absent") {
		f.t.Errorf("exit code %d; it does not name the missing extension:\n%s", code, out)
	}
	f.write("tenants/w0.toml", w0)
	f.sql("CREATE DATABASE wiki_w0_stage")
	f.exits(2, "stage", "w0", "--codebase", "1.43")
	f.sql("DROP DATABASE wiki_w0_stage")
	if _, err := os.Stat(f.demo.Dir + "/tenants/w0-stage.toml"); err == nil {
		f.t.Error("a refused copy left its definition")
	}
}

// stagesAgain kills a stage, finishes it, and repeats it after an edit.
func (f *farm) stagesAgain(c *client) {
	f.t.Helper()
	was, other := f.holds("w0"), f.holds("w1")
	for _, step := range []string{"database", "switch"} {
		if out, code := f.struck(event{"w0-stage", step, "after", "kill"}, "stage", "w0", "--codebase", "1.43"); code != -1 {
			f.t.Fatalf("it never came to %s: %d\n%s", step, code, out)
		}
	}
	f.staged(0, "w0", "--codebase", "1.43")
	if got := f.holds("w0"); got != was {
		f.t.Errorf("w0 holds\n%s\nand held\n%s", got, was)
	}
	copy := f.client("w0-stage")
	if page := copy.page("Report"); strings.Contains(page, "The text") {
		f.t.Errorf("a visitor reads the copy: %s", page)
	}
	settings := f.read("state/wikis/w0-stage/current/LocalSettings.php")
	f.wants(settings, "$wgJobRunRate = 0;", "AlternateUserMailer")
	c.edit("Report", "Another text of the report, which is longer.")
	must(f.t, os.WriteFile(f.state("wikis/w0-stage/images/since.txt"), []byte("since"), 0o644))
	f.staged(0, "w0", "--codebase", "1.43")
	copy = f.client("w0-stage")
	copy.login("w0-stage")
	if user := copy.user(); user != "Admin" {
		f.t.Errorf("it is used by %s", user)
	}
	f.wants(copy.page("Report"), "Another text")
	if _, err := os.Stat(f.state("wikis/w0-stage/images/since.txt")); err == nil {
		f.t.Error("a file of the former copy is there")
	}
	f.sql("UPDATE `wiki_w0_stage`.site_stats SET ss_total_edits = 1") // the copy's own content is nobody's
	if got := f.holds("w1"); got != other {
		f.t.Errorf("w1 holds\n%s\nand held\n%s", got, other)
	}
	f.exits(0, "delete", "w0-stage", "--yes", "--no-backup")
}

// stagesPrivate compares pages that no visitor may read. A page whose text differs on the new
// code is named, and the others are the same.
func (f *farm) stagesPrivate() {
	f.t.Helper()
	c := f.client("w1")
	c.login("w1")
	c.edit("Words", "The right: {{int:right-block}}.") // 1.43 words this message anew
	for _, p := range f.staged(1, "w1", "--codebase", "1.43", "--as", "try") {
		words := strings.Contains(p.Page, "Words")
		if p.Status != 200 || p.Same == words || words && !strings.Contains(p.Why, "unblock") {
			f.t.Errorf("it compares %+v", p)
		}
	}
	if list, _, code := f.result("stage", "w1", "--as", "w0"); code != 64 {
		f.t.Errorf("it takes w0 for a copy: %d %s", code, list)
	}
}

// comparedPage is a page in the JSON of stage.
type comparedPage struct {
	Page       string
	Status     int
	CopyStatus int `json:"copy_status"`
	Same       bool
	Why        string
}

// staged runs stage and returns the pages of its JSON.
func (f *farm) staged(want int, args ...string) []comparedPage {
	f.t.Helper()
	out, story, code := f.result(append([]string{"--format", "json", "stage"}, args...)...)
	var document struct{ Pages []comparedPage }
	if err := json.Unmarshal([]byte(out), &document); err != nil || code != want {
		f.t.Fatalf("stage %v: exit code %d, want %d; %v\n%s%s", args, code, want, err, out, story)
	}
	f.t.Logf("%+v", document.Pages)
	return document.Pages
}
