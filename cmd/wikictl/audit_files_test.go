package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"wikictl/tenants"
	"wikictl/tenants/definitions"
	"wikictl/tenants/mariadb"
)

// plantedInFiles are the faults of files, dumps, the web server and PHP. A fault that a second
// rule reports too precedes the fault of that rule.
var plantedInFiles = []plantedFault{
	{rule: "read-only-left", says: "read-only since", plant: func(f *farm, wiki string) { f.put("wikis/"+wiki+"/read-only", "closed") }},
	{rule: "maintenance-left", also: []string{"wiki-silent"}, says: "maintenance page", plant: func(f *farm, wiki string) { f.put("wikis/"+wiki+"/maintenance", "closed") }},
	{rule: "files-unreadable", says: "not a directory", plant: func(f *farm, wiki string) { f.put("backups/"+wiki, "a file") }},
	{rule: "link-broken", says: "/core leads to /nowhere", plant: func(f *farm, wiki string) {
		core := f.state("wikis/" + wiki + "/current/core")
		must(f.t, os.Remove(core))
		must(f.t, os.Symlink("/nowhere", core))
	}},
	{rule: "secrets-missing", says: "secrets-missing.toml is missing", plant: func(f *farm, wiki string) {
		must(f.t, os.Remove(f.state("secrets/"+wiki+".toml")))
	}},
	{rule: "file-missing", says: "vhosts/file-missing.conf", also: []string{"wiki-other"}, plant: func(f *farm, wiki string) {
		must(f.t, os.Remove(f.state("vhosts/"+wiki+".conf")))
	}},
	{rule: "images-missing", says: "images is missing", plant: func(f *farm, wiki string) {
		must(f.t, os.Remove(f.state("wikis/"+wiki+"/images")))
	}},
	{rule: "uploads-link", says: "images/a is a link to /vol/a and leads out of the upload folder", plant: func(f *farm, wiki string) {
		must(f.t, os.Symlink("/vol/a", f.state("wikis/"+wiki+"/images/a")))
	}},
	{rule: "uploads-irregular", says: "in the upload folder: a/pipe", plant: func(f *farm, wiki string) {
		must(f.t, os.MkdirAll(f.state("wikis/"+wiki+"/images/a"), 0o755))
		must(f.t, syscall.Mkfifo(f.state("wikis/"+wiki+"/images/a/pipe"), 0o644))
	}},
	{rule: "uploads-missing", says: "3 of the 5 files that its database names: 9/9c/Gone.png is missing, 4/4e/Short.png has 4 bytes, not 5, archive/7/74/20250101000000!Here.png is missing", plant: plantUploads},
	{rule: "cache-missing", says: "cache is missing", plant: func(f *farm, wiki string) {
		must(f.t, os.RemoveAll(f.state("wikis/"+wiki+"/cache")))
	}},
	{rule: "cache-future", says: "cache-future/current", plant: func(f *farm, wiki string) {
		f.shell("touch", "-h", "-d", "2099-01-01", f.state("wikis/"+wiki+"/current"))
	}},
	{rule: "file-changed", says: "current/LocalSettings.php", plant: func(f *farm, wiki string) {
		f.add(f.state("wikis/"+wiki+"/current/LocalSettings.php"), "# by hand\n")
	}},
	{rule: "file-mode", says: "LocalSettings.php has mode 0644, not 0640", plant: func(f *farm, wiki string) {
		must(f.t, os.Chmod(f.state("wikis/"+wiki+"/current/LocalSettings.php"), 0o644))
	}},
	{rule: "file-owner", says: "images belongs to user root, not user www-data", root: true, plant: func(f *farm, wiki string) {
		must(f.t, os.Chown(f.state("wikis/"+wiki+"/images"), 0, -1))
	}},
	{rule: "release-unused", says: "release 2 in", plant: func(f *farm, wiki string) {
		for n := 2; n <= 5; n++ {
			f.shell("cp", "-a", f.state("wikis/"+wiki+"/releases/1"), f.state("wikis/"+wiki+"/releases/"+fmt.Sprint(n)))
		}
	}},
	{rule: "file-half", says: "releases/.new", plant: func(f *farm, wiki string) {
		must(f.t, os.Mkdir(f.state("wikis/"+wiki+"/releases/.new"), 0o750))
		f.age(f.state("wikis/" + wiki + "/releases/.new"))
	}},
	{rule: "default-vhost", says: "is not what wikictl writes", farm: true, plant: func(f *farm, _ string) { f.add(f.state("vhosts/+default.conf"), "# by hand\n") }},
	{rule: "folder-mode", says: "state/logs has mode 0777, not 0755", farm: true, plant: func(f *farm, _ string) { must(f.t, os.Chmod(f.state("logs"), 0o777)) }},
	{rule: "switch-interrupted", says: "deploy.json", farm: true, plant: func(f *farm, _ string) {
		f.put("run/deploy.json", `{"swaps":[]}`)
		f.age(f.state("run/deploy.json"))
	}},
	{rule: "jobs-unattended", says: "no wikictl jobs run is active", farm: true, plant: func(f *farm, _ string) {
		f.edit(filepath.Join(f.demo.Dir, "wikictl.toml"), regexp.MustCompile(regexp.QuoteMeta(unattended)), "")
	}},
	{rule: "vhost-stray", says: "the wiki unheard is neither", farm: true, plant: func(f *farm, _ string) { f.put("vhosts/unheard.conf", "# of a wiki that was\n") }},
	{rule: "wiki-stray", says: "the wiki former is neither", farm: true, plant: func(f *farm, _ string) { must(f.t, os.Mkdir(f.state("wikis/former"), 0o750)) }},
	{rule: "backup-stray", says: "the wiki earlier is neither", farm: true, plant: func(f *farm, _ string) { must(f.t, os.MkdirAll(f.state("backups/earlier"), 0o700)) }},
	{rule: "codebase-writable", says: "1.43/includes may be written by", farm: true, plant: func(f *farm, _ string) {
		must(f.t, os.Chmod(f.code("includes"), 0o777))
	}},
	{rule: "codebase-settings", says: "1.43/LocalSettings.php", farm: true, plant: func(f *farm, _ string) {
		must(f.t, os.WriteFile(f.code("LocalSettings.php"), []byte("<?php\n"), 0o644))
	}},
	{rule: "backup-old", says: "is of 2020-01-31, and 30 days is the most", plant: func(f *farm, wiki string) {
		description := strings.TrimSuffix(f.backUp(wiki), ".sql.zst") + ".json"
		f.edit(description, regexp.MustCompile(`"taken": "[^T]*T`), `"taken": "2020-01-31T`)
	}},
	{rule: "backup-damaged", says: "unexpected EOF", plant: func(f *farm, wiki string) { f.add(f.backUp(wiki), "x") }},
	{rule: "backup-incomplete", says: "has no description", plant: func(f *farm, wiki string) {
		must(f.t, os.Remove(strings.TrimSuffix(f.backUp(wiki), ".sql.zst")+".json"))
	}},
	{rule: "wiki-silent", says: "503", plant: func(f *farm, wiki string) { f.serve(wiki+".localhost", "", "return 503;", "503") }},
	{rule: "wiki-other", says: `answers with database "wiki_release_unused", want "wiki_wiki_other"`, plant: func(f *farm, wiki string) {
		f.serve(wiki+".localhost", "", f.asReleaseUnused(), "wiki_release_unused")
	}},
	{rule: "host-unknown", says: "the wiki in database wiki_release_unused answers for", farm: true, plant: func(f *farm, _ string) {
		f.edit(filepath.Join(f.demo.Web.Dir, "nginx.conf"), regexp.MustCompile(`vhosts/\*\.conf`), "vhosts/[a-z]*.conf")
		f.serve("somebody.example", "default_server", f.asReleaseUnused(), "wiki_release_unused")
	}},
	{rule: "php-differs", says: `timezone "UTC" and "Asia/Tokyo"`, farm: true, plant: func(f *farm, _ string) { f.configureFPM("php_admin_value[date.timezone] = Asia/Tokyo\n") }},
	{rule: "php-slow", says: "APCu is not loaded or off", farm: true, plant: func(f *farm, _ string) { f.configureFPM("php_admin_value[apc.enabled] = 0\n") }},
	{rule: "certificate-unfit", says: "is not for certificate-unfit.localhost", plant: func(f *farm, wiki string) { f.certify(wiki, "other.localhost", 90) }},
	{rule: "certificate-expired", says: "ended on", plant: func(f *farm, wiki string) { f.certify(wiki, wiki+".localhost", -1) }},
	{rule: "certificate-ends", says: "ends on", plant: func(f *farm, wiki string) { f.certify(wiki, wiki+".localhost", 20) }},
	{rule: "certificate-key-open", says: "has mode 0644", plant: func(f *farm, wiki string) {
		must(f.t, os.Chmod(filepath.Join(f.demo.Dir, "certificates", wiki+".key"), 0o644))
	}},
	{rule: "certificate-awaited", says: "is not there yet with its key, and certificate-awaited.localhost is served by http", late: true, also: []string{"not-created"}, plant: func(f *farm, wiki string) { f.defineAudited(wiki, 1001) }},
	{rule: "static-closed", says: "user www-data can't read", root: true, plant: func(f *farm, _ string) {
		must(f.t, os.Chmod(filepath.Join(f.demo.Dir, "static"), 0o700))
	}},
	{rule: "acme-closed", says: "no such file or directory", farm: true, plant: func(f *farm, _ string) {
		must(f.t, os.Remove(filepath.Join(f.demo.Dir, "acme")))
	}},
}

