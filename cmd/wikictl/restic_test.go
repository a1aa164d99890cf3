package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"wikictl/cmd/testbed/needs"
)

// restic prepares a restic for the farm's repository.
func (f *farm) restic(args ...string) *exec.Cmd {
	cmd := exec.Command(needs.Program(f.t, "restic"), args...)
	cmd.Env = append(os.Environ(), "RESTIC_REPOSITORY="+f.demo.Dir+"/re po", "RESTIC_PASSWORD_FILE="+f.demo.Dir+"/restic.password", "RESTIC_CACHE_DIR="+f.state("restic"))
	return cmd
}

// resticSays runs restic and returns its output.
func (f *farm) resticSays(args ...string) []byte {
	f.t.Helper()
	cmd := f.restic(args...)
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = strings.NewReader("from standard input"), &stderr
	out, err := cmd.Output()
	if err != nil {
		f.t.Fatalf("restic %v: %v\n%s%s", args, err, out, stderr.String())
	}
	return out
}

// snapshots are the runs of the repository's snapshots with a tag.
func (f *farm) snapshots(tag string) (runs []string) {
	f.t.Helper()
	out := f.resticSays("snapshots", "--json", "--no-lock", "--tag", tag)
	var all []struct{ Tags []string }
	must(f.t, json.Unmarshal(out, &all))
	for _, s := range all {
		for _, tag := range s.Tags {
			if run, is := strings.CutPrefix(tag, "run="); is {
				runs = append(runs, run)
			}
		}
	}
	return runs
}

// backsUpToRestic gives the farm a repository of restic: a killed backup and a killed restore
// leave nothing broken, a wiki comes back exactly, and only the farm's own snapshots go.
func (f *farm) backsUpToRestic() {
	f.t.Helper()
	f.write("restic.password", "secret\n")
	must(f.t, os.Chmod(f.demo.Dir+"/restic.password", 0o600))
	f.write("wikictl.toml", f.read("wikictl.toml")+"\n[backup]\nstore = \"restic:"+f.demo.Dir+"/re po\"\npassword_file = \"restic.password\"\n")
	f.wants(f.fails("backup", "w0"), "the repository does not exist", "make it by restic init")
	f.resticSays("init", "-q")
	out, _ := f.command("doctor").CombinedOutput()
	f.wants(string(out), "reaches "+f.demo.Dir+"/re po")
	f.client("w0").edit("Snapshot", "kept")
	was, others := f.holds("w0"), f.holds("w2")
	f.wants(f.exits(1, "backup", "w0", "--dry-run"), "uploads to "+f.demo.Dir+"/re po")
	if out, code := f.struck(event{"w0", "snapshot", "after", "kill"}, "backup", "w0"); code != -1 {
		f.t.Fatal(code, out)
	}
	killed := f.snapshots("wiki=w0")
	if list := f.exits(0, "backup"); len(killed) != 1 || strings.Contains(list, "restic ") {
		f.t.Errorf("a killed run left the snapshots %v, and these are listed:\n%s", killed, list)
	}
	f.exits(0, "backup", "w0", "--verify")
	if got := f.snapshots("wiki=w0"); len(got) != 1 || got[0] == killed[0] {
		f.t.Errorf("after the next backup there are the snapshots %v, of which %v is a killed run's", got, killed)
	}
	f.wants(f.exits(0, "backup"), "restic ", "archive")
	f.restoresFromRestic(was)
	if got := f.holds("w2"); got != others {
		f.t.Errorf("w2 holds\n%s\nwant\n%s", got, others)
	}
	f.keepsInRestic()
	f.missesSnapshots()
	f.exits(0, "delete", "masked", "--yes")
	f.wants(f.exits(1, "purge", "masked", "--early", "--backups", "--dry-run"), "1 backups in "+f.demo.Dir+"/re po")
	f.exits(0, "purge", "masked", "--early", "--backups", "--yes")
	if got := f.snapshots("wiki=masked"); len(got) != 0 {
		f.t.Error("after the purge there are", got)
	}
	if left := f.unfinished(); len(left) > 0 {
		f.t.Errorf("there are %v", left)
	}
}

