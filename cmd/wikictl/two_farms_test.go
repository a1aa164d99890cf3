package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wikictl/cmd/internal/demo"
)

// beside is a farm on the server of another, with a web server of its own.
func (f *farm) beside(codebases string) *farm {
	f.t.Helper()
	demo, err := demo.OpenDemo(filepath.Join(filepath.Dir(f.demo.Dir), "e"))
	must(f.t, err)
	must(f.t, demo.WriteFarm(codebases))
	must(f.t, demo.Web.Start(f.t.Context()))
	f.t.Cleanup(func() { demo.Web.Stop(context.Background()) }) // the test's own context has ended by then
	g := &farm{t: f.t, program: f.program, demo: demo}
	g.replace("wikictl.toml", "managed = true", "dsn = \"root@unix("+f.private().Socket+")/\"")
	g.replace("wikictl.toml", "[codebases.\"1.39\"]", "database_prefix = \"two_\"\n[codebases.\"1.39\"]")
	return g
}

// replace changes the one place where a file of the farm has old.
func (f *farm) replace(name, old, with string) {
	f.t.Helper()
	text := f.read(name)
	if n := strings.Count(text, old); n != 1 {
		f.t.Fatalf("%s has %q %d times", name, old, n)
	}
	f.write(name, strings.Replace(text, old, with, 1))
}

// only leaves the tenant alpha and others like it.
func (f *farm) only(names ...string) {
	f.t.Helper()
	alpha := f.read("tenants/alpha.toml")
	must(f.t, os.RemoveAll(filepath.Join(f.demo.Dir, "tenants")))
	must(f.t, os.Mkdir(filepath.Join(f.demo.Dir, "tenants"), 0o755))
	for _, name := range names {
		f.write("tenants/"+name+".toml", strings.ReplaceAll(alpha, "alpha", name))
	}
}

// refuses runs wikictl, wants an exit code, and returns all that it printed.
func (f *farm) refuses(code int, args ...string) string {
	f.t.Helper()
	out, err := f.command(args...).CombinedOutput()
	exit, _ := err.(*exec.ExitError)
	if exit == nil || exit.ExitCode() != code {
		f.t.Fatalf("wikictl %v: %v, want exit code %d\n%s", args, err, code, out)
	}
	return string(out)
}

// lacks fails when text has one of the words.
func (f *farm) lacks(text string, words ...string) {
	f.t.Helper()
	for _, w := range words {
		if strings.Contains(text, w) {
			f.t.Errorf("%q is in:\n%s", w, text)
		}
	}
}

func TestTwoFarmsOnOneServer(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	g := f.beside(os.Getenv("WIKICTL_TEST_CODEBASES"))
	f.only("alpha", "gone")
	g.only("alpha", "delta")
	f.run("create", "--all")
	g.run("create", "--all")
	alpha := func() string {
		return strings.Join(f.sql("SELECT COUNT(*), SUM(LENGTH(page_title)) FROM wiki_alpha.page; SHOW GRANTS FOR wiki_alpha@localhost; SHOW GRANTS FOR wiki_alpha_schema@localhost; SELECT * FROM wikictl.tenant; CHECKSUM TABLE wikictl.run, wikictl.upgrade"), " ")
	}
	before := alpha()
	t.Run("each sees its own", func(t *testing.T) {
		for _, c := range [][]string{{"plan"}, {"status"}, {"audit"}, {"upgrade", "--all"}, {"apply", "--all", "--dry-run"}} {
			out, _ := g.command(c...).CombinedOutput()
			g.lacks(string(out), "wiki_alpha", "gone", f.demo.Dir)
			out, _ = f.command(c...).CombinedOutput()
			f.lacks(string(out), "two_", "delta", g.demo.Dir)
		}
	})
	t.Run("a wiki's life", func(t *testing.T) { livesBeside(t, f, g) })
	t.Run("the other's database", func(t *testing.T) {
		g.write("tenants/thief.toml", g.read("tenants/delta.toml")+"database = \"wiki_alpha\"\n")
		g.replace("tenants/thief.toml", `"delta"`, `"thief"`)
		g.replace("tenants/thief.toml", "delta.", "thief.")
		for _, c := range [][]string{{"create", "thief"}, {"create", "--dry-run", "thief"}, {"plan", "thief"}} {
			g.wants(g.refuses(2, c...), "wiki_alpha", "belongs to another farm", f.demo.Dir)
		}
		must(t, os.Remove(filepath.Join(g.demo.Dir, "tenants/thief.toml")))
	})
	t.Run("prune", func(t *testing.T) {
		must(t, os.Remove(filepath.Join(g.demo.Dir, "tenants/delta.toml")))
		out := g.run("apply", "--all", "--prune", "--yes", "--max-removals", "1")
		g.wants(out, "delta")
		g.lacks(out, "wiki_alpha", "gone")
		if has := f.sql("SHOW DATABASES LIKE '%delta'"); len(has) > 0 {
			t.Errorf("there is %v", has)
		}
	})
	t.Run("a second checkout", func(t *testing.T) { secondCheckouts(t, f) })
	t.Run("a lost identity", func(t *testing.T) {
		must(t, os.Rename(g.state("farm.toml"), g.state("farm.away")))
		for _, c := range [][]string{{"plan"}, {"status"}, {"create", "--all"}, {"apply", "--all", "--prune", "--yes"}} {
			g.wants(g.refuses(2, c...), "farm.toml", "restore the state folder")
		}
		if _, err := os.Stat(g.state("farm.toml")); err == nil {
			t.Error("another identity was made")
		}
		must(t, os.Rename(g.state("farm.away"), g.state("farm.toml")))
	})
	if after := alpha(); after != before {
		t.Errorf("the first farm was\n%s\nand is\n%s", before, after)
	}
	if name := f.client("alpha").sitename(); name != "Alpha Handbook" {
		t.Errorf("alpha answers as %s", name)
	}
	t.Run("accounts of other programs", func(t *testing.T) { otherAccounts(t, f) })
	t.Run("a colleague's shell", func(t *testing.T) { colleaguesShell(t, f) })
	t.Run("a farm of version 0.1.0", func(t *testing.T) { fromFirstVersion(t, f) })
	g.wants(g.run("status"), "two_alpha")
}

