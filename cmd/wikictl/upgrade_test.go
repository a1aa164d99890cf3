package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// define replaces the farm's tenants by n on MediaWiki 1.39, w0 and so on, that
// anybody may edit as often as they like.
func (f *farm) define(n int) {
	must(f.t, os.RemoveAll(filepath.Join(f.demo.Dir, "tenants")))
	must(f.t, os.MkdirAll(filepath.Join(f.demo.Dir, "tenants"), 0o755))
	for i := range n {
		f.write(fmt.Sprintf("tenants/w%d.toml", i), fmt.Sprintf(`name = "w%d"
hosts = ["w%[1]d.localhost"]
sitename = "Wiki %[1]d"
skins = ["Vector"]
[settings]
wgGroupPermissions."*".edit = true
wgGroupPermissions."*".createpage = true
wgRateLimits = {}
`, i))
	}
}

func (f *farm) write(name, text string) {
	must(f.t, os.MkdirAll(filepath.Dir(filepath.Join(f.demo.Dir, name)), 0o755))
	must(f.t, os.WriteFile(filepath.Join(f.demo.Dir, name), []byte(text), 0o644))
}

// want143 edits the farm's file as an operator would.
func (f *farm) want143() {
	f.write("wikictl.toml", strings.Replace(f.read("wikictl.toml"), `codebase = "1.39"`, `codebase = "1.43"`, 1))
}

func (c *client) version() string {
	answer := c.call(url.Values{"action": {"query"}, "meta": {"siteinfo"}})
	return fmt.Sprint(at(answer, "query", "general", "generator"))
}

// content is all that a wiki's readers have: pages with their history, users and
// files.
func (c *client) content() string {
	var all strings.Builder
	for _, query := range []url.Values{
		{"generator": {"allpages"}, "gaplimit": {"max"}, "prop": {"revisions"}, "rvprop": {"ids|timestamp|user|content"}, "rvslots": {"main"}},
		{"list": {"allusers"}, "aulimit": {"max"}, "auprop": {"editcount|groups|registration"}},
		{"list": {"allimages"}, "ailimit": {"max"}, "aiprop": {"sha1|timestamp|size|user"}},
		{"titles": {"Only here"}, "prop": {"revisions"}, "rvlimit": {"max"}, "rvprop": {"ids|timestamp|user|content"}, "rvslots": {"main"}},
	} {
		query.Set("action", "query")
		text, err := json.MarshalIndent(c.call(query)["query"], "", " ")
		must(c.f.t, err)
		all.Write(text)
	}
	return all.String()
}

func (c *client) edit(title, text string) {
	c.f.t.Helper()
	answer := c.call(url.Values{"action": {"edit"}, "title": {title}, "text": {text}, "token": {c.token("csrf")}})
	if at(answer, "edit", "result") != "Success" {
		c.f.t.Fatal(answer)
	}
}

// upload sends a picture of one pixel.
func (c *client) upload(name string) {
	c.f.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for key, value := range map[string]string{"action": "upload", "filename": name, "token": c.token("csrf"), "format": "json", "ignorewarnings": "1"} {
		must(c.f.t, form.WriteField(key, value))
	}
	part, err := form.CreateFormFile("file", name)
	must(c.f.t, err)
	part.Write([]byte("GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"))
	must(c.f.t, form.Close())
	request, err := http.NewRequest("POST", fmt.Sprintf("http://127.0.0.1:%d/api.php", c.f.demo.Web.Port), &body)
	must(c.f.t, err)
	request.Host = c.host
	request.Header.Set("Content-Type", form.FormDataContentType())
	response, err := c.http.Do(request)
	must(c.f.t, err)
	defer response.Body.Close()
	if answer, _ := io.ReadAll(response.Body); !strings.Contains(string(answer), `"result":"Success"`) {
		c.f.t.Fatalf("upload: %.400s", answer)
	}
}

