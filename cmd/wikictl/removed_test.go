package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wikictl/templates/deploy"
)

// A wiki that was removed comes back with all that it had, whatever was killed on
// either way; and a farm whose files are half there is not emptied.
func TestRemovalCanBeUndone(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.define(2)
	f.write("tenants/w1.toml", f.read("tenants/w1.toml")+"wgGroupPermissions.\"*\".read = false\n")
	f.exits(0, "create", "--all")
	c := f.client("w0")
	c.login("w0")
	c.edit("Kept", "through a removal")
	c.upload("Pixel.gif")
	f.sql("INSERT INTO wikictl.farm_sql (tenant, name, checksum, run) VALUES ('w0', '001-x.sql', REPEAT('a', 64), 'r')")
	before := f.whole("w0")
	removesTooMany(f)
	must(t, os.MkdirAll(f.state("removed/other-20260101-000000-abcdef"), 0o700)) // neither of these is of a wiki here
	f.write("state/removed/README", "from a colleague")
	f.write("state/removed/other-20260101-000000-abcdef/manifest.json", "{ junk")
	f.removed("w0")
	f.wants(f.exits(2, "undelete"), "w0", "/removed/w0-") // the other's can't be read
	f.putsDefinitionBack("w0")
	must(t, os.RemoveAll(f.state("removed/other-20260101-000000-abcdef")))
	f.isBack("w0", before)
	f.exits(2, "undelete", "w0") // it is there
	for _, step := range []string{"mark", "last dump", "files", "database", "secrets"} {
		f.killedRemoval("w0", step, before)
	}
	for _, step := range []string{"claim", "database", "ledger", "release"} {
		f.killedReturn("w0", step, before)
	}
	private := f.whole("w1")
	f.removed("w1")
	f.defineRemoved("w1")
	f.exits(0, "undelete", "w1")
	f.isBack("w1", private)
}

// putsDefinitionBack brings a removed wiki back that no file defines, but not while another file
// has its host or database.
func (f *farm) putsDefinitionBack(name string) {
	f.t.Helper()
	for _, other := range []string{"hosts = [\"" + name + ".localhost\"]\n", "hosts = [\"x.localhost\"]\ndatabase = \"wiki_" + name + "\"\n"} {
		f.write("tenants/other.toml", "name = \"other\"\nsitename = \"Other\"\nserver = \"main\"\ncodebase = \"1.39\"\n"+other)
		_, story, code := f.result("undelete", name)
		if code != 64 || deploy.Exists(f.demo.Dir+"/tenants/"+name+".toml") {
			f.t.Fatal(code, story)
		}
		f.wants(story, "no file defines "+name+", and its former definition can't be put back", "other")
	}
	must(f.t, os.Remove(f.demo.Dir+"/tenants/other.toml"))
	f.exits(1, "undelete", name, "--dry-run")
	if out, code := f.struck(event{name, "claim", "before", "fail"}, "undelete", name); code != 2 || deploy.Exists(f.demo.Dir+"/tenants/"+name+".toml") {
		f.t.Fatal(code, out)
	}
	f.wants(f.exits(0, "undelete", name), "undelete: 1 done")
}

// whole is what a wiki's owner would miss: its rows and its uploads.
func (f *farm) whole(name string) string {
	f.t.Helper()
	f.still("wiki_" + name)
	pictures, _ := filepath.Glob(f.state("wikis/" + name + "/images/?/??/*"))
	seen := strings.Join(f.sql("SELECT name, checksum FROM wikictl.farm_sql WHERE tenant = '"+name+"'"), " ")
	secrets, err := os.ReadFile(f.state("secrets/" + name + ".toml"))
	must(f.t, err)
	var tables []string
	for _, table := range []string{"revision", "text", "content", "slots", "actor", "image", "comment", "logging", "user_groups"} {
		tables = append(tables, "wiki_"+name+"."+table)
	}
	rows := f.sql("CHECKSUM TABLE " + strings.Join(tables, ", "))
	return strings.Join(rows, " ") + strings.Join(pictures, " ") + seen + string(secrets)
}

// removed takes a wiki out of the farm and keeps its file as kept.NAME.
func (f *farm) removed(name string) {
	f.t.Helper()
	must(f.t, os.Rename(f.demo.Dir+"/tenants/"+name+".toml", f.demo.Dir+"/kept."+name))
	f.exits(0, "apply", "--all", "--prune", "--yes")
	if traces := f.traces(name); len(traces) > 0 {
		f.t.Errorf("there are still %v", traces)
	}
}

