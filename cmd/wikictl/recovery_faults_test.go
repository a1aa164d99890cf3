package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"wikictl/templates/deploy"
	"wikictl/tenants/backup/archive"
)

// refusesLinks puts a link out of the upload folder of w0 where its backup has a folder: nothing
// is backed up, copied, restored or deleted, and w1 is backed up beside it.
func (f *farm) refusesLinks() {
	f.t.Helper()
	outside := f.demo.Dir + "/outside"
	must(f.t, os.Mkdir(outside, 0o755))
	folder, _ := filepath.Glob(f.state("wikis/w0/images/?"))
	must(f.t, os.Rename(folder[0], outside+"/a"))
	must(f.t, os.Symlink(outside+"/a", folder[0]))
	f.write("tenants/linked.toml", strings.ReplaceAll(f.read("tenants/w1.toml"), "w1", "linked"))
	says := []string{"blocked", folder[0] + " is a link to " + outside + "/a", "mount --bind " + outside + "/a " + folder[0]}
	was := f.holds("w0")
	f.wants(f.exits(2, "backup", "w0", "w1"), "1 done", "1 blocked")
	for _, args := range [][]string{{"backup", "w0"}, {"clone", "w0", "linked"}, {"stage", "w0"}, {"restore", "w0"}, {"delete", "w0"}} {
		f.wants(f.exits(2, append(args, "--dry-run")...), says...)
	}
	f.exits(2, "clone", "w0", "linked")
	f.exits(2, "restore", "w0", "--yes")
	f.exits(2, "delete", "w0", "--yes")
	if got := f.holds("w0"); got != was {
		f.t.Errorf("w0 holds\n%s\nwant\n%s", got, was)
	}
	files := f.files("w0")
	f.wants(f.exits(0, "restore", "w0", "--only", "database", "--yes"), "which stay: ", outside+"/a")
	if got := f.files("w0"); got != files {
		f.t.Errorf("a restore of the database alone left the files\n%s\nwant\n%s", got, files)
	}
	f.hasStatus("w0.localhost", "200 ")
	must(f.t, os.Remove(f.demo.Dir+"/tenants/linked.toml"))
	must(f.t, os.Remove(folder[0]))
	must(f.t, os.Rename(outside+"/a", folder[0]))
}

// needsRoom forges backups of w0 with more uploads, or a larger database, than any disk holds:
// they are not restored over it or as a new wiki.
func (f *farm) needsRoom() {
	f.t.Helper()
	all, _ := filepath.Glob(f.state("archives/wikis/w0/*.tar.zst"))
	dir := f.t.TempDir()
	f.write("tenants/large.toml", strings.ReplaceAll(f.read("tenants/w1.toml"), "w1", "large"))
	for part, number := range map[string]string{archive.FilesMember: `("bytes":)\d+`, archive.DescriptionMember: `("text_bytes": )\d+`} {
		m, err := archive.Extract(all[0], dir, func(string) bool { return true })
		must(f.t, err)
		text, err := os.ReadFile(filepath.Join(dir, part))
		must(f.t, err)
		must(f.t, os.WriteFile(filepath.Join(dir, part), regexp.MustCompile(number).ReplaceAll(text, []byte("${1}1000000000000000")), 0o600))
		var parts []archive.Part
		for _, member := range m.Members {
			parts = append(parts, archive.Part{Name: member.Name, Path: filepath.Join(dir, member.Name)})
		}
		file := f.state("archives/wikis/w0/large.tar.zst")
		must(f.t, archive.Write(file, &m, parts))
		was := f.holds("w0")
		for _, as := range [][]string{nil, {"--as", "large"}} {
			args := append([]string{"restore", "w0", "--from", file, "--yes"}, as...)
			f.wants(f.exits(2, append(args, "--dry-run")...), "would need about ", "make room there")
			f.exits(2, args...)
		}
		if f.holds("w0") != was || len(f.traces("large")) > 0 {
			f.t.Error("something was changed before it was known that there is no room")
		}
		must(f.t, os.Remove(file))
	}
	must(f.t, os.Remove(f.demo.Dir+"/tenants/large.toml"))
}

// repairsDamage damages the stored content of an upload: the next backup after a verification
// stores it anew, and a restore continues without it only if it is told to.
func (f *farm) repairsDamage() {
	f.t.Helper()
	upload := f.state("wikis/w0/images/" + oddName)
	sum := fmt.Sprintf("%x", sha256.Sum256([]byte("odd")))
	stored := f.state("archives/files/" + sum[:2] + "/" + sum)
	damage := func() {
		must(f.t, os.Remove(stored))
		must(f.t, os.WriteFile(stored, []byte("Odd"), 0o400))
	}
	f.exits(0, "backup", "w0") // the next one does not read it
	damage()
	f.wants(f.fails("backup", "w0", "--verify"), "the upload "+shownName, "its SHA-256 is", "wikictl backup w0")
	f.wants(f.exits(1, "audit", "--fail-on", "error", "w0"), "backup-damaged", shownName)
	f.exits(0, "backup", "w0")
	if data, err := os.ReadFile(stored); string(data) != "odd" {
		f.t.Errorf("the store has %q (%v)", data, err)
	}
	must(f.t, os.Remove(upload))
	damage()
	was := f.holds("w0")
	f.wants(f.fails("restore", "w0", "--yes"), "the upload "+shownName, "wikictl restore w0 --skip-damaged", "nothing of it was changed")
	if got := f.holds("w0"); got != was {
		f.t.Errorf("w0 holds\n%s\nwant\n%s", got, was)
	}
	f.wants(f.exits(0, "restore", "w0", "--yes", "--skip-damaged"), "1 of its uploads are lost", shownName)
	if got := f.files("w0"); !strings.Contains(got, "Pixel.gif") || deploy.Exists(upload) {
		f.t.Errorf("w0 has\n%s", got)
	}
	must(f.t, os.WriteFile(upload, []byte("odd"), 0o644))
}
