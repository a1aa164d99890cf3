package main

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"wikictl/tenants/secrets"
)

// A wiki has the accounts of another from its first day: the other's users log in there, its
// pages name them, and what it makes of accounts is in the other's tables, through upgrades,
// kills, restores and removals of both. What can't be made right is refused.
func TestSharedUsers(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.define(2)
	f.shares("w1", "w0")
	f.usersAreShared()
	f.sharedUsersAreKept()
	f.familyIsUpgraded()
	f.familyGoesBack()
	f.membersOutliveNoOwner()
	f.memberComesBack()
	f.memberIsMadeOfABackup()
	f.familyComesBack()
	f.ownersAreRenamedWithMembers()
}

// shares gives a wiki's definition the accounts of another.
func (f *farm) shares(name, owner string) {
	f.t.Helper()
	f.write("tenants/"+name+".toml", f.read("tenants/"+name+".toml")+"[shared]\nusers = \""+owner+"\"\n")
}

// usersAreShared creates both wikis and uses the one's accounts in the other.
func (f *farm) usersAreShared() {
	f.t.Helper()
	f.strangersAreRefused()
	f.wants(f.saysNo("create", "w1"), "w0, the owner of its accounts, is not created yet")
	if out, code := f.struck(event{"w1", "databases", "before", "kill"}, "create", "--all"); code != -1 {
		f.t.Fatal(code, out)
	}
	f.exits(0, "create", "--all")
	f.exits(0, "plan")
	f.audited("w1")
	for _, table := range []string{"user", "actor"} {
		if rows := f.sql("SELECT 1 FROM wiki_w1." + table); len(rows) > 0 {
			f.t.Errorf("wiki_w1 has accounts of its own in %s", table)
		}
	}
	if got := f.sql("SELECT DISTINCT actor_name FROM wiki_w0.actor JOIN wiki_w1.revision ON actor_id = rev_actor"); strings.Join(got, " ") != "MediaWiki default" {
		f.t.Error("the main page of w1 is by", got)
	}
	member := f.client("w1")
	member.logInWith("w0")
	if member.user() != "Admin" {
		f.t.Fatal("w1 has the user", member.user())
	}
	member.edit("Shared", "by an account of w0")
	f.client("w1").edit("By nobody", "by an address")
	if got := f.sql("SELECT actor_name FROM wiki_w0.actor WHERE actor_name = '127.0.0.1'"); len(got) != 1 {
		f.t.Error("the address is not among the authors of w0", got)
	}
	answer := member.call(url.Values{"action": {"block"}, "user": {"10.0.0.1"}, "reason": {"shared"}, "token": {member.token("csrf")}})
	if at(answer, "block", "user") != "10.0.0.1" {
		f.t.Errorf("block on w1: %v", answer)
	}
	owner := f.client("w0")
	owner.logInWith("w0")
	if blocks := fmt.Sprint(owner.call(url.Values{"action": {"query"}, "list": {"blocks"}})); strings.Contains(blocks, "10.0.0.1") {
		f.t.Error("a block on w1 is one on w0, too:", blocks)
	}
}

// strangersAreRefused plans the member, which is not made, with an administrator that its owner
// does not have.
func (f *farm) strangersAreRefused() {
	f.t.Helper()
	text := f.read("tenants/w1.toml")
	others := regexp.MustCompile(`(?m)^admin = .*\n`).ReplaceAllString(text, "")
	f.write("tenants/w1.toml", "admin = \"Stranger\"\n"+others)
	f.wants(f.exits(2, "plan", "w1"), "tenants/w1.toml:1:1: admin: w0, which is to hold its accounts, has no account \"Stranger\"")
	f.write("tenants/w1.toml", text)
	f.wants(f.exits(1, "plan", "w1"), "with the accounts of w0")
}

// movedAway moves a file of the farm away, and returns what moves it back.
func (f *farm) movedAway(name string) (back func()) {
	f.t.Helper()
	path := filepath.Join(f.demo.Dir, name)
	must(f.t, os.Rename(path, path+".away"))
	return func() { must(f.t, os.Rename(path+".away", path)) }
}

// mayWriteAuthors reports whether a wiki's account may write the authors of another.
func (f *farm) mayWriteAuthors(name string) bool {
	f.t.Helper()
	return len(f.sql("SELECT 1 FROM mysql.tables_priv WHERE User = 'wiki_"+name+"' AND Table_name = 'actor' AND FIND_IN_SET('Insert', Table_priv)")) > 0
}

