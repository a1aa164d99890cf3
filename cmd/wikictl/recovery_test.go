package main

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"wikictl/templates/deploy"
)

// A backup brings a wiki back exactly, also when the restore is killed at any step; and no
// other wiki is touched.
func TestBackupsAreRestored(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.define(3)
	f.exits(0, "create", "--all")
	f.wants(f.exits(0, "backup"), "backup: no backups")
	f.exits(2, "restore", "w0", "--yes")
	c := f.client("w0")
	c.login("w0")
	c.edit("Kept", "in a backup")
	c.upload("Pixel.gif")
	must(t, os.WriteFile(f.state("wikis/w0/images/"+oddName), []byte("odd"), 0o644))
	must(t, os.Symlink("nowhere", f.state("wikis/w0/images/link")))
	f.sql("INSERT INTO wikictl.farm_sql (tenant, name, checksum, run) VALUES ('w0', '001-x.sql', REPEAT('a', 64), 'r')")
	f.exits(1, "backup", "--dry-run", "w0")
	f.wants(f.exits(0, "backup", "w0", "w1", "--verify"), "backup: 2 done")
	f.wants(f.exits(0, "backup"), "w0", "w1", "1.39")
	was := f.holds("w0")
	f.unchangedUploadsCostNothing()
	f.wants(f.exits(1, "restore", "w0", "--dry-run"), "restore w0: database and uploads as on", "made since: no edits")
	f.restoresOver(was, "mark after", "read-only after", "safety after", "changing after", "database after", "uploads after", "changed after", "open after")
	f.refusesToRestore()
	f.refusesLinks()
	f.needsRoom()
	f.repairsDamage()
	f.clones()
	f.deletesAndPurges()
	f.backsUpToRestic()
}

// holds is all that a wiki has: rows of each table, files, and what the ledger says of its code.
func (f *farm) holds(name string) string {
	f.t.Helper()
	return f.checksums("wiki_"+name) + "\n" + f.files(name) + "\n" +
		strings.Join(f.sql("SELECT codebase, version, component_set, state FROM wikictl.tenant WHERE name = '"+name+"'; SELECT name, checksum FROM wikictl.farm_sql WHERE tenant = '"+name+"'"), " ")
}

// files are the uploads of a wiki with their digests.
func (f *farm) files(name string) string {
	f.t.Helper()
	var all strings.Builder
	root := f.state("wikis/" + name + "/images")
	must(f.t, filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		if e.Type()&fs.ModeSymlink != 0 {
			target, err := os.Readlink(path)
			fmt.Fprintln(&all, path[len(root):], target)
			return err
		}
		data, err := os.ReadFile(path)
		info, infoErr := e.Info()
		must(f.t, infoErr)
		fmt.Fprintf(&all, "%s %x %s %d\n", path[len(root):], sha256.Sum256(data), info.Mode(), info.ModTime().UnixNano())
		return err
	}))
	return all.String()
}

// restoresOver changes w0 and restores it, killed at one step after the other, and wants
// it as it was.
func (f *farm) restoresOver(was string, kills ...string) {
	f.t.Helper()
	c := f.client("w0")
	c.edit("Kept", "changed since")
	c.edit("New", "since")
	must(f.t, os.WriteFile(f.state("wikis/w0/images/since.txt"), []byte("since"), 0o644))
	must(f.t, os.Remove(f.state("wikis/w0/images/"+oddName)))
	must(f.t, os.MkdirAll(f.state("wikis/w0/images/"+oddName+"/in the way"), 0o755))
	f.sql("CREATE TABLE wiki_w0.since (id INT); DELETE FROM wikictl.farm_sql")
	others := f.holds("w1") + f.holds("w2")
	for _, kill := range kills {
		step, moment, _ := strings.Cut(kill, " ")
		if out, code := f.struck(event{"w0", step, moment, "kill"}, "restore", "w0", "--yes"); code != -1 {
			f.t.Fatalf("%s: exit code %d\n%s", kill, code, out)
		}
		if step == "mark" {
			f.wants(f.exits(2, "plan", "w0"), "wikictl restore w0")
			f.exits(2, "backup", "w0")
		}
	}
	f.exits(0, "restore", "w0", "--yes")
	if got := f.holds("w0"); got != was {
		f.t.Fatalf("w0 holds\n%s\nwant\n%s", got, was)
	}
	f.wants(f.client("w0").page("Kept"), "in a backup")
	f.client("w0").edit("After", "it is open")
	if got := f.holds("w1") + f.holds("w2"); got != others {
		f.t.Errorf("others hold\n%s\nwant\n%s", got, others)
	}
	f.exits(0, "plan")
	if left := f.unfinished(); len(left) > 0 {
		f.t.Errorf("there are %v", left)
	}
}