// plantUploads has a wiki's database name five files: two are in their places, one is missing, one has
// another size, and an earlier version is missing.
func plantUploads(f *farm, wiki string) {
	query(`INSERT IGNORE INTO DB.image (img_name, img_size, img_sha1) VALUES ('Here.png', 4, 'a'), ('Gone.png', 4, 'b'), ('Short.png', 5, 'c');
		INSERT IGNORE INTO DB.oldimage (oi_name, oi_archive_name, oi_size, oi_sha1) VALUES ('Here.png', '20250101000000!Here.png', 4, 'd');
		INSERT IGNORE INTO DB.filearchive (fa_storage_key, fa_size, fa_sha1) VALUES ('abcdefghijklmnopqrstuvwxyz01234.png', 4, 'e')`)(f, wiki)
	for _, place := range []string{"7/74/Here.png", "4/4e/Short.png", "deleted/a/b/c/abcdefghijklmnopqrstuvwxyz01234.png"} {
		f.put("wikis/"+wiki+"/images/"+place, "four")
	}
}

// fixed are the rules whose faults audit --fix mends.
var fixed = []string{"database-mark", "link-broken", "cache-missing", "cache-future", "file-mode", "file-owner", "release-unused", "file-half", "folder-mode", "php-unasked", "grant-missing"}

