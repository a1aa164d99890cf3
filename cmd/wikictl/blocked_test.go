package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// faulty are tenants with a fault of their own, and what is said of each.
var faulty = []struct{ name, lines, says string }{
	{"extension", `extensions = ["Missing"]`, `has no extension "Missing"`},
	{"core", "codebase = \"1.43\"\nextensions = [\"Renameuser\"]", "Renameuser is part of MediaWiki since 1.40"},
	{"skin", `skins = ["Vectro"]`, `has no skin "Vectro" (did you mean "Vector"?)`},
	{"language", `language = "xq"`, `MediaWiki 1.39.17 has no language "xq"`},
	{"needs", "codebase = \"1.43\"\nextensions = [\"Thanks\"]", `Thanks of tenant "needs" needs the extension "Echo"`},
	{"open", "[settings]\nwgFoo = { php = \"[ 1, 2\" }", "lacks a ]"},
	{"usr", `codebase = "usr"`, "codebases.usr.path: /usr is not a MediaWiki"},
	{"old", `codebase = "old"`, "MediaWiki 1.34.4 is older than what wikictl can run"},
	{"nophp", `codebase = "nophp"`, `codebases.nophp.php: "/no/php" is not a program that can be run`},
	{"mute", `codebase = "mute"`, "codebases.mute.php: ask "},
	{"gone", `server = "gone"`, "servers.gone: "},
}

// seenWithoutServer are the faults that are known without asking PHP or a server.
func seenWithoutServer(name string) bool { return name != "mute" && name != "gone" }

// defineFaulty adds the faulty tenants, on codebases and a server that are so, too.
func (f *farm) defineFaulty() {
	mute, old := filepath.Join(f.demo.Dir, "mute"), filepath.Join(f.demo.Dir, "old")
	must(f.t, os.WriteFile(mute, []byte("#!/bin/sh\necho the disk is on fire >&2\nexit 1\n"), 0o755))
	must(f.t, os.MkdirAll(filepath.Join(old, "includes"), 0o755))
	f.write("old/includes/Defines.php", "<?php\ndefine( 'MW_VERSION', '1.34.4' );\n")
	for _, folder := range []string{"extensions", "skins", "languages"} {
		must(f.t, os.Symlink(filepath.Join(os.Getenv("WIKICTL_TEST_CODEBASES"), "1.39", folder), filepath.Join(old, folder)))
	}
	trees := os.Getenv("WIKICTL_TEST_CODEBASES")
	text := "allow_php = true\n" + f.read("wikictl.toml") + fmt.Sprintf(`
[codebases.usr]
path = "/usr"
[codebases.old]
path = %q
[codebases.nophp]
path = "%s/1.39"
php = "/no/php"
[codebases.mute]
path = "%[2]s/1.39"
php = %[3]q
[servers.gone]
dsn = "root@tcp(127.0.0.1:1)/"
`, old, trees, mute)
	f.write("wikictl.toml", text)
	for _, x := range faulty {
		top := ""
		if !strings.Contains(x.lines, "skins") {
			top = "skins = [\"Vector\"]\n"
		}
		f.write("tenants/"+x.name+".toml", fmt.Sprintf("name = %q\nhosts = [\"%[1]s.localhost\"]\nsitename = \"X\"\n%s%s\n", x.name, top, x.lines))
	}
}

// A fault of one wiki blocks only that wiki: each command names it and continues with the others.
func TestFaultsBlockOneTenant(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.define(2)
	f.defineFaulty()
	out := f.exits(0, "list")
	for _, x := range faulty {
		if seenWithoutServer(x.name) {
			f.wants(out, "blocked "+x.name+": ", x.says)
		}
	}
	f.wants(out, "blocked extension: tenants/extension.toml:5:15: extensions: ", "blocked open: tenants/open.toml:6:1: ")
	f.wants(f.exits(0, "show", "open"), "# blocked: tenants/open.toml")
	out = f.exits(1, "audit", "--static")
	for _, x := range faulty {
		if seenWithoutServer(x.name) {
			f.wants(out, x.says)
		}
	}
	f.run("server", "start")
	out = f.exits(2, "plan")
	f.wants(out, "2 to make", fmt.Sprintf("%d blocked", len(faulty)), "make w0", "make w1")
	for _, x := range faulty {
		f.wants(out, "blocked "+x.name+": ", x.says)
	}
	f.exits(2, "create", "--dry-run", "--all")
	f.wants(f.exits(2, "create", "--all"), fmt.Sprintf("create: 2 done, 0 unchanged, 0 failed, 0 skipped, %d blocked", len(faulty)))
	f.wants(f.exits(2, "demo", "--yes", "--detach", "--dir", f.demo.Dir, "--codebase", os.Getenv("WIKICTL_TEST_CODEBASES")), "blocked", "it runs in the background")
	if made := f.sql("SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME LIKE 'wiki\\_%'"); made[0] != "2" {
		t.Errorf("%v databases are there", made)
	}
	f.write("tenants/w0.toml", strings.Replace(f.read("tenants/w0.toml"), "Wiki 0", "Changed", 1))
	f.wants(f.exits(2, "apply", "--all"), "apply: 1 done, 1 unchanged, 0 failed", "blocked")
	if name := f.client("w0").sitename(); name != "Changed" {
		t.Errorf("w0 is called %q", name)
	}
	f.wants(f.exits(2, "render", "--all"), fmt.Sprintf("render: %d blocked, 2 unchanged", len(faulty)-2), "remark gone: it is not created yet")
	f.write("tenants/w0.toml", strings.Replace(f.read("tenants/w0.toml"), "Changed", "Again", 1))
	f.wants(f.exits(2, "render", "--write", "--all"), "render: 1 done, 2 unchanged")
	f.exits(1, "audit", "--quick")
	f.want143()
	f.upgradesServed()
}

// upgradesServed has one wiki that does not answer: it blocks itself only.
func (f *farm) upgradesServed() {
	f.t.Helper()
	accounts := f.sql("SELECT CONCAT(QUOTE(User), '@', QUOTE(Host)) FROM mysql.user WHERE User LIKE 'wiki\\_w1%'")
	for _, account := range accounts {
		f.sql("ALTER USER " + account + " ACCOUNT LOCK")
	}
	f.wants(f.exits(2, "upgrade", "--dry-run", "--all"), "blocked w1: the web server does not serve it in its current state")
	_, story, _ := f.result("upgrade", "--all")
	f.wants(story, "nothing was changed", "w1: the web server does not serve it in its current state")
	f.wants(f.exits(2, "upgrade", "--all", "--skip-blocked"), "upgrade: 1 done, 0 unchanged, 0 failed", "blocked")
	for _, account := range accounts {
		f.sql("ALTER USER " + account + " ACCOUNT UNLOCK")
	}
	f.wants(f.exits(2, "upgrade", "--all"), "upgrade: 1 done, 1 unchanged, 0 failed", "blocked")
	f.wants(f.client("w1").version(), "1.43")
}