// Two wikis go from 1.39 to 1.43 with all that they hold, and one of them back.
func TestUpgrade(t *testing.T) {
	f := newFarm(t)
	f.run("create", "--all")
	alpha := f.client("alpha")
	alpha.login("alpha")
	alpha.edit("Only here", "of alpha")
	alpha.edit("Only here", "of alpha, again")
	alpha.upload("Pixel.gif")
	for !strings.Contains(alpha.content(), `"editcount": 3`) { // it is counted after the answer was sent
		time.Sleep(50 * time.Millisecond)
	}
	before := alpha.content()
	f.want143()
	f.write("migrations/001-note.sql", "-- where: name=alpha\nCREATE TABLE farm_note (id INT PRIMARY KEY);\nINSERT INTO farm_note VALUES (7);\n")
	if out := f.run("upgrade", "--all", "--dry-run"); !strings.Contains(out, "2 to upgrade in 1 waves") || alpha.version() != "MediaWiki 1.39.17" {
		t.Fatal(out)
	}
	plan := filepath.Join(f.demo.Dir, "plan.json")
	f.run("upgrade", "--all", "--canary", "beta", "--out", plan)
	if out, err := f.command("upgrade", "--all", "--plan", plan).CombinedOutput(); err == nil || !strings.Contains(string(out), "the farm has changed") {
		t.Errorf("%v: %s", err, out)
	}
	seen := watchCommandLines()
	out := f.run("upgrade", "--all", "--canary", "beta", "--plan", plan, "--max-failures", "0")
	noSecrets(t, f, seen()+out)
	if !strings.Contains(out, "upgrade: 2 done, 1 unchanged, 0 failed") {
		t.Fatal(out)
	}
	for _, tenant := range []string{"alpha", "beta", "gamma"} {
		if got := f.client(tenant).version(); got != "MediaWiki 1.43.9" {
			t.Errorf("%s is %s", tenant, got)
		}
	}
	if d := cmp.Diff(before, alpha.content()); d != "" {
		t.Errorf("the content changed (-1.39 +1.43):\n%s", d)
	}
	alpha.login("alpha") // the updater empties objectcache, where sessions are
	alpha.edit("After", "the upgrade")
	if page := alpha.read("After"); !strings.Contains(page, "the upgrade") {
		t.Error(page)
	}
	if got := f.sql("SELECT id FROM wiki_alpha.farm_note"); len(got) != 1 || got[0] != "7" {
		t.Errorf("the farm's SQL left %v", got)
	}
	if got := f.sql("SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_NAME = 'farm_note'"); got[0] != "1" {
		t.Errorf("the farm's SQL ran on %v wikis", got)
	}
	if out := f.run("upgrade", "--all"); !strings.Contains(out, "no changes, 3 unchanged") {
		t.Error(out)
	}
	if out, err := f.command("rollback", "alpha").CombinedOutput(); err == nil || !strings.Contains(string(out), "1 edits since") {
		t.Errorf("%v: %s", err, out)
	}
	f.run("rollback", "--yes", "alpha")
	if d := cmp.Diff(before, alpha.content()); d != "" || alpha.version() != "MediaWiki 1.39.17" {
		t.Errorf("after the rollback %s has other content (-before +after):\n%s", alpha.version(), d)
	}
	if got := f.sql("SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_NAME = 'farm_note'"); got[0] != "0" {
		t.Error("a table that was made since the dump is there after the rollback")
	}
	twoOperators(t, f)
	forgotten(t, alpha)
	f.write("migrations/001-note.sql", "SELECT 1;\n")
	if out, err := f.command("upgrade", "--all").CombinedOutput(); err == nil || !strings.Contains(string(out), "was changed after it was applied") {
		t.Errorf("%v: %s", err, out)
	}
}

// forgotten wants that a wiki which was put back serves nothing from caches that
// were filled since, though code and settings are the same before and after.
func forgotten(t *testing.T, c *client) {
	t.Helper()
	const message = "MediaWiki:Mainpage-description"
	asked := url.Values{"action": {"query"}, "meta": {"allmessages"}, "ammessages": {"mainpage-description"}, "amenableparser": {"1"}}
	c.f.run("upgrade", "--force", "alpha")
	c.login("alpha")
	c.edit("Given up", "by the rollback")
	c.edit(message, "given up")
	if read := c.read("Given up") + c.user() + fmt.Sprint(c.call(asked)); !strings.Contains(read, "by the rollback") || !strings.Contains(read, "given up") {
		t.Fatal(read)
	}
	c.f.run("rollback", "--yes", "alpha")
	if answer := fmt.Sprint(c.call(asked)); strings.Contains(answer, "given up") {
		t.Errorf("after the rollback the message is %s", answer)
	}
	c.login("alpha")
	c.edit("Given up", "kept")
	if read := c.read("Given up"); !strings.Contains(read, "kept") || strings.Contains(read, "by the rollback") {
		t.Errorf("what was edited after the rollback is read as %s", read)
	}
}