// defineFilesForAudit gives the farm a codebase of its own to spoil, and TLS.
func (f *farm) defineFilesForAudit() {
	must(f.t, os.MkdirAll(filepath.Join(f.demo.Dir, "code"), 0o755))
	from := os.Getenv("WIKICTL_TEST_CODEBASES") + "/1.43"
	if exec.Command("cp", "-al", from, f.code("")).Run() != nil { // on another disk
		f.shell("cp", "-a", from+"/.", f.code(""))
	}
	for _, folder := range []string{"certificates", "acme", "static"} {
		must(f.t, os.MkdirAll(filepath.Join(f.demo.Dir, folder), 0o755))
	}
	file := filepath.Join(f.demo.Dir, "wikictl.toml")
	f.edit(file, regexp.MustCompile(`path = ".*/1.43"`), fmt.Sprintf("path = %q", f.code("")))
	files := filepath.Join(f.demo.Dir, "certificates/{name}")
	f.edit(file, regexp.MustCompile(`(?m)^\[web\]$`), fmt.Sprintf("[web]\nacme = %q\ncertificate = %q\ncertificate_key = %q", filepath.Join(f.demo.Dir, "acme"), files+".pem", files+".key"))
	for _, p := range plantedFaults {
		if !p.farm && p.rule != "certificate-awaited" {
			f.certify(p.rule, p.rule+".localhost", 90)
		}
	}
}