// accountsAreCompared wants a rollback of the owner to compare accounts by number, and to lose
// none that it can't count.
func (f *farm) accountsAreCompared() {
	f.t.Helper()
	f.sql("UPDATE wiki_w0.actor SET actor_id = actor_id + 1000 WHERE actor_name = '127.0.0.1'") // one is gone, and one is new
	f.wants(f.saysNo("rollback", "w0", "--yes"), "1 authors", "w1")
	f.sql("UPDATE wiki_w0.actor SET actor_id = actor_id - 1000 WHERE actor_name = '127.0.0.1'")
	f.sql("RENAME TABLE wiki_w0.actor TO wiki_w0.kept; CREATE TABLE wiki_w0.gone (actor_id INT); CREATE VIEW wiki_w0.actor AS SELECT * FROM wiki_w0.gone; DROP TABLE wiki_w0.gone")
	f.wants(f.saysNo("rollback", "w0", "--yes"), "count the rows of wiki_w0.actor")
	f.sql("DROP VIEW wiki_w0.actor; RENAME TABLE wiki_w0.kept TO wiki_w0.actor")
}

// memberComesBack removes the member, and brings it back when the owner has what it names.
func (f *farm) memberComesBack() {
	f.t.Helper()
	f.exits(0, "delete", "w1", "--yes", "--no-backup")
	f.defineRemoved("w1")
	f.strangersAreRefused()
	const owner = "UPDATE wikictl.tenant SET version = '%s' WHERE name = 'w0'"
	version := f.sql("SELECT version FROM wikictl.tenant WHERE name = 'w0'")[0]
	f.sql(fmt.Sprintf(owner, "1.35.13"))
	f.wants(f.exits(2, "undelete", "w1", "--dry-run"), "w0, the owner of its accounts, is on MediaWiki 1.35.13 and comes first")
	f.sql(fmt.Sprintf(owner, version))
	f.sql("UPDATE wiki_w0.actor SET actor_id = actor_id + 1000 ORDER BY actor_id DESC")
	f.wants(f.exits(2, "undelete", "w1", "--dry-run"), "its pages and logs name authors that w0, the owner of its accounts, lost")
	f.sql("UPDATE wiki_w0.actor SET actor_id = actor_id - 1000 ORDER BY actor_id")
	f.exits(0, "undelete", "w1")
	f.client("w1").logInWith("w0")
}

// memberIsMadeOfABackup wants no member made that names authors whom the owner lost.
func (f *farm) memberIsMadeOfABackup() {
	f.t.Helper()
	f.exits(0, "backup", "w1")
	f.exits(0, "delete", "w1", "--yes", "--no-backup")
	f.defineRemoved("w1")
	f.sql("UPDATE wiki_w0.actor SET actor_id = actor_id + 1000 ORDER BY actor_id DESC")
	f.wants(f.saysNo("restore", "w1", "--yes"), "its pages and logs name authors that w0, the owner of its accounts, lost")
	if rows := f.sql("SELECT state FROM wikictl.tenant WHERE name = 'w1'"); len(rows) > 0 {
		f.t.Error("a refused restore left w1 in the ledger:", rows)
	}
	f.sql("UPDATE wiki_w0.actor SET actor_id = actor_id - 1000 ORDER BY actor_id")
	f.exits(0, "restore", "w1", "--yes")
	f.client("w1").logInWith("w0")
}

// familyComesBack brings a member and its owner back by one command that names the member first.
func (f *farm) familyComesBack() {
	f.t.Helper()
	f.exits(0, "delete", "w1", "--yes", "--no-backup")
	f.exits(0, "delete", "w0", "--yes", "--no-backup")
	f.exits(1, "undelete", "w1", "w0", "--dry-run")
	f.exits(0, "undelete", "w1", "w0")
	f.client("w1").logInWith("w0")
}

