package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// define replaces the farm's tenants by n on MediaWiki 1.39, w0 and so on, that
// anybody may edit as often as they like. A look at their pages runs no job, which
// would write.
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
wgJobRunRate = 0
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
	c.f.still("wiki%")
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
	c.uploads(name, "GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;")
}

// uploads sends a file with some data.
func (c *client) uploads(name, data string) {
	c.f.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for key, value := range map[string]string{"action": "upload", "filename": name, "token": c.token("csrf"), "format": "json", "ignorewarnings": "1"} {
		must(c.f.t, form.WriteField(key, value))
	}
	part, err := form.CreateFormFile("file", name)
	must(c.f.t, err)
	part.Write([]byte(data))
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
	t.Parallel()
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
	if out := f.exits(1, "upgrade", "--all", "--dry-run"); !strings.Contains(out, "upgrade: 2 to upgrade, 1 unchanged\nall in 1 wave") || alpha.version() != "MediaWiki 1.39.17" {
		t.Fatal(out)
	}
	plan := filepath.Join(f.demo.Dir, "plan.json")
	f.exits(1, "upgrade", "--all", "--canary", "beta", "--out", plan)
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
	oneSourceOfIDs(f)
	if got := f.sql("SELECT id FROM wiki_alpha.farm_note"); len(got) != 1 || got[0] != "7" {
		t.Errorf("the farm's SQL left %v", got)
	}
	if got := f.sql("SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_NAME = 'farm_note'"); got[0] != "1" {
		t.Errorf("the farm's SQL ran on %v wikis", got)
	}
	if out := f.run("upgrade", "--all"); !strings.Contains(out, "no changes, 3 unchanged") {
		t.Error(out)
	}
	f.rollsBack(alpha, before)
	twoOperators(t, f)
	forgotten(t, alpha)
	f.write("migrations/001-note.sql", "SELECT 1;\n")
	if out, err := f.command("upgrade", "--all").CombinedOutput(); err == nil || !strings.Contains(string(out), "was changed after it was applied") {
		t.Errorf("%v: %s", err, out)
	}
}

// rollsBack puts alpha back, which holds what it held before the upgrade.
func (f *farm) rollsBack(alpha *client, before string) {
	t := f.t
	t.Helper()
	if out, err := f.command("rollback", "alpha").CombinedOutput(); err == nil || !strings.Contains(string(out), "1 edit, no uploads, no accounts, 1 log entry since") {
		t.Errorf("%v: %s", err, out)
	}
	alpha.movesUpload()
	f.run("rollback", "--yes", "alpha")
	alpha.hasPixel()
	if d := cmp.Diff(before, alpha.content()); d != "" || alpha.version() != "MediaWiki 1.39.17" {
		t.Errorf("after the rollback %s has other content (-before +after):\n%s", alpha.version(), d)
	}
	if got := f.sql("SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_NAME = 'farm_note'"); got[0] != "0" {
		t.Error("a table that was made since the dump is there after the rollback")
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

// oneSourceOfIDs checks that MediaWiki keeps what makes identifiers unique on a machine
// for all wikis together, where others can't read.
func oneSourceOfIDs(f *farm) {
	f.t.Helper()
	own, _ := filepath.Glob(f.state("wikis/*/cache/mw-*UID*"))
	shared, _ := filepath.Glob(f.state("tmp/mw-*UID-nodeid"))
	if len(own) > 0 || len(shared) != 1 {
		f.t.Errorf("identifiers are drawn from %q and %q, not from one place", own, shared)
	}
	info, err := os.Stat(f.state("tmp"))
	must(f.t, err)
	if info.Mode().Perm()&0o007 != 0 {
		f.t.Errorf("everybody can read %s: %s", info.Name(), info.Mode())
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

// All obstacles to an upgrade are reported at once, before
// anything is touched.
func TestUpgradePreflight(t *testing.T) {
	t.Parallel()
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
	f.namesObstacles(f.upgradePlan())
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
	if w := f.upgradePlan()["w0"]; len(w.Problems) != 1 || !strings.Contains(w.Problems[0], "read-only") {
		t.Errorf("a read-only server: %+v", w)
	}
	f.sql("SET GLOBAL read_only = 0")
	f.upgradesByCommand()
}

// inUpgrade is a wiki in the document of a dry run of upgrade.
type inUpgrade struct {
	Locked            string
	Jobs              int
	Problems, Remarks []string
}

func (f *farm) upgradePlan() map[string]inUpgrade {
	f.t.Helper()
	out, _ := f.command("--format", "json", "upgrade", "--all", "--dry-run").Output()
	var document struct {
		Tenants []struct {
			Name    string
			Details inUpgrade
		}
	}
	must(f.t, json.Unmarshal(out, &document))
	byName := map[string]inUpgrade{}
	for _, p := range document.Tenants {
		byName[p.Name] = p.Details
	}
	return byName
}

func (f *farm) namesObstacles(p map[string]inUpgrade) {
	t := f.t
	t.Helper()
	if w := p["w0"]; len(w.Problems)+len(w.Remarks) != 0 {
		t.Errorf("w0: %+v", w)
	}
	if w := p["w1"]; len(w.Problems) != 1 || !strings.Contains(w.Problems[0], "tenants/w1.toml:10:1: $wgUploadStashScalerBaseUrl") {
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
}

// upgradesByCommand has the farm's own commands dump two wikis, and bring one back.
func (f *farm) upgradesByCommand() {
	t := f.t
	t.Helper()
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