// fixes tests audit --fix: a dry run lists the repairs, the real run makes them, and the faults
// that it does not repair are still found afterwards.
func (f *farm) fixes(t *testing.T) {
	must(t, os.Remove(f.state("run/platform.php")))
	before := f.audit()
	if !slices.ContainsFunc(before, func(g finding) bool { return g.Rule == "php-unasked" }) {
		t.Error("php-fpm can't be asked, and audit does not say so")
	}
	untouched := f.listing()
	out, err := f.command("audit", "--fix", "--dry-run").Output()
	if code(err) != 1 || !regexp.MustCompile(`release-unused +release-unused +remove release 2 of`).Match(out) {
		t.Errorf("--fix --dry-run: %v: %s", err, out)
	}
	if err := f.command("audit", "--fix").Run(); code(err) != 64 { // standard input says nothing
		t.Errorf("--fix without an answer: %v", err)
	}
	if diff := cmp.Diff(untouched, f.listing()); diff != "" {
		t.Error("something was written before anybody agreed:", diff)
	}
	left := f.audit("--fix", "--yes")
	for _, g := range left {
		if slices.Contains(fixed, g.Rule) {
			t.Errorf("is still found after --fix: %+v", g)
		}
	}
	for _, p := range plantedFaults {
		if !slices.Contains(fixed, p.rule) && !slices.ContainsFunc(left, func(g finding) bool { return g.Rule == p.rule }) {
			t.Errorf("%s can't be mended, and is not found any more", p.rule)
		}
	}
	if f.client("link-broken").user() == "" {
		t.Error("the wiki whose link was broken does not answer")
	}
	if _, err := os.Stat(f.state("wikis/release-unused/releases/2")); err == nil {
		t.Error("release 2 is still there")
	}
}

// waits tests that a wiki that waits for an upgrade is compared with the code that it runs on.
func (f *farm) waits(t *testing.T) {
	f.add(filepath.Join(f.demo.Dir, "wikictl.toml"), fmt.Sprintf("[codebases.next]\npath = %q\n", os.Getenv("WIKICTL_TEST_CODEBASES")+"/1.39"))
	f.add(filepath.Join(f.demo.Dir, "tenants/certificate-ends.toml"), "codebase = \"next\"\n")
	for _, g := range f.audit("--quick", "certificate-ends") {
		if strings.HasPrefix(g.Rule, "file-") || g.Rule == "codebase-unused" {
			t.Errorf("a wiki that waits for an upgrade: %+v", g)
		}
	}
}

// code is the exit code of a program.
func code(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return 0
}

// listing lists the files below the state folder with mode, owner and time, except those that
// servers, wikis and the cache of settings write.
func (f *farm) listing() []string {
	var all []string
	must(f.t, filepath.WalkDir(f.state(""), func(path string, e os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(f.state(""), path)
		if name == "servers" || name == "run" || name == "tmp" || e.Name() == "cache" {
			return filepath.SkipDir
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		have := info.Sys().(*syscall.Stat_t)
		all = append(all, fmt.Sprint(name, info.Mode(), have.Uid, have.Gid, info.ModTime()))
		return nil
	}))
	return all
}

func (f *farm) code(name string) string { return filepath.Join(f.demo.Dir, "code/1.43", name) }

func (f *farm) put(name, text string) {
	must(f.t, os.MkdirAll(filepath.Dir(f.state(name)), 0o755))
	must(f.t, os.WriteFile(f.state(name), []byte(text), 0o644))
}

// add appends to a file.
func (f *farm) add(path, text string) {
	have, err := os.ReadFile(path)
	must(f.t, err)
	must(f.t, os.WriteFile(path, append(have, text...), 0o644))
}

// edit replaces in a file what is there exactly once.
func (f *farm) edit(path string, old *regexp.Regexp, with string) {
	f.t.Helper()
	have, err := os.ReadFile(path)
	must(f.t, err)
	if n := len(old.FindAll(have, -1)); n != 1 {
		f.t.Fatalf("%s has %s %d times", path, old, n)
	}
	must(f.t, os.WriteFile(path, old.ReplaceAllLiteral(have, []byte(with)), 0o644))
}

// age makes a file an hour old.
func (f *farm) age(path string) {
	then := time.Now().Add(-time.Hour)
	must(f.t, os.Chtimes(path, then, then))
}

func (f *farm) shell(name string, args ...string) {
	f.t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		f.t.Fatalf("%s %v: %v: %s", name, args, err, out)
	}
}

