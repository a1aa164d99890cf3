package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

	"wikictl/tenants/backup"
)

// exits runs wikictl, wants an exit code, and returns what it printed on
// standard output.
func (f *farm) exits(code int, args ...string) string {
	f.t.Helper()
	cmd := f.command(args...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	}
	if got != code {
		f.t.Fatalf("wikictl %v: exit code %d, want %d\n%s%s", args, got, code, out, stderr.String())
	}
	return string(out)
}

// wants fails when text lacks one of the words.
func (f *farm) wants(text string, words ...string) {
	f.t.Helper()
	for _, w := range words {
		if !strings.Contains(text, w) {
			f.t.Errorf("%q is not in:\n%s", w, text)
		}
	}
}

func (f *farm) state(path string) string { return filepath.Join(f.demo.Dir, "state", path) }

// countHooks has the web server's check and reload counted. When a file kill-check
// or kill-reload is there, that hook kills wikictl instead.
func (f *farm) countHooks() (calls func() string) {
	log, script := filepath.Join(f.demo.Dir, "calls"), filepath.Join(f.demo.Dir, "count")
	must(f.t, os.WriteFile(script, []byte("#!/bin/sh\ncd "+f.demo.Dir+"\n[ ! -e kill-$1 ] || { rm kill-$1; kill -9 $PPID; exit 1; }\necho $1 >> calls\nshift\nexec \"$@\"\n"), 0o755))
	text := f.read("wikictl.toml")
	for _, hook := range []string{"check ", "reload"} {
		text = strings.Replace(text, hook+" = [", fmt.Sprintf("%s = [%q, %q, ", hook, script, strings.TrimSpace(hook)), 1)
	}
	f.write("wikictl.toml", text)
	return func() string {
		data, _ := os.ReadFile(log)
		os.Remove(log)
		return string(data)
	}
}

// sitename asks a wiki.
func (c *client) sitename() string {
	answer := c.call(url.Values{"action": {"query"}, "meta": {"siteinfo"}})
	return fmt.Sprint(at(answer, "query", "general", "sitename"))
}

// everything is all of a tenant that is its own: files, but for caches and logs,
// and rows.
func (f *farm) everything(name, database string) string {
	var all strings.Builder
	for _, root := range []string{"wikis/" + name, "secrets/" + name + ".toml", "vhosts/" + name + ".conf"} {
		must(f.t, filepath.WalkDir(f.state(root), func(path string, e fs.DirEntry, err error) error {
			if err == nil && e.Name() == "cache" {
				return fs.SkipDir
			}
			must(f.t, err)
			info, err := e.Info()
			must(f.t, err)
			fmt.Fprintln(&all, path, info.Mode())
			if e.Type().IsRegular() {
				data, err := os.ReadFile(path)
				must(f.t, err)
				all.Write(data)
			}
			return nil
		}))
	}
	return all.String() + f.dump(database)
}

// apart reports whether a character stands between the words of a file's name. One
// of the words may be a run's random id, which may have any name in it.
func apart(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }

// traces lists all traces of a name below state, in the ledger and among accounts, except in the
// records of runs.
func (f *farm) traces(name string) (traces []string) {
	f.t.Helper()
	must(f.t, filepath.WalkDir(f.demo.Dir+"/state", func(path string, e fs.DirEntry, err error) error {
		if err != nil || strings.HasPrefix(path, f.state("servers")) || strings.HasPrefix(path, f.state("backups")) || strings.HasPrefix(path, f.state("removed")) || strings.HasPrefix(path, f.state("archives")) {
			return nil
		}
		if slices.Contains(strings.FieldsFunc(filepath.Base(path), apart), name) {
			traces = append(traces, path)
		}
		if e.Type().IsRegular() && strings.Contains(path, "/vhosts/") {
			data, _ := os.ReadFile(path)
			if strings.Contains(string(data), "/"+name+"/") {
				traces = append(traces, path+" names it")
			}
		}
		return nil
	}))
	return append(traces, f.sql(fmt.Sprintf(`SELECT 'ledger' FROM wikictl.tenant WHERE name = '%[1]s'; SELECT 'upgrades' FROM wikictl.upgrade WHERE tenant = '%[1]s';
		SELECT 'sql' FROM wikictl.farm_sql WHERE tenant = '%[1]s'`, name))...)
}