// oddName is a name of a file that a shell would take for several, and that is not UTF-8.
const oddName = "na me'\" $(id)\xff.txt"

// shownName is oddName on a terminal.
const shownName = "na me'\" $(id)?.txt"

// unfinished lists the files that interrupted runs leave on disk.
func (f *farm) unfinished() (left []string) {
	for _, pattern := range []string{"restoring/*", "archives/half/*", "wikis/*/read-only", "wikis/*/maintenance"} {
		found, _ := filepath.Glob(f.state(pattern))
		left = append(left, found...)
	}
	return left
}

// unchangedUploadsCostNothing backs up again, and nothing is written to the store.
func (f *farm) unchangedUploadsCostNothing() {
	f.t.Helper()
	pattern := f.state("archives/files/*/*")
	before, _ := filepath.Glob(pattern)
	f.exits(0, "backup", "w0")
	after, _ := filepath.Glob(pattern)
	if len(before) < 2 || len(after) != len(before) {
		f.t.Errorf("there were %d files and are %d", len(before), len(after))
	}
	archives, _ := filepath.Glob(f.state("archives/wikis/w0/*.json"))
	for _, file := range archives { // the older goes with the next run, as both are of one old day
		f.edit(file, regexp.MustCompile(`"taken": "....-..-..T`), `"taken": "2020-02-03T`)
	}
	f.wants(f.run("backup", "w1"), "removed, as [keep] says: 1 backups")
	f.wants(f.exits(0, "backup"), "2020-02-03")
}

func (f *farm) refusesToRestore() {
	f.t.Helper()
	f.exits(64, "restore")
	f.exits(64, "restore", "w0", "w1")
	f.exits(64, "restore", "w0", "--only", "pages")
	f.exits(64, "restore", "w0", "--from", "20200101-000000-abcdef")
	f.exits(64, "restore", "w0", "--from", "/nowhere.tar.zst")
	f.exits(64, "restore", "nobody")
	f.exits(2, "restore", "w0", "--as", "w1")
	f.wants(f.exits(2, "restore", "w2", "--dry-run"), "there is no backup of it")
	other, _ := filepath.Glob(f.state("archives/wikis/w0/*.tar.zst"))
	f.wants(f.exits(2, "restore", "w2", "--from", other[0], "--dry-run"), "is a backup of the wiki w0", "--as NAME")
	f.exits(2, "restore", "w1", "--from", other[0], "--yes")
}

// clones makes two copies of w0, one of them killed at each step and one without what is
// private, and w0 stays as it is.
func (f *farm) clones() {
	f.t.Helper()
	f.sqlIn("wiki_w0", `UPDATE user SET user_email = 'somebody@example.org', user_real_name = 'Some Body', user_email_token = REPEAT('b', 32);
		INSERT INTO job (job_cmd, job_namespace, job_title, job_params, job_random, job_sha1) VALUES ('null', 0, 'X', '', 1, 'x');
		INSERT INTO bot_passwords (bp_user, bp_app_id, bp_password, bp_restrictions, bp_grants) VALUES (1, 'app', 'x', '{}', '[]');
		INSERT INTO user_properties VALUES (1, 'gender', 'other'), (1, 'watchlisttoken', 'abc');
		INSERT INTO watchlist (wl_user, wl_namespace, wl_title) VALUES (1, 0, 'Watched')`)
	was := f.holds("w0")
	f.exits(64, "clone", "w0", "nobody")
	f.exits(64, "clone", "w0", "w0")
	f.exits(2, "clone", "w0", "w1")
	for _, name := range []string{"copy", "masked"} {
		f.write("tenants/"+name+".toml", strings.ReplaceAll(f.read("tenants/w1.toml"), "w1", name))
	}
	f.wants(f.exits(1, "clone", "w0", "copy", "--dry-run"), "clone copy: as a copy of w0, without its sessions, jobs and tokens")
	for _, step := range []string{"mark", "database", "detach", "release"} {
		if out, code := f.struck(event{"copy", step, "after", "kill"}, "clone", "w0", "copy"); code != -1 {
			f.t.Fatalf("%s: exit code %d\n%s", step, code, out)
		}
	}
	f.wants(f.exits(2, "clone", "w0", "copy", "--anonymize", "--dry-run"), "another value of --anonymize")
	f.wants(f.exits(2, "clone", "w1", "copy", "--dry-run"), "wikictl clone w0 copy continues")
	file := f.read("tenants/w0.toml")
	must(f.t, os.Remove(f.demo.Dir+"/tenants/w0.toml"))
	f.exits(64, "clone", "w0", "copy") // but it can be finished without the other
	f.wants(f.exits(1, "restore", "copy", "--dry-run"), "began that")
	f.exits(0, "restore", "copy")
	f.write("tenants/w0.toml", file)
	if out, code := f.struck(event{"masked", "ledger", "after", "kill"}, "clone", "w0", "masked", "--anonymize"); code != -1 {
		f.t.Fatal(code, out)
	}
	f.exits(2, "clone", "w0", "masked", "--anonymize") // it is there; what the kill left goes
	if got := f.holds("w0"); got != was {
		f.t.Errorf("w0 holds\n%s\nwant\n%s", got, was)
	}
	f.exits(0, "plan")
	if left := f.unfinished(); len(left) > 0 {
		f.t.Errorf("there are %v", left)
	}
	f.isClone("copy", "somebody@example.org", "1", "1")
	f.isClone("masked", "user1@example.invalid", "0", "0")
	f.exits(0, "audit", "--fail-on", "error", "--quick")
}