// secondCheckouts uses a farm's state from copies of its definitions, which lack a
// tenant: each is refused, until somebody says that the farm has moved.
func secondCheckouts(t *testing.T, f *farm) {
	absolute, copied := filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "b")
	for _, dir := range []string{absolute, copied} {
		must(t, os.MkdirAll(filepath.Join(dir, "state"), 0o755))
		for _, name := range []string{"wikictl.toml", "classes", "tenants", "state/farm.toml", "state/secrets"} {
			must(t, exec.Command("cp", "-r", filepath.Join(f.demo.Dir, name), filepath.Join(dir, name)).Run())
		}
		other := &farm{t: t, program: f.program, demo: &demo.Demo{Dir: dir}}
		must(t, os.Remove(filepath.Join(dir, "tenants/gone.toml")))
		if dir == absolute {
			other.replace("wikictl.toml", `"state"`, `"`+f.state("")+`"`)
		}
		for _, c := range [][]string{{"plan"}, {"status"}, {"audit"}, {"create", "--all"}, {"apply", "--all", "--prune", "--yes"}, {"upgrade", "--all"}, {"rollback", "--yes", "alpha"}, {"render", "--all"},
			{"run", "--all", "--", "showSiteStats.php"}, {"sql", "alpha", "--", "SELECT 1"}, {"jobs", "run", "--all"}, {"backup", "alpha"}, {"restore", "alpha", "--yes"}, {"delete", "alpha", "--yes"}} {
			out := other.refuses(2, c...)
			other.wants(out, f.demo.Dir, dir, "set dir =")
			other.lacks(out, "gone")
		}
	}
	link := filepath.Join(t.TempDir(), "link")
	must(t, os.Symlink(f.demo.Dir, link))
	same := &farm{t: t, program: f.program, demo: &demo.Demo{Dir: link}}
	same.run("status")
	moved := &farm{t: t, program: f.program, demo: &demo.Demo{Dir: absolute}}
	data, err := os.ReadFile(f.state("farm.toml"))
	must(t, err)
	text := strings.Replace(string(data), f.demo.Dir+"'", absolute+"'", 1)
	must(t, os.WriteFile(f.state("farm.toml"), []byte(text), 0o644))
	moved.wants(moved.exits(1, "plan"), "gone")
	must(t, os.WriteFile(f.state("farm.toml"), data, 0o644))
	f.run("plan")
}