// missesSnapshots has the audit find that restic forgot a wiki's backup, and that the
// repository is not where it was.
func (f *farm) missesSnapshots() {
	f.t.Helper()
	var all []struct{ ID string }
	must(f.t, json.Unmarshal(f.resticSays("snapshots", "--json", "--no-lock", "--tag", "wiki=copy"), &all))
	for _, s := range all { // a rule by which none is kept is refused by newer versions
		f.resticSays("forget", "-q", s.ID)
	}
	must(f.t, os.Rename(f.demo.Dir+"/re po", f.demo.Dir+"/moved"))
	found := findingsOf(f.audit(), "backup-repository", "backup-gone")
	if len(found) != 1 || found[0].Rule != "backup-repository" || !strings.Contains(found[0].Message, "the repository does not exist") {
		f.t.Errorf("without the repository there are %+v", found)
	}
	must(f.t, os.Rename(f.demo.Dir+"/moved", f.demo.Dir+"/re po"))
	found = findingsOf(f.audit(), "backup-repository", "backup-gone")
	if len(found) != 1 || found[0].Rule != "backup-gone" || !slices.Equal(found[0].Tenants, []string{"copy"}) {
		f.t.Errorf("without copy's snapshots there are %+v", found)
	}
}

// findingsOf returns the findings of some rules.
func findingsOf(all []finding, rules ...string) []finding {
	return slices.DeleteFunc(all, func(g finding) bool { return !slices.Contains(rules, g.Rule) })
}

// restoresFromRestic changes w0 and brings it back, killed twice, without the description that
// its backup left in the state folder.
func (f *farm) restoresFromRestic(was string) {
	f.t.Helper()
	f.client("w0").edit("Snapshot", "changed since")
	must(f.t, os.WriteFile(f.state("wikis/w0/images/since.txt"), []byte("since"), 0o644))
	must(f.t, os.Remove(f.state("wikis/w0/images/"+oddName)))
	runs := f.snapshots("wiki=w0")
	must(f.t, os.Remove(f.state("archives/wikis/w0/"+runs[len(runs)-1]+".json")))
	f.wants(f.exits(1, "restore", "w0", "--dry-run"), "from snapshot ", "made since: 1 edit")
	for _, step := range []string{"fetch", "database"} {
		if out, code := f.struck(event{"w0", step, "after", "kill"}, "restore", "w0", "--yes"); code != -1 {
			f.t.Fatalf("%s: exit code %d\n%s", step, code, out)
		}
	}
	f.exits(0, "restore", "w0", "--yes")
	if got := f.holds("w0"); got != was {
		f.t.Fatalf("w0 holds\n%s\nwant\n%s", got, was)
	}
	f.wants(f.client("w0").page("Snapshot"), "kept")
}

// keepsInRestic wants that of two old snapshots of a day the older goes, once no other restic
// has the repository, and those of another farm stay.
func (f *farm) keepsInRestic() {
	f.t.Helper()
	id := regexp.MustCompile(`id = '([0-9a-f]+)'`).FindStringSubmatch(f.read("state/farm.toml"))[1]
	old := func(farm, hour string) {
		f.resticSays("backup", "-q", "--stdin", "--time", "2020-02-03 "+hour+":00:00", "--tag", "wikictl,farm="+farm+",wiki=w0,run=20200203-"+hour+"0000-abcdef")
	}
	old(id, "10")
	old(id, "11")
	old("0123456789abcdef", "10")
	f.wants(f.exits(0, "backup"), "of farm 0123456789abcdef")
	holder := f.restic("backup", "-q", "--stdin", "--tag", "another")
	end, err := holder.StdinPipe()
	must(f.t, err)
	must(f.t, holder.Start())
	for found := []string(nil); len(found) == 0; time.Sleep(5 * time.Millisecond) {
		found, err = filepath.Glob(f.demo.Dir + "/re po/locks/*")
		must(f.t, err)
	}
	f.wants(f.run("backup", "copy"), "not removed, although [keep] does not keep it: ", "the repository is locked", "restic unlock")
	_, err = end.Write([]byte("x")) // restic fails when it reads nothing
	must(f.t, errors.Join(err, end.Close(), holder.Wait()))
	f.wants(f.run("backup", "copy"), "removed, as [keep] says: 1 snapshots")
	if got := f.snapshots("farm=" + id + ",run=20200203-100000-abcdef"); len(got) != 0 {
		f.t.Error("the older of a day stays:", got)
	}
	if got := f.snapshots("farm=0123456789abcdef"); len(got) != 1 {
		f.t.Error("of another farm there are", got)
	}
}