// backUp dumps a wiki's database as an upgrade does, and returns the file.
func (f *farm) backUp(wiki string) string {
	f.t.Helper()
	made, err := definitions.Load(f.demo.Dir)
	must(f.t, err)
	t := made.Tenant(wiki)
	server, err := mariadb.Connect(f.t.Context(), t.Server, made.Layout(), "")
	must(f.t, err)
	defer server.Close()
	b, err := server.Dump(f.t.Context(), t.Database, filepath.Join(made.Layout().Backups(wiki), "20260101-000000-aaaaaa"), tenants.Backup{})
	must(f.t, err)
	return b.File
}

// serve adds a virtual host in front of all others and waits until it answers.
func (f *farm) serve(host, listen, does, answer string) {
	f.t.Helper()
	block := fmt.Sprintf("http {\n\tserver {\n\t\tlisten 127.0.0.1:%d %s;\n\t\tserver_name %s;\n\t\t%s\n\t}", f.demo.Web.Port, listen, host, does)
	f.edit(filepath.Join(f.demo.Web.Dir, "nginx.conf"), regexp.MustCompile(`http \{`), block)
	f.shell(f.demo.Web.Reload()[0], f.demo.Web.Reload()[1:]...)
	for range 200 {
		if strings.Contains(f.answer(host), answer) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	f.t.Fatalf("%s answers %s, want %s", host, f.answer(host), answer)
}

// asReleaseUnused has nginx answer as another wiki.
func (f *farm) asReleaseUnused() string {
	return fmt.Sprintf("location / { proxy_pass http://127.0.0.1:%d; proxy_set_header Host release-unused.localhost; }", f.demo.Web.Port)
}

// answer returns the status and the site information that a host answers.
func (f *farm) answer(host string) string {
	status, body := f.getAll(host, "/api.php?action=query&meta=siteinfo&format=json")
	return status + " " + body
}

// configureFPM adds a line to the pool of the private php-fpm and reloads it.
func (f *farm) configureFPM(line string) {
	f.t.Helper()
	f.add(filepath.Join(f.demo.Web.Dir, "fpm.conf"), line)
	text, err := os.ReadFile(filepath.Join(f.demo.Web.Dir, "fpm.pid"))
	must(f.t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	must(f.t, err)
	must(f.t, syscall.Kill(pid, syscall.SIGUSR2))
	time.Sleep(time.Second) // it keeps its socket meanwhile, so nothing tells
}

// certify writes a certificate for a host that is valid for some days from now.
func (f *farm) certify(wiki, host string, days int) {
	f.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(f.t, err)
	until := time.Now().AddDate(0, 0, days)
	template := x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{host}, NotBefore: until.AddDate(-1, 0, 0), NotAfter: until}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	must(f.t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	must(f.t, err)
	for ending, block := range map[string]*pem.Block{".pem": {Type: "CERTIFICATE", Bytes: der}, ".key": {Type: "PRIVATE KEY", Bytes: private}} {
		must(f.t, os.WriteFile(filepath.Join(f.demo.Dir, "certificates", wiki+ending), pem.EncodeToMemory(block), 0o600))
	}
}