// defineRemoved puts back the definition that was kept with the latest removal.
func (f *farm) defineRemoved(name string) {
	f.t.Helper()
	files, _ := filepath.Glob(f.state("removed/" + name + "-*/definition.toml"))
	if len(files) != 1 {
		f.t.Fatal(files)
	}
	data, err := os.ReadFile(files[0])
	must(f.t, err)
	f.write("tenants/"+name+".toml", string(data))
}

// isBack wants a wiki as it was, served, and nothing left to do or to bring back.
func (f *farm) isBack(name, before string) {
	f.t.Helper()
	if got := f.whole(name); got != before {
		f.t.Errorf("%s holds\n%.2000s\nwant\n%.2000s", name, got, before)
	}
	if name == "w0" {
		if body := f.get("w0.localhost", f.picture("w0")); !strings.HasPrefix(body, "GIF89a") {
			f.t.Errorf("the picture is %.300q", body)
		}
		f.wants(f.client("w0").page("Kept"), "through a removal")
	}
	f.exits(0, "plan")
	f.wants(f.exits(0, "undelete"), "nothing was removed")
	if dumps, _ := filepath.Glob(f.state("backups/" + name + "/*.sql.zst")); len(dumps) == 0 {
		f.t.Error("the dump of the removal is gone")
	}
	f.exits(1, "audit", "--fail-on", "note", "--quick", name)
	f.exits(0, "audit", "--fail-on", "error", "--quick", name)
}

// killedRemoval kills a removal after a step, and defines the wiki again.
func (f *farm) killedRemoval(name, step, before string) {
	f.t.Helper()
	file := f.read("tenants/" + name + ".toml")
	must(f.t, os.Remove(f.demo.Dir+"/tenants/"+name+".toml"))
	if out, code := f.struck(event{name, step, "after", "kill"}, "apply", "--all", "--prune", "--yes"); code != -1 {
		f.t.Fatalf("%s: exit code %d\n%s", step, code, out)
	}
	f.write("tenants/"+name+".toml", file)
	if step != "ledger" {
		f.wants(f.exits(2, "plan", name), "blocked "+name, "wikictl undelete "+name)
	}
	f.exits(0, "undelete", name)
	got := f.whole(name)
	if got != before {
		f.t.Errorf("killed after %s: %s holds\n%.2000s\nwant\n%.2000s", step, name, got, before)
	}
	f.exits(0, "plan")
	f.wants(f.exits(0, "undelete"), "nothing was removed")
}

// killedReturn kills an undelete after a step, and runs it again.
func (f *farm) killedReturn(name, step, before string) {
	f.t.Helper()
	f.removed(name)
	f.defineRemoved(name)
	if out, code := f.struck(event{name, step, "after", "kill"}, "undelete", name); code != -1 {
		f.t.Fatalf("%s: exit code %d\n%s", step, code, out)
	}
	if step == "release" {
		f.client(name).edit("Meanwhile", "is kept")
	}
	if step != "dump" {
		f.exits(0, "undelete", name)
	}
	if step == "release" {
		f.wants(f.client(name).page("Meanwhile"), "is kept")
		f.exits(0, "plan")
		return
	}
	if got := f.whole(name); step != "dump" && got != before {
		f.t.Errorf("killed after %s: %s holds\n%.2000s\nwant\n%.2000s", step, name, got, before)
	}
	f.exits(0, "plan")
}

// removesTooMany has three of five wikis left over.
func removesTooMany(f *farm) {
	for _, name := range []string{"s1", "s2", "s3"} {
		must(f.t, os.MkdirAll(f.state("wikis/"+name+"/images"), 0o755))
		must(f.t, os.WriteFile(f.state("wikis/"+name+"/images/only.gif"), []byte("GIF"), 0o644))
	}
	f.wants(f.exits(1, "plan"), "3 left over", "that is more than 1, a tenth of the farm: it also requires --max-removals 3")
	f.exits(2, "apply", "--all", "--prune", "--dry-run")
	_, story, code := f.result("apply", "--all", "--prune", "--yes")
	if code != 64 || !strings.Contains(story, "--max-removals 3") || len(f.traces("s1")) == 0 {
		f.t.Error(code, story)
	}
	f.exits(64, "apply", "--all", "--prune", "--yes", "--max-removals", "2")
	f.exits(64, "apply", "--all", "--max-removals", "3")
	f.exits(0, "apply", "--all", "--prune", "--yes", "--max-removals", "3")
	files, _ := filepath.Glob(f.state("removed/s?-*/wiki/images/only.gif"))
	if len(files) != 3 || len(f.traces("s1")) > 0 {
		f.t.Error(files, f.traces("s1"))
	}
	must(f.t, os.RemoveAll(f.state("removed")))
}