// read is a page as its readers get it, and as its latest revision has it.
func (c *client) read(title string) string {
	c.f.t.Helper()
	newest := url.Values{"action": {"query"}, "titles": {title}, "prop": {"revisions"}, "rvprop": {"content"}, "rvslots": {"main"}}
	return c.page(title) + fmt.Sprint(c.call(newest))
}

// twoOperators upgrade what is left at once: it is done once, and whoever comes
// second finds it done or is told who is at it.
func twoOperators(t *testing.T, f *farm) {
	t.Helper()
	var outs [2]bytes.Buffer
	var wait sync.WaitGroup
	codes := [2]int{}
	for i := range outs {
		cmd := f.command("upgrade", "--all")
		cmd.Stdout, cmd.Stderr = &outs[i], &outs[i]
		wait.Go(func() {
			cmd.Run()
			codes[i] = cmd.ProcessState.ExitCode()
		})
	}
	wait.Wait()
	done := 0
	for i := range outs {
		switch out := outs[i].String(); {
		case codes[i] == 0 && strings.Contains(out, "upgrade: 1 done, 2 unchanged"):
			done++
		case codes[i] == 0 && strings.Contains(out, "no changes, 3 unchanged"):
		case codes[i] == 75 && regexp.MustCompile(`alpha(:| is) .*locked by \S+ pid \d+`).MatchString(out):
		default:
			t.Errorf("operator %d: exit %d: %s", i, codes[i], out)
		}
	}
	if done != 1 {
		t.Errorf("it was upgraded %d times: %s%s", done, outs[0].String(), outs[1].String())
	}
}