// isClone wants a copy of w0 that has keys of its own, and so many properties and watched
// pages.
func (f *farm) isClone(name, mail, properties, watched string) {
	f.t.Helper()
	if f.files(name) != f.files("w0") {
		f.t.Errorf("%s has\n%s\nand w0\n%s", name, f.files(name), f.files("w0"))
	}
	got := f.sql(fmt.Sprintf(`SELECT (SELECT user_email FROM wiki_%[1]s.user WHERE user_id = 1), (SELECT COUNT(*) FROM wiki_%[1]s.user_properties WHERE up_property = 'gender'), (SELECT COUNT(*) FROM wiki_%[1]s.watchlist WHERE wl_title = 'Watched'),
		(SELECT COUNT(*) FROM wiki_%[1]s.job WHERE job_cmd = 'null') + (SELECT COUNT(*) FROM wiki_%[1]s.bot_passwords) + (SELECT COUNT(*) FROM wiki_%[1]s.user_properties WHERE up_property = 'watchlisttoken')
		+ (SELECT COUNT(*) FROM wiki_%[1]s.user JOIN wiki_w0.user AS o USING (user_id) WHERE o.user_token = user.user_token)
		+ (SELECT COUNT(*) FROM wiki_%[1]s.user WHERE user_email_token IS NOT NULL)`, name))
	if want := []string{mail, properties, watched, "0"}; !slices.Equal(got, want) {
		f.t.Errorf("%s has %v, want %v", name, got, want)
	}
	for _, line := range strings.Split(f.read("state/secrets/"+name+".toml"), "\n") {
		key, _, _ := strings.Cut(line, " = ")
		if strings.HasSuffix(key, "_password") && key != "admin_password" || strings.HasSuffix(key, "_key") {
			if strings.Contains(f.read("state/secrets/w0.toml"), line) {
				f.t.Errorf("%s has the %s of w0", name, key)
			}
		}
	}
	c := f.client(name)
	c.login(name)
	f.wants(c.page("Kept"), "in a backup")
	c.edit("After", "of "+name)
}

// hasStatus waits until a host answers with a status: old workers of nginx answer for a moment
// beside the new ones.
func (f *farm) hasStatus(host, status string) {
	f.t.Helper()
	got := f.answer(host)
	for begun := time.Now(); !strings.HasPrefix(got, status) && time.Since(begun) < reloading; got = f.answer(host) {
		time.Sleep(20 * time.Millisecond)
	}
	if !strings.HasPrefix(got, status) {
		f.t.Errorf("%s answers %.200s, want %s", host, got, status)
	}
}