// otherAccounts has another program make accounts of a tenant's names, before the
// tenant is made and after.
func otherAccounts(t *testing.T, f *farm) {
	f.write("tenants/late.toml", strings.ReplaceAll(f.read("tenants/alpha.toml"), "alpha", "late"))
	theirs := func() string {
		return strings.Join(f.sql("SELECT User, Host, authentication_string FROM mysql.user WHERE User LIKE 'wiki_late%'; SELECT * FROM mysql.db WHERE User LIKE 'wiki_late%'"), " ")
	}
	for _, account := range []string{"wiki_late@localhost", "wiki_late_schema@localhost", "wiki_late_schema@'10.%'", "wiki_late@'%'"} {
		f.sql("CREATE USER " + account + " IDENTIFIED BY 'theirs'; GRANT SELECT ON test.* TO " + account)
		before := theirs()
		for _, c := range [][]string{{"create", "late"}, {"create", "--dry-run", "late"}, {"plan", "late"}, {"apply", "late"}} {
			f.wants(f.refuses(2, c...), strings.ReplaceAll(account, "'", ""), "wikictl did not make it")
		}
		if after := theirs(); after != before {
			t.Errorf("%s was\n%s\nand is\n%s", account, before, after)
		}
		f.sql("DROP USER " + account)
	}
	if out, code := f.struck(event{"late", "accounts", "after", "kill"}, "create", "late"); code != -1 {
		t.Fatalf("it was not killed: %s", out)
	}
	f.run("create", "late")

	f.sql("DROP USER wiki_late_schema@localhost; CREATE USER wiki_late_schema@localhost IDENTIFIED BY 'theirs'")
	before := theirs()
	f.wants(f.refuses(2, "plan", "late"), "wiki_late_schema@localhost", "does not have the password")
	f.wants(f.refuses(1, "audit", "late"), "another password")
	must(t, os.Remove(filepath.Join(f.demo.Dir, "tenants/late.toml")))
	f.wants(f.refuses(1, "plan"), "account wiki_late_schema@localhost on server main, which does not have the tenant's password")
	f.run("apply", "--all", "--prune", "--yes", "--max-removals", "1")
	has := f.sql("SELECT User FROM mysql.user WHERE User LIKE 'wiki_late%'; SHOW DATABASES LIKE 'wiki_late'")
	if strings.Join(has, " ") != "wiki_late_schema" || !strings.HasPrefix(before, "wiki_late") {
		t.Errorf("there is %v", has)
	}
	f.sql("DROP USER wiki_late_schema@localhost")
}

// colleaguesShell has a colleague work in a wiki's database during a creation
// that was killed, and while the wiki is removed.
func colleaguesShell(t *testing.T, f *farm) {
	f.write("tenants/late.toml", strings.ReplaceAll(f.read("tenants/alpha.toml"), "alpha", "late"))
	if out, code := f.struck(event{"late", "seed", "before", "kill"}, "create", "late"); code != -1 {
		t.Fatalf("it was not killed: %s", out)
	}
	meanwhile := func(args ...string) {
		t.Helper()
		shell := exec.Command("mariadb", "--no-defaults", "--socket="+f.private().Socket, "-N", "wiki_late", "-e", "SELECT SLEEP(4)")
		must(t, shell.Start())
		for len(f.sql("SELECT ID FROM information_schema.PROCESSLIST WHERE INFO = 'SELECT SLEEP(4)'")) == 0 {
			time.Sleep(10 * time.Millisecond)
		}
		f.run(args...)
		if err := shell.Wait(); err != nil {
			t.Errorf("wikictl %v: the colleague's shell: %v", args, err)
		}
	}
	meanwhile("create", "late")
	must(t, os.Remove(filepath.Join(f.demo.Dir, "tenants/late.toml")))
	meanwhile("apply", "--all", "--prune", "--yes", "--max-removals", "1")
}

// fromFirstVersion takes away what version 0.1.0 did not have: the identity, the
// ledger's later tables, and the marks.
func fromFirstVersion(t *testing.T, f *farm) {
	f.sql(`DROP TABLE wikictl.farm; DELETE FROM wikictl.wikictl_migration WHERE name >= '0003'; ALTER DATABASE wikictl COMMENT '';
		ALTER DATABASE wiki_alpha COMMENT ''; ALTER DATABASE wiki_gone COMMENT ''`)
	must(t, os.Remove(f.state("farm.toml")))
	for _, c := range []string{"status", "plan"} {
		f.wants(f.refuses(2, c), "an older one", "wikictl create")
	}
	f.run("create", "--all")
	f.wants(f.refuses(1, "audit"), "database-mark", "its database wiki_alpha has no farm's mark", "its database wiki_gone has no farm's mark")
	f.command("audit", "--fix", "--yes").Run() // what else it finds decides the exit code
	f.run("plan")
	marks := f.sql("SELECT REPLACE(SCHEMA_COMMENT, 'wikictl farm ', '') = (SELECT id FROM wikictl.farm) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME IN ('wiki_alpha', 'wiki_gone', 'wikictl')")
	if strings.Join(marks, " ") != "1 1 1" {
		t.Errorf("marked: %v", marks)
	}
}