// Everything that stands in the way of an upgrade is said at once, before
// anything is touched.
func TestUpgradePreflight(t *testing.T) {
	f := newFarm(t)
	f.define(5)
	f.run("create", "--all")
	f.want143()
	add := func(name, text string) {
		f.write("tenants/"+name+".toml", f.read("tenants/"+name+".toml")+text)
	}
	add("w1", "wgUploadStashScalerBaseUrl = \"http://localhost\"\n")
	add("w2", "wgMultiShardSiteStats = \"1\"\n")
	f.sql("DELETE FROM wiki_w3.job")
	f.sql("INSERT INTO wiki_w3.job (job_cmd, job_namespace, job_title, job_timestamp, job_params) VALUES ('null', 0, 'A', '20260101000000', '')")
	lock := exec.Command("mariadb", "--no-defaults", "--socket="+f.private().Socket, "-e", "DO GET_LOCK('wikictl/wiki_w4', 0); DO SLEEP(300)")
	must(t, lock.Start())
	defer func() { lock.Process.Kill(); lock.Wait() }()
	for len(f.sql("SELECT IS_USED_LOCK('wikictl/wiki_w4') FROM DUAL WHERE IS_USED_LOCK('wikictl/wiki_w4')")) == 0 {
		time.Sleep(10 * time.Millisecond)
	}
	type planned struct {
		Name, Locked      string
		Jobs              int
		Problems, Remarks []string
	}
	plan := func() map[string]planned {
		out, _ := f.command("--format", "json", "upgrade", "--all", "--dry-run").Output()
		var document struct{ Tenants []planned }
		must(t, json.Unmarshal(out, &document))
		byName := map[string]planned{}
		for _, p := range document.Tenants {
			byName[p.Name] = p
		}
		return byName
	}
	p := plan()
	if w := p["w0"]; len(w.Problems)+len(w.Remarks) != 0 {
		t.Errorf("w0: %+v", w)
	}
	if w := p["w1"]; len(w.Problems) != 1 || !strings.Contains(w.Problems[0], "tenants/w1.toml:9:1: $wgUploadStashScalerBaseUrl") {
		t.Errorf("a deprecated setting: %+v", w)
	}
	if w := p["w2"]; len(w.Problems) != 0 || len(w.Remarks) != 1 || !strings.Contains(w.Remarks[0], "wgMultiShardSiteStats") {
		t.Errorf("a setting of the wrong type: %+v", w)
	}
	if w := p["w3"]; w.Jobs != 1 || len(w.Problems) != 0 {
		t.Errorf("a queued job: %+v", w)
	}
	if w := p["w4"]; w.Locked == "" || len(w.Problems) != 1 {
		t.Errorf("a locked tenant: %+v", w)
	}
	// MediaWiki's own updater thinks the same of w1.
	if out, err := f.update("w1"); err == nil || !strings.Contains(out, "UploadStashScalerBaseUrl is deprecated") {
		t.Errorf("update.php: %v: %s", err, out)
	}
	for name, code := range map[string]int{"w4": 75, "w1": 2} {
		cmd := f.command("upgrade", name)
		if out, _ := cmd.CombinedOutput(); cmd.ProcessState.ExitCode() != code || !strings.Contains(string(out), "nothing was changed") {
			t.Errorf("%s: exit %d: %s", name, cmd.ProcessState.ExitCode(), out)
		}
	}
	f.sql("SET GLOBAL read_only = 1")
	if w := plan()["w0"]; len(w.Problems) != 1 || !strings.Contains(w.Problems[0], "read-only") {
		t.Errorf("a read-only server: %+v", w)
	}
	f.sql("SET GLOBAL read_only = 0")
	f.write("wikictl.toml", f.read("wikictl.toml")+`[backup]
dump = ["sh", "-c", "mariadb-dump --defaults-file={options} {database} > {file}"]
restore = ["sh", "-c", "mariadb --defaults-file={options} {database} < {file}"]
`)
	if out := f.run("upgrade", "--backup", "command", "w0", "w3"); !strings.Contains(out, "upgrade: 2 done") {
		t.Error(out)
	}
	if f.run("rollback", "--yes", "w0"); f.client("w0").version() != "MediaWiki 1.39.17" {
		t.Error("what the farm's own command dumped was not brought back")
	}
}

func (f *farm) read(name string) string {
	text, err := os.ReadFile(filepath.Join(f.demo.Dir, name))
	must(f.t, err)
	return string(text)
}