// A farm is brought in line with its definitions: made, changed, renamed, pruned.
func TestPlanAndApply(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.define(3)
	calls := f.countHooks()
	out := f.exits(1, "plan")
	f.wants(out, "make w0: database wiki_w0 on server main", "plan: 3 to make, 0 unchanged")
	if _, err := os.Stat(f.state("servers")); err == nil {
		t.Error("plan started a server")
	}
	f.exits(1, "apply", "--all", "--dry-run")
	f.wants(f.exits(0, "apply", "--all"), "apply: 3 done, 0 unchanged", "log-ins are in")
	if got := calls(); got != "check\nreload\n" {
		t.Errorf("the web server was called by %q", got)
	}
	written := f.temporaryTables()
	f.wants(f.exits(0, "plan"), "plan: no changes, 3 unchanged")
	f.exits(0, "status")
	if now := f.temporaryTables(); now != written {
		t.Errorf("plan and status, which have to work on a full disk, took the server's temporary tables on disk from %s to %s", written, now)
	}
	f.wants(f.exits(0, "apply", "--all"), "apply: no changes, 3 unchanged")
	applyChanges(f, calls)
	applyLeavesUpgrades(f)
	applyBlocks(f)
	applyPutsBack(f, calls)
	applyRenames(f, calls)
	applyPrunes(f)
}

// temporaryTables returns the number of temporary tables that the server has written to its disk.
func (f *farm) temporaryTables() string {
	f.t.Helper()
	return f.sql("SHOW GLOBAL STATUS LIKE 'Created_tmp_disk_tables'")[1]
}

// applyChanges edits settings and loses an account.
func applyChanges(f *farm, calls func() string) {
	before := f.everything("w1", "wiki_w1")
	f.write("tenants/w0.toml", strings.Replace(f.read("tenants/w0.toml"), "Wiki 0", "Wiki Zero", 1)+"wgSMTP.password = \"hush-hush\"\nwgFileExtensions = [\"pdf\"]\n")
	f.sql("DROP USER wiki_w2@localhost")
	out := f.exits(1, "plan")
	f.wants(out, "change w0: edit ", "+$wgSitename = 'Wiki Zero';", "[secret]", "change w2: make account wiki_w2@localhost", "plan: 2 to change, 1 unchanged",
		": wgFileExtensions: lacks what MediaWiki has by default: png", "{ append = [\"pdf\"] } keeps the default")
	if strings.Contains(out, "hush-hush") {
		f.t.Error("a password is in the plan:\n", out)
	}
	f.wants(f.exits(0, "plan", "--where", "name=w1"), "no changes, 1 unchanged")
	f.wants(f.exits(1, "plan", "--diffs", "0", "w0"), "the diffs of 1 more tenants are not shown")
	var d struct {
		Counts  map[string]int
		Tenants []struct {
			Name    string
			Entries []struct{ Kind, What, Diff string }
		}
	}
	must(f.t, json.Unmarshal([]byte(f.exits(1, "--format", "json", "plan")), &d))
	if d.Counts["change"] != 2 || len(d.Tenants) != 2 || d.Tenants[0].Entries[0].Kind != "change" || !strings.Contains(d.Tenants[0].Entries[0].Diff, "Wiki Zero") {
		f.t.Errorf("%+v", d)
	}
	f.wants(f.exits(0, "apply", "--all"), "apply: 2 done, 1 unchanged")
	if got := calls(); got != "check\nreload\n" {
		f.t.Errorf("the web server was called by %q", got)
	}
	if got := f.client("w0").sitename(); got != "Wiki Zero" {
		f.t.Error("w0 is", got)
	}
	f.client("w2").edit("Account", "works")
	f.wants(f.exits(0, "plan"), "no changes")
	if f.everything("w1", "wiki_w1") != before {
		f.t.Error("w1 was changed, too")
	}
}

func applyLeavesUpgrades(f *farm) {
	old := f.read("tenants/w1.toml")
	f.write("tenants/w1.toml", "codebase = \"1.43\"\n"+strings.Replace(old, "Wiki 1", "Wiki One", 1))
	f.write("migrations/001-note.sql", "-- where: name=w0\nCREATE TABLE farm_note (id INT PRIMARY KEY);\n")
	f.wants(f.exits(1, "plan"), "upgrade w1: from MediaWiki 1.39", "upgrade w0: apply migrations/001-note.sql", "plan: 2 to upgrade")
	f.wants(f.exits(0, "apply", "--all"), "apply: no changes, 3 unchanged")
	if got := f.client("w1").version(); !strings.Contains(got, " 1.39.") {
		f.t.Error("apply upgraded w1 to", got)
	}
	f.write("tenants/w1.toml", old)
	must(f.t, os.RemoveAll(filepath.Join(f.demo.Dir, "migrations")))
	f.exits(0, "plan")
}

