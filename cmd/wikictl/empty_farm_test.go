package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wikictl/cmd/wikictl/manual"
)

// A wiki comes back from the folder of archives alone on another farm, which has nothing of
// it: no definition, no class, no server, no ledger. It is read by hand as well.
func TestRestoreOnAnEmptyFarm(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.define(1)
	f.write("classes/cited.toml", "extensions = [\"Cite\"]\n[settings]\nwgMaxUploadSize = 20971520\n")
	f.write("tenants/w0.toml", "classes = [\"cited\"]\n"+f.read("tenants/w0.toml"))
	f.exits(0, "create", "--all")
	c := f.client("w0")
	c.login("w0")
	c.edit("Kept", "in a backup")
	c.edit("Kept", "in a later revision")
	c.upload("Pixel.gif")
	must(t, os.WriteFile(f.state("wikis/w0/images/"+oddName), []byte("odd"), 0o644))
	must(t, os.WriteFile(f.state("wikis/w0/images/"+hardName), []byte("hard"), 0o644))
	f.exits(0, "run", "w0", "--", "createAndPromote", "Some Reader", "the reader's long password")
	f.exits(0, "backup", "w0")
	was, secrets := f.holds("w0"), f.read("state/secrets/w0.toml")
	f.exits(0, "delete", "w0", "--yes", "--no-backup")
	f.exits(0, "purge", "w0", "--early", "--yes")
	copied := filepath.Join(t.TempDir(), "copied")
	must(t, os.CopyFS(copied, os.DirFS(f.state("archives"))))
	must(t, os.RemoveAll(f.state("archives")))
	found, _ := filepath.Glob(copied + "/wikis/w0/*.tar.zst")
	f.byHand(copied, found[0], was)

	g := newEmptyFarm(t)
	for _, folder := range []string{"classes", "tenants"} {
		must(t, os.RemoveAll(filepath.Join(g.demo.Dir, folder)))
		must(t, os.Mkdir(filepath.Join(g.demo.Dir, folder), 0o755))
	}
	g.saysWhatItLacks(found[0], copied)
	g.typesManual("On a new machine", "cd "+g.demo.Dir+"\nARCHIVE="+found[0]+" NAME=w0", "mark", "database", "release")
	if got := g.holds("w0"); got != was {
		t.Errorf("w0 holds\n%s\nwant\n%s", got, was)
	}
	if got := g.read("state/secrets/w0.toml"); got != secrets {
		t.Error("w0 has other secrets")
	}
	g.exits(0, "plan")
	g.wants(g.client("w0").page("Kept"), "in a later revision")
	g.client("w0").loginAs("Some Reader", "the reader's long password")
	c = g.client("w0")
	c.login("w0")
	c.edit("After", "it is open")
	g.exits(0, "audit", "--fail-on", "error", "--quick")
}

// saysWhatItLacks removes things that the backup needs from an empty farm, and an upload from the
// folder of archives, and checks that restore names them while the wiki is still undefined.
func (f *farm) saysWhatItLacks(archive, archives string) {
	f.t.Helper()
	whole := f.read("wikictl.toml")
	f.write("wikictl.toml", strings.ReplaceAll(strings.ReplaceAll(whole, `"1.39"`, `"old"`), "servers.main", "servers.other"))
	uploads, _ := filepath.Glob(archives + "/files/*/*")
	must(f.t, os.Rename(uploads[0], uploads[0]+".away"))
	_, story, code := f.result("restore", "w0", "--from", archive)
	f.wants(story, `there is no codebase "1.39"`, `there is no server "main"`, "1 of its 3 uploads", "tar -xOf "+archive)
	if code != 64 {
		f.t.Error(code)
	}
	must(f.t, os.Rename(uploads[0]+".away", uploads[0]))
	f.write("wikictl.toml", whole)
	_, story, _ = f.result("restore", "w0", "--from", archive)
	f.wants(story, "no file defines w0 (")
}

// typesManual types the commands of a section of the manual's page about backups into a shell.
// wikictl restore is killed after each of some steps first.
func (f *farm) typesManual(section, before string, kills ...string) {
	f.t.Helper()
	killed := ""
	for _, step := range kills {
		killed += fmt.Sprintf("%s='w0:%s:after:kill' %s --farm %s \"$@\" && exit 3\n", hookVariable, step, f.program, f.demo.Dir)
	}
	f.shell("bash", "-c", fmt.Sprintf("set -eu\n%s\nwikictl() {\n%s%s --farm %s \"$@\"\n}\n%s", before, killed, f.program, f.demo.Dir, commandsOf("backups", section)))
}

// commandsOf returns the first block of commands in a section of a page of the manual.
func commandsOf(topic, section string) string {
	page, _ := manual.Find(topic)
	_, commands, _ := strings.Cut(page.Text, "## "+section+"\n")
	_, commands, _ = strings.Cut(commands, "```sh\n")
	commands, _, _ = strings.Cut(commands, "```")
	return commands
}

// hardName is a name of a file that the shell's read changes, and that sha256sum escapes.
const hardName = "  back\\slash \\n and\na line "

// byHand types what the manual says into a shell, and compares what comes of it.
func (f *farm) byHand(archives, file, was string) {
	f.t.Helper()
	f.sql("CREATE DATABASE byhand")
	dir := f.t.TempDir()
	script := fmt.Sprintf("set -eu\nmariadb() { command mariadb --no-defaults --socket=%s \"$@\"; }\nARCHIVES=%s ARCHIVE=%s DATABASE=byhand\ncd %s\n%s",
		f.private().Socket, archives, file, dir, commandsOf("backups", "Without wikictl"))
	f.shell("bash", "-c", script)
	if got := strings.ReplaceAll(f.checksums("byhand"), "byhand.", "wiki_w0."); !strings.HasPrefix(was, got) {
		f.t.Errorf("by hand there are\n%s\nwant\n%s", got, was)
	}
	f.sql("DROP DATABASE byhand")
	for name, want := range map[string]string{oddName: "odd", hardName: "hard"} {
		if data, err := os.ReadFile(filepath.Join(dir, "images", name)); err != nil || string(data) != want {
			f.t.Errorf("%q: %q %v", name, data, err)
		}
	}
}