// update runs MediaWiki's updater of 1.43 with the settings that a tenant would
// get, as an operator could by hand.
func (f *farm) update(name string) (string, error) {
	settings := filepath.Join(f.demo.Dir, "state/wikis", name, "current/LocalSettings.php")
	text, err := os.ReadFile(settings)
	must(f.t, err)
	copied := filepath.Join(f.t.TempDir(), "LocalSettings.php")
	must(f.t, os.WriteFile(copied, append(text, "\n$wgUploadStashScalerBaseUrl = 'http://localhost';\n"...), 0o600))
	cmd := exec.Command("php", filepath.Join(os.Getenv("WIKICTL_TEST_CODEBASES"), "1.43/maintenance/update.php"), "--quick")
	cmd.Env = append(os.Environ(), "MW_CONFIG_FILE="+copied)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// fault is one way for an upgrade to fail.
type fault struct {
	name  string
	cause func(f *farm, db string) (undo func())
	says  string // the report
	early bool   // it fails before anything is changed
}

func nothing() {}

// The first is by whose settings the messages of all would be built.
var faults = []fault{
	{"broken settings", throwIn("wgExtensionFunctions", "broken settings"), "broken settings", true},
	{"table dropped", func(f *farm, db string) func() { f.sql("DROP TABLE " + db + ".pagelinks"); return nothing }, "pagelinks", false},
	{"table locked", lockTable, "did not end within 15s", false},
	{"fatal error", throwIn("wgHooks.LoadExtensionSchemaUpdates", "broken extension"), "broken extension", false},
	{"full disk", fullDisk, "backup", false},
	{"connection killed", killUpdater, "update.php", false},
}

// throwIn has a tenant's settings throw an error when MediaWiki calls them.
func throwIn(setting, text string) func(*farm, string) func() {
	return func(f *farm, db string) func() {
		file := "tenants/" + strings.TrimPrefix(db, "wiki_") + ".toml"
		f.write(file, f.read(file)+setting+" = [{ php = \"static function () { throw new Error( '"+text+"' ); }\" }]\n")
		return nothing
	}
}

// lockTable has another client hold a table.
func lockTable(f *farm, db string) func() {
	cmd := exec.Command("mariadb", "--no-defaults", "--socket="+f.private().Socket, db, "-e", "LOCK TABLES user READ; DO SLEEP(300)")
	must(f.t, cmd.Start())
	return func() { cmd.Process.Kill(); cmd.Wait() }
}

// fullDisk puts a tenant's dumps on a disk of 8 kB.
func fullDisk(f *farm, db string) func() {
	folder := filepath.Join(f.demo.Dir, "state/backups", strings.TrimPrefix(db, "wiki_"))
	must(f.t, os.MkdirAll(folder, 0o700))
	if err := syscall.Mount("none", folder, "tmpfs", 0, "size=8k"); err != nil {
		f.t.Logf("no small disk can be made (%v): a folder that can't be written has to do", err)
		must(f.t, os.RemoveAll(folder))
		must(f.t, os.WriteFile(folder, nil, 0o600))
		return nothing
	}
	return func() { syscall.Unmount(folder, 0) }
}

// killUpdater ends the updater's connection whenever it is amid changing a table,
// which another client's lock makes long enough.
func killUpdater(f *farm, db string) func() {
	unlock := lockTable(f, db)
	stop := make(chan struct{})
	var wait sync.WaitGroup
	wait.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(10 * time.Millisecond):
			}
			for _, id := range f.sql("SELECT ID FROM information_schema.PROCESSLIST WHERE USER = '" + db + "_schema' AND STATE LIKE 'Waiting%'") {
				exec.Command("mariadb", "--no-defaults", "--socket="+f.private().Socket, "-e", "KILL "+id).Run()
			}
		}
	})
	return func() { close(stop); wait.Wait(); unlock() }
}

// What fails is as it was before, to the last row, and the others are upgraded.
func TestUpgradePutsBackWhatFails(t *testing.T) {
	f := newFarm(t)
	f.define(len(faults) + *soundWikis)
	f.run("create", "--all")
	for i := range len(faults) + *soundWikis {
		f.client(fmt.Sprint("w", i)).edit("Page", fmt.Sprint("text of ", i))
	}
	f.want143()
	f.write("wikictl.toml", "allow_php = true\n"+f.read("wikictl.toml"))
	var before []string
	for i, fault := range faults {
		undo := fault.cause(f, fmt.Sprint("wiki_w", i))
		t.Cleanup(undo)
		before = append(before, f.dump(fmt.Sprint("wiki_w", i)))
	}
	events := filepath.Join(f.demo.Dir, "events.json")
	cmd := f.command("--format", "json", "upgrade", "--all", "--max-failures", "100%", "--timeout", "15s", "--jobs", "4", "--events", events)
	out, err := cmd.Output()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 2 {
		t.Fatalf("%v: %s", err, out)
	}
	type outcome struct{ Name, Status, Error string }
	var document struct {
		Counts  struct{ Done, Failed int }
		Tenants []outcome
	}
	must(t, json.Unmarshal(out, &document))
	if document.Counts.Done != *soundWikis || document.Counts.Failed != len(faults) {
		t.Errorf("%s", out)
	}
	for i, fault := range faults {
		at := slices.IndexFunc(document.Tenants, func(x outcome) bool { return x.Name == fmt.Sprint("w", i) })
		got := document.Tenants[at]
		if fault.early != (got.Status == "failed") || !strings.HasPrefix(got.Status, "failed") || !strings.Contains(got.Error, fault.says) {
			t.Errorf("%s: %+v", fault.name, got)
		}
		if after := f.dump(fmt.Sprint("wiki_w", i)); after != before[i] {
			t.Errorf("%s: the database is not as before:\n%.3000s", fault.name, cmp.Diff(strings.Split(before[i], "\n"), strings.Split(after, "\n")))
		}
		if fault.name == "table dropped" {
			continue // it was broken before, too
		}
		c := f.client(got.Name)
		if v := c.version(); v != "MediaWiki 1.39.17" {
			t.Errorf("%s: %s is %s", fault.name, got.Name, v)
		}
		c.edit("After", "it was put back")
	}
	slow := slices.IndexFunc(faults, func(x fault) bool { return x.name == "table locked" })
	ended := f.ended(events)
	if before := slices.Index(ended, fmt.Sprint("w", slow)); before < min(len(ended)-1, 7) {
		t.Errorf("the slow wiki held others up: they ended in the order %v, and w%d was slow", ended, slow)
	}
}