// applyBlocks plants an obstacle for each of some tenants: apply names each and does not change
// it, and continues with the other tenants.
func applyBlocks(f *farm) {
	one, two := f.read("tenants/w1.toml"), f.read("tenants/w2.toml")
	dir := filepath.Join(f.demo.Dir, "tenants")
	must(f.t, os.Rename(f.state("secrets/w1.toml"), f.state("kept")))
	must(f.t, os.Remove(dir+"/w2.toml"))
	f.write("tenants/other.toml", "database = \"wiki_w2\"\ncodebase = \"1.43\"\n"+strings.Replace(two, `"w2"`, `"other"`, 1))
	f.wants(f.exits(2, "plan"), "blocked w1: its secrets are missing; restore ", "blocked other: it is w2 in the ledger, and can't be renamed: its code changes, too", "2 blocked")
	f.wants(f.exits(2, "apply", "--all"), "apply: 0 done, 1 unchanged, 0 failed, 0 skipped, 2 blocked")
	f.wants(f.exits(2, "upgrade", "--dry-run", "--force", "w1"), "its secrets are missing; restore ")
	must(f.t, os.Rename(f.state("kept"), f.state("secrets/w1.toml")))
	must(f.t, os.Remove(dir+"/other.toml"))
	f.write("tenants/w1.toml", "database = \"wiki_w2\"\n"+one)
	f.wants(f.exits(2, "plan"), "blocked w1: the ledger has tenant w1 in database wiki_w1", "can't be removed: the tenant w1 is defined on its database wiki_w2")
	f.wants(f.exits(2, "apply", "--all", "--prune", "--yes"), "apply: 0 done, 1 unchanged, 1 failed, 0 skipped, 1 blocked")
	f.write("tenants/w1.toml", one)
	f.write("tenants/w2.toml", two)
	f.sql("UPDATE wikictl.tenant SET state = 'leaving', run = 'r1' WHERE name = 'w1'")
	f.wants(f.exits(2, "plan"), "blocked w1: run r1 began to remove it and did not finish")
	f.sql("UPDATE wikictl.tenant SET state = 'ready' WHERE name = 'w1'")
	f.wants(f.exits(0, "plan"), "no changes, 3 unchanged")
}

// applyPutsBack changes w0 into a wiki that does not answer.
func applyPutsBack(f *farm, calls func() string) {
	old := f.read("tenants/w0.toml")
	f.write("tenants/w0.toml", strings.Replace(old, `hosts = ["w0.`, `hosts = ["x.localhost", "w0.`, 1)+"wgUrlProtocols = [\"none:\"]\n")
	out := f.exits(2, "apply", "--all")
	f.wants(out, "0 done, 2 unchanged, 1 failed")
	if got := calls(); got != "check\nreload\ncheck\nreload\n" {
		f.t.Errorf("the web server was called by %q", got)
	}
	if got := f.client("w0").sitename(); got != "Wiki Zero" {
		f.t.Error("w0 is", got)
	}
	f.wants(f.exits(1, "plan"), "change w0: edit")
	f.write("tenants/w0.toml", old)
	f.wants(f.exits(0, "plan"), "no changes")
}

// applyRenames gives w2 another name and host with all that it holds.
func applyRenames(f *farm, calls func() string) {
	old := f.client("w2")
	old.login("w2")
	old.edit("Only here", "of w2")
	old.upload("Pixel.gif")
	before := old.content()
	others := f.everything("w0", "wiki_w0")
	text := strings.ReplaceAll(f.read("tenants/w2.toml"), `"w2`, `"renamed`)
	must(f.t, os.Remove(filepath.Join(f.demo.Dir, "tenants/w2.toml")))
	f.write("tenants/renamed.toml", "database = \"wiki_w2\"\n"+text)
	for _, command := range []string{"create renamed", "upgrade renamed", "backup renamed", "delete --yes renamed", "audit --fail-on note renamed",
		"sql renamed -- SHOW+TABLES", "run renamed -- version"} {
		out, err := f.command(strings.Fields(command)...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), "wikictl apply renamed renames it") {
			f.t.Errorf("%s: %v: %s", command, err, out)
		}
	}
	f.wants(f.exits(1, "plan"), "rename renamed: from w2; database wiki_w2 on server main", "/wikis/w2 becomes ", "/secrets/renamed.toml", "plan: 1 to rename, 2 unchanged")
	f.wants(f.exits(0, "apply", "renamed"), "apply: 1 done, 0 unchanged")
	// The second time it forgets the host by which it told that it knew the new name.
	if got := calls(); got != "check\nreload\ncheck\nreload\n" {
		f.t.Errorf("the web server was called by %q", got)
	}
	f.wants(f.exits(0, "plan"), "no changes, 3 unchanged")
	now := f.client("renamed")
	now.login("renamed")
	if got := now.content(); got != before {
		f.t.Errorf("the renamed wiki holds\n%s\nwant\n%s", got, before)
	}
	now.edit("Only here", "of renamed")
	if body := f.get("renamed.localhost", f.picture("renamed")); !strings.HasPrefix(body, "GIF89a") {
		f.t.Errorf("the picture is %.300q", body)
	}
	if traces := f.traces("w2"); len(traces) > 0 {
		f.t.Errorf("of w2 there are still %v", traces)
	}
	if got := f.get("w2.localhost", "/api.php"); strings.Contains(got, "MediaWiki") {
		f.t.Error("w2 is still served")
	}
	if f.everything("w0", "wiki_w0") != others {
		f.t.Error("w0 was changed, too")
	}
}