// ownersAreRenamedWithMembers gives the owner a new name, whose folder the settings of the member
// name. The member was made of a backup a moment ago, in place of one on newer code.
func (f *farm) ownersAreRenamedWithMembers() {
	f.t.Helper()
	f.write("tenants/w0.toml", strings.Replace(f.read("tenants/w0.toml"), "name = \"w0\"", "name = \"pool\"\ndatabase = \"wiki_w0\"", 1))
	f.replace("tenants/w1.toml", "users = \"w0\"", "users = \"pool\"")
	f.wants(f.exits(2, "plan", "pool"), "the settings of w1 name its folder; rename it together with them: wikictl apply pool w1")
	f.wants(f.exits(1, "plan", "pool", "w1"), "rename pool: from w0", "change w1")
	f.exits(0, "apply", "pool", "w1")
	f.client("w1").logInWith("pool")
}

// saysNo runs a command that fails, and returns all that it says.
func (f *farm) saysNo(args ...string) string {
	f.t.Helper()
	out, story, code := f.result(args...)
	if code != 2 {
		f.t.Fatalf("wikictl %v: exit code %d, want 2\n%s%s", args, code, out, story)
	}
	return out + story
}

// logInWith logs in by the administrator's password of a wiki.
func (c *client) logInWith(tenant string) {
	c.f.t.Helper()
	data, err := os.ReadFile(filepath.Join(c.f.demo.Dir, "state/secrets", tenant+".toml"))
	must(c.f.t, err)
	all, err := secrets.DecodeSecrets(data)
	must(c.f.t, err)
	answer := c.call(url.Values{"action": {"clientlogin"}, "username": {all.Admin}, "password": {all.AdminPassword.Reveal()},
		"logintoken": {c.token("login")}, "loginreturnurl": {"http://localhost/"}})
	if at(answer, "clientlogin", "status") != "PASS" {
		c.f.t.Fatalf("log in to %s with the password of %s: %v", c.host, tenant, answer)
	}
}

// sharedUsersAreKept changes definitions of wikis that exist, and audits.
func (f *farm) sharedUsersAreKept() {
	f.t.Helper()
	member := f.read("tenants/w1.toml")
	f.write("tenants/w1.toml", strings.Split(member, "[shared]")[0])
	f.wants(f.saysNo("plan", "w1"), "created with the accounts in the database wiki_w0", `users = "w0"`)
	f.exits(2, "render", "--write", "w1")
	f.write("tenants/copy.toml", strings.NewReplacer("w1", "copy", "Wiki 1", "Copy").Replace(strings.Split(member, "[shared]")[0]))
	f.write("tenants/w1.toml", member)
	f.wants(f.saysNo("clone", "w1", "copy", "--dry-run"), "the accounts in the database wiki_w0")
	f.shares("copy", "w0")
	f.wants(f.saysNo("clone", "w1", "copy", "--anonymize", "--dry-run"), "without --anonymize")
	f.wants(f.saysNo("clone", "w0", "copy", "--dry-run"), "take users out of [shared]")
	must(f.t, os.RemoveAll(filepath.Join(f.demo.Dir, "tenants/copy.toml")))
	f.sql("REVOKE INSERT ON wiki_w0.actor FROM wiki_w1@localhost")
	f.wants(f.exits(1, "audit", "w1"), "grant-missing")
	f.exits(0, "apply", "w1")
	f.audited("w1")
}

// familyIsUpgraded upgrades the owner first; it kills and fails the upgrade on the way.
func (f *farm) familyIsUpgraded() {
	f.t.Helper()
	f.want143()
	f.wants(f.saysNo("upgrade", "--dry-run", "w1"), "w0, the owner of its accounts, is on MediaWiki 1.39", "wikictl upgrade w0 w1")
	f.wants(f.exits(1, "upgrade", "--dry-run", "w0"), "w1 use its accounts and are read-only")
	before := f.sql("SELECT COUNT(*) FROM wiki_w0.actor")
	out, code := f.held("w0", "update.php", "before", func() {
		if status, _ := f.client("w1").ask(url.Values{"action": {"query"}}); status != 503 {
			f.t.Error("w1 answers while the accounts are changed:", status)
		}
		if grants := strings.Join(f.sql("SELECT Table_priv FROM mysql.tables_priv WHERE User = 'wiki_w1'"), " "); strings.Contains(grants, "Insert") {
			f.t.Error("w1 may write accounts:", grants)
		}
	}, "upgrade", "w0", "w1")
	if code != 0 {
		f.t.Fatal(code, out)
	}
	f.wants(out, "w0", "w1")
	if after := f.sql("SELECT COUNT(*) FROM wiki_w0.actor"); after[0] != before[0] {
		f.t.Error("the upgrade made authors", before, after)
	}
	f.familyWorks("1.43")
	f.exits(0, "plan", "w0", "w1")
	f.audited("w0")
	f.audited("w1")
}