// ended lists tenants in the order in which they ended, from a file of events.
func (f *farm) ended(events string) (names []string) {
	text, err := os.ReadFile(events)
	must(f.t, err)
	for line := range strings.Lines(string(text)) {
		var event struct{ Tenant, Status string }
		must(f.t, json.Unmarshal([]byte(line), &event))
		if event.Status != "" {
			names = append(names, event.Tenant)
		}
	}
	return names
}

// How hard the tests of upgrades try; testbed soak asks for more.
var (
	upgradeWikis = flag.Int("upgrade-wikis", 5, "wikis to upgrade while being killed")
	upgradeKills = flag.Int("upgrade-kills", 5, "kills of wikictl at random moments")
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
		var answer map[string]any
		if json.NewDecoder(response.Body).Decode(&answer) == nil && at(answer, "edit", "result") == "Success" {
			w.acks[fmt.Sprint(at(answer, "edit", "newrevid"))] = ack{text, time.Now().UTC()}
		}
		response.Body.Close()
	}
}

// story is what the ledger and the database tell around a revision.
func (f *farm) story(wiki int, id string) string {
	var told []string
	for _, query := range []string{
		"SELECT * FROM wikictl.upgrade WHERE tenant = 'w%[1]d' ORDER BY started",
		`SELECT rev_id, rev_page, rev_timestamp, content_address, old_text FROM wiki_w%[1]d.revision
			LEFT JOIN wiki_w%[1]d.slots ON slot_revision_id = rev_id LEFT JOIN wiki_w%[1]d.content ON content_id = slot_content_id
			LEFT JOIN wiki_w%[1]d.text ON CONCAT('tt:', old_id) = content_address WHERE ABS(CAST(rev_id AS SIGNED) - %[2]s) < 4`,
	} {
		told = append(told, f.sql(fmt.Sprintf(query, wiki, id))...)
	}
	return strings.Join(told, "\n")
}

// An upgrade that is killed at random moments, with its server too, while people
// edit, ends with every wiki on the new version and no acknowledged edit lost.
func TestUpgradeSurvivesKills(t *testing.T) {
	n := *upgradeWikis
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
	for i := range *upgradeKills + *serverKills {
		cmd := f.command("upgrade", "--all", "--jobs", "3", "--max-failures", "100%")
		must(t, cmd.Start())
		time.Sleep(time.Duration(500+rand.IntN(1500*n)) * time.Millisecond)
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
	f.run("upgrade", "--all", "--max-failures", "100%")
	time.Sleep(200 * time.Millisecond)
	close(stop)
	wait.Wait()
	if out := f.run("upgrade", "--all"); !strings.Contains(out, fmt.Sprintf("no changes, %d unchanged", n)) {
		t.Error(out)
	}
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
	if half, _ := filepath.Glob(filepath.Join(f.demo.Dir, "state/backups/*/*.half")); len(half) > 0 {
		t.Errorf("half dumps are left: %v", half)
	}
	if frozen, _ := filepath.Glob(filepath.Join(f.demo.Dir, "state/wikis/*/read-only")); len(frozen) > 0 {
		t.Errorf("wikis are left read-only: %v", frozen)
	}
	if left, _ := exec.Command("pgrep", "-f", f.program).Output(); len(left) > 0 {
		t.Errorf("processes are left: %s", left)
	}
}