// picture is the path of Pixel.gif.
func (f *farm) picture(tenant string) string {
	answer := f.client(tenant).call(url.Values{"action": {"query"}, "titles": {"File:Pixel.gif"}, "prop": {"imageinfo"}, "iiprop": {"url"}})
	pages, _ := at(answer, "query", "pages").([]any)
	info, _ := at(pages[0], "imageinfo").([]any)
	u, err := url.Parse(fmt.Sprint(at(info[0], "url")))
	must(f.t, err)
	return u.Path
}

func (f *farm) get(host, path string) string {
	f.t.Helper()
	_, body := f.getAll(host, path)
	return body
}

// getAll is get with the status.
func (f *farm) getAll(host, path string) (status, body string) {
	f.t.Helper()
	request, err := http.NewRequest("GET", fmt.Sprintf("http://127.0.0.1:%d%s", f.demo.Web.Port, path), nil)
	must(f.t, err)
	request.Host = host
	response, err := http.DefaultClient.Do(request)
	must(f.t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	must(f.t, err)
	return response.Status, string(text)
}

// applyPrunes takes w1 out of the farm.
func applyPrunes(f *farm) {
	f.client("w1").edit("Last words", "of w1")
	f.sql("CREATE DATABASE wiki_w1x; CREATE TABLE wiki_w1x.mine (id INT); CREATE DATABASE wiki_w11; CREATE USER wiki_w1x@localhost")
	file := f.read("tenants/w1.toml")
	must(f.t, os.Remove(filepath.Join(f.demo.Dir, "tenants/w1.toml")))
	must(f.t, os.MkdirAll(f.state("wikis/stray/images"), 0o755))
	out := f.exits(1, "plan")
	f.wants(out, "left w1: nothing defines it any more\n", "  database wiki_w1 on server main\n", "  account wiki_w1@localhost on", "  account wiki_w1_schema@localhost on",
		"  its rows of the ledger\n", "/state/vhosts/w1.conf\n", "/state/wikis/w1\n", "/state/secrets/w1.toml\n", "left stray:", "/state/wikis/stray\n", "2 left over, 2 unchanged")
	if strings.Contains(out, "wiki_w1x") || strings.Contains(out, "wiki_w11") {
		f.t.Error("what wikictl did not make is listed:\n", out)
	}
	others := f.everything("w0", "wiki_w0") + f.everything("renamed", "wiki_w2")
	f.exits(0, "apply", "--all")
	f.exits(64, "apply", "--prune", "w0")
	f.exits(64, "apply", "--all", "--prune") // nobody answers
	if again := f.exits(1, "plan"); again != out {
		f.t.Errorf("something was removed:\n%s", again)
	}
	f.exits(64, "apply", "--all", "--prune", "--yes") // two of four
	out = f.exits(0, "apply", "--all", "--prune", "--yes", "--max-removals", "2")
	f.wants(out, "apply: 2 done, 2 unchanged", "w1: what it was is in ")
	if traces := append(f.traces("w1"), f.traces("stray")...); len(traces) > 0 {
		f.t.Errorf("there are still %v", traces)
	}
	databases := f.sql("SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME LIKE 'wiki\\_%' ORDER BY 1; SELECT User FROM mysql.user WHERE User LIKE 'wiki\\_%' ORDER BY 1")
	if want := []string{"wiki_w0", "wiki_w11", "wiki_w1x", "wiki_w2", "wiki_w0", "wiki_w0_schema", "wiki_w1x", "wiki_w2", "wiki_w2_schema"}; !slices.Equal(databases, want) {
		f.t.Errorf("databases and accounts are %v", databases)
	}
	if f.everything("w0", "wiki_w0")+f.everything("renamed", "wiki_w2") != others {
		f.t.Error("other tenants were changed")
	}
	dumps, _ := filepath.Glob(f.state("removed/w1-*/database.sql.zst"))
	if len(dumps) != 1 {
		f.t.Fatal("dumps of w1: ", dumps)
	}
	b, err := backup.Open(dumps[0])
	must(f.t, err)
	must(f.t, b.Verify())
	f.wants(f.exits(0, "plan"), "no changes, 2 unchanged")
	f.write("tenants/w1.toml", file)
	f.exits(0, "apply", "w1")
	if page := f.client("w1").page("Last words"); !strings.Contains(page, "missingtitle") {
		f.t.Error("a new wiki holds what the removed one held:", page)
	}
}