// familyWorks wants both wikis to work by the owner's accounts.
func (f *farm) familyWorks(version string) {
	f.t.Helper()
	for _, name := range []string{"w0", "w1"} {
		c := f.client(name)
		c.logInWith("w0")
		if got := c.version(); !strings.HasPrefix(got, "MediaWiki "+version) {
			f.t.Errorf("%s is on %s", name, got)
		}
		c.edit("After "+version, "by an account of w0")
	}
	if got := fmt.Sprint(f.client("w1").call(url.Values{"action": {"query"}, "titles": {"Shared"}, "prop": {"revisions"}, "rvprop": {"user"}})); !strings.Contains(got, "Admin") {
		f.t.Error("the author of a page is lost:", got)
	}
}

// familyGoesBack puts both back at once, forward again, and back one by one.
func (f *farm) familyGoesBack() {
	f.t.Helper()
	f.wants(f.saysNo("rollback", "w0", "--yes"), "wikictl rollback w0 w1")
	out, code := f.held("w0", "undoing", "before", func() {
		if got := f.client("w1").version(); !strings.HasPrefix(got, "MediaWiki 1.39") {
			f.t.Error("the owner begins while its member is on", got)
		}
	}, "rollback", "w0", "w1", "--yes")
	if code != 0 {
		f.t.Fatal(code, out)
	}
	run := f.sql("SELECT undone_by FROM wikictl.upgrade WHERE tenant = 'w0'")[0]
	f.wants(f.saysNo("rollback", "w1", "--yes", "--to", run), "w0, the owner of its accounts, is on MediaWiki 1.39")
	f.exits(0, "rollback", "w1", "w0", "--yes", "--to", run)
	f.familyWorks("1.43")
	f.exits(0, "rollback", "w1", "--yes")
	f.client("w1").logInWith("w0")
	f.sql("INSERT INTO wiki_w0.actor (actor_name) VALUES ('10.9.8.7')")
	f.wants(f.saysNo("rollback", "w0", "--yes"), "1 authors", "w1")
	back := f.movedAway("tenants/w1.toml")
	f.wants(f.saysNo("rollback", "w0", "--yes"), "1 authors", "w1")
	f.sql("DELETE FROM wiki_w0.actor WHERE actor_name = '10.9.8.7'")
	f.accountsAreCompared()
	if out, code := f.struck(event{"w0", "restore", "after", "kill"}, "rollback", "w0", "--yes"); code != -1 {
		f.t.Fatal(code, out)
	}
	if status, _ := f.client("w1").ask(url.Values{"action": {"query"}}); status != 503 {
		f.t.Error("w1 answers while the accounts are gone:", status)
	}
	if f.mayWriteAuthors("w1") {
		f.t.Error("w1, without a definition, may write accounts while those of w0 are put back")
	}
	back()
	f.write("wikictl.toml", strings.Replace(f.read("wikictl.toml"), `codebase = "1.43"`, `codebase = "1.39"`, 1))
	f.wants(f.saysNo("apply", "w1"), "w0, the owner of its accounts, is being upgraded")
	back = f.movedAway("tenants/w1.toml")
	f.exits(0, "rollback", "w0", "--yes")
	if !f.mayWriteAuthors("w1") {
		f.t.Error("w1, without a definition, may not write accounts any more")
	}
	back()
	f.familyWorks("1.39")
	f.exits(0, "plan", "w0", "w1")
}

// membersOutliveNoOwner restores the owner, and tries to remove it.
func (f *farm) membersOutliveNoOwner() {
	f.t.Helper()
	f.exits(0, "backup", "w0")
	f.sql("INSERT INTO wiki_w0.actor (actor_name) VALUES ('10.9.8.7')")
	back := f.movedAway("tenants/w1.toml")
	f.wants(f.saysNo("restore", "w0", "--yes"), "1 authors", "w1", "nothing of it was changed")
	back()
	f.client("w1").logInWith("w0")
	f.wants(f.saysNo("delete", "w0", "--dry-run"), "w1 has its accounts")
}