// deletesAndPurges takes w1 out of the farm, killed at each step, brings it back, deletes
// it for good, and restores it from its last backup.
func (f *farm) deletesAndPurges() {
	f.t.Helper()
	f.client("w1").edit("Last", "words")
	was, others := f.holds("w1"), f.holds("w0")+f.holds("w2")
	file := f.read("tenants/w1.toml")
	f.wants(f.exits(1, "delete", "w1", "--dry-run"), "delete w1: database wiki_w1 on server main", "tenants/w1.toml")
	cmd := f.command("delete", "w1")
	cmd.Stdin = strings.NewReader("w2\n")
	if out, err := cmd.CombinedOutput(); cmd.ProcessState.ExitCode() != 64 {
		f.t.Fatal(err, string(out))
	}
	if got := f.holds("w1"); got != was {
		f.t.Error("a question that was not answered by the name changed w1")
	}
	if out, code := f.struck(event{"w1", "mark", "before", "kill"}, "delete", "w1", "--yes"); code != -1 {
		f.t.Fatal(code, out)
	}
	f.exits(0, "restore", "w1", "--yes") // the web server did not serve it any more
	for _, step := range []string{"mark", "files", "secrets"} {
		if out, code := f.struck(event{"w1", step, "after", "kill"}, "delete", "w1", "--yes", "--no-backup"); code != -1 {
			f.t.Fatalf("%s: exit code %d\n%s", step, code, out)
		}
	}
	cmd = f.command("delete", "w1")
	cmd.Stdin = strings.NewReader("w1\n")
	out, err := cmd.CombinedOutput()
	must(f.t, err)
	f.wants(string(out), "to delete the wiki w1, type its name:", "wikictl undelete w1 brings it back")
	if left := f.traces("w1"); len(left) > 0 || deploy.Exists(f.demo.Dir+"/tenants/w1.toml") {
		f.t.Error("there are still", left)
	}
	kept, _ := filepath.Glob(f.state("removed/w1-*/source.toml"))
	if len(kept) != 1 || f.read(strings.TrimPrefix(kept[0], f.demo.Dir+"/")) != file {
		f.t.Error(kept)
	}
	f.exits(0, "plan")
	f.hasStatus("w1.localhost", "410 ")
	f.exits(64, "purge", "w1", "--yes") // it may still come back
	f.wants(f.exits(0, "purge", "--all", "--yes"), "no changes")
	f.write("tenants/w1.toml", file)
	f.exits(0, "undelete", "w1")
	f.hasStatus("w1.localhost", "200 ")
	if got := f.holds("w1"); got != was {
		f.t.Errorf("w1 holds\n%s\nwant\n%s", got, was)
	}
	f.write("tenants/never.toml", strings.ReplaceAll(file, "w1", "never"))
	f.wants(f.exits(2, "delete", "never", "--dry-run"), "blocked never", "remove tenants/never.toml")
	f.exits(2, "delete", "never", "--yes")
	must(f.t, os.Remove(f.demo.Dir+"/tenants/never.toml"))
	f.run("delete", "w1", "--yes")
	f.hasStatus("w1.localhost", "410 ")
	f.exits(1, "purge", "w1", "--early", "--dry-run")
	if out, code := f.struck(event{"w1", "purge", "after", "kill"}, "purge", "w1", "--early", "--yes"); code != -1 {
		f.t.Fatal(code, out)
	}
	f.exits(1, "plan") // its host names answer as those of a removed wiki still
	f.exits(0, "apply", "--all")
	f.hasStatus("w1.localhost", "404 ")
	f.exits(64, "purge", "w1", "--early", "--yes")
	f.exits(64, "undelete", "w1")
	f.write("tenants/w1.toml", file)
	f.exits(0, "restore", "w1")
	if got := f.holds("w1"); got != was {
		f.t.Errorf("w1 holds\n%s\nwant\n%s", got, was)
	}
	f.exits(2, "purge", "w1", "--backups", "--yes") // it is there
	f.run("delete", "w1", "--yes")
	f.wants(f.exits(1, "purge", "w1", "--early", "--backups", "--dry-run"), "backups in "+f.state("archives/wikis/w1"))
	f.exits(0, "purge", "w1", "--early", "--backups", "--yes")
	f.exits(64, "purge", "w1", "--early", "--yes")
	f.exits(64, "purge", "w1", "--backups", "--yes")
	if left, _ := filepath.Glob(f.state("archives/wikis/w1/*")); len(left) > 0 {
		f.t.Error("there are still", left)
	}
	f.lacks(f.exits(0, "backup"), "w1")
	if got := f.holds("w0") + f.holds("w2"); got != others {
		f.t.Errorf("others hold\n%s\nwant\n%s", got, others)
	}
	f.exits(0, "plan")
	f.exits(0, "audit", "--fail-on", "error", "--quick")
}
