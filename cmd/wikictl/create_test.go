package main

import (
	"fmt"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"wikictl/tenants/secrets"
)

// Three wikis answer as themselves, and nothing of one is another's.
func TestFarmOfThree(t *testing.T) {
	t.Parallel()
	f := newEmptyFarm(t)
	seen := watchCommandLines()
	out := f.run("create", "--all")
	commandLines := seen()
	if !strings.Contains(out, "create: 3 done, 0 unchanged, 0 failed") {
		t.Fatal(out)
	}
	noSecrets(t, f, commandLines+out)
	for tenant, want := range map[string]string{"alpha": "Alpha Handbook en vector", "beta": "Beta-Wiki de timeless", "gamma": "Gamma fr monobook"} {
		answer := f.client(tenant).call(url.Values{"action": {"query"}, "meta": {"siteinfo"}, "siprop": {"general|skins"}})
		got := fmt.Sprint(at(answer, "query", "general", "sitename"), " ", at(answer, "query", "general", "lang"), " ", defaultSkin(answer))
		if got != want {
			t.Errorf("%s is %q, want %q", tenant, got, want)
		}
	}
	alpha := f.client("alpha")
	alpha.login("alpha")
	answer := alpha.call(url.Values{"action": {"edit"}, "title": {"Only here"}, "text": {"of alpha"}, "token": {alpha.token("csrf")}})
	if at(answer, "edit", "result") != "Success" {
		t.Fatal(answer)
	}
	if page := alpha.page("Only here"); !strings.Contains(page, "of alpha") {
		t.Error(page)
	}
	if page := f.client("beta").page("Only here"); !strings.Contains(page, "missingtitle") {
		t.Error(page)
	}
	if alpha.user() != "Admin" {
		t.Error("the log-in was lost")
	}
	alpha.host = "beta.localhost" // the same cookies, sent to another wiki
	if alpha.user() == "Admin" {
		t.Error("a session of alpha is valid on beta")
	}
	if out := f.run("create", "--all"); !strings.Contains(out, "no changes, 3 unchanged") {
		t.Error(out)
	}
	if out := f.run("render", "--all"); !strings.Contains(out, "no changes") {
		t.Error(out)
	}
	if out := f.run("status"); !strings.Contains(out, "1.43.9") || !strings.Contains(out, "create") {
		t.Error(out)
	}
	losesFolder(t, f, "alpha")
	sameAsInstalled(t, f, "beta", "1.39", "de")
	sameAsInstalled(t, f, "gamma", "1.43", "fr")
	nothingToUpdate(t, f)
}

// losesFolder has a wiki lose its folder: create serves it again, but lost uploads
// do not look as if there never were any.
func losesFolder(t *testing.T, f *farm, wiki string) {
	t.Helper()
	must(t, os.RemoveAll(f.state("wikis/"+wiki)))
	if out := f.run("create", wiki); !strings.Contains(out, "create: 1 done") {
		t.Error(out)
	}
	if _, err := os.Stat(f.state("wikis/" + wiki + "/cache")); err != nil {
		t.Error(err)
	}
	out, err := f.command("audit", "--quick", wiki).Output()
	if code(err) != 1 || !strings.Contains(string(out), "images-missing") || strings.Contains(string(out), "cache-missing") {
		t.Errorf("%v: %s", err, out)
	}
}

// watchCommandLines gathers the command line of every process until the
// function that it returns is called.
func watchCommandLines() (seen func() string) {
	stop, done := make(chan struct{}), make(chan string)
	go func() {
		lines := map[string]bool{}
		for {
			select {
			case <-stop:
				done <- strings.Join(slices.Collect(maps.Keys(lines)), "\n")
				return
			default:
			}
			files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
			for _, file := range files {
				if line, err := os.ReadFile(file); err == nil {
					lines[string(line)] = true
				}
			}
		}
	}()
	return func() string { close(stop); return <-done }
}

// noSecrets wants no password and no key of any tenant in text, in a log, or with another.
func noSecrets(t *testing.T, f *farm, text string) {
	t.Helper()
	if !strings.Contains(text, "mariadbd") {
		t.Error("the watch saw no command lines")
	}
	for line := range strings.Lines(text) { // other tests may run on this machine
		if ours := strings.Contains(line, f.demo.Dir); ours && (strings.Contains(line, "--dbpass") || strings.Contains(line, "--pass=")) {
			t.Errorf("a password option is on the command line %q", line)
		}
	}
	logs, err := filepath.Glob(filepath.Join(f.demo.Dir, "state/logs/*/*"))
	must(t, err)
	for _, log := range logs {
		data, err := os.ReadFile(log)
		must(t, err)
		text += string(data)
	}
	of := map[secrets.Secret]string{}
	for _, tenant := range []string{"alpha", "beta", "gamma"} {
		data, err := os.ReadFile(filepath.Join(f.demo.Dir, "state/secrets", tenant+".toml"))
		must(t, err)
		s, err := secrets.DecodeSecrets(data)
		must(t, err)
		for _, secret := range []secrets.Secret{s.WebPassword, s.SchemaPassword, s.SecretKey, s.UpgradeKey, s.AdminPassword} {
			if strings.Contains(text, secret.Reveal()) {
				t.Errorf("a secret of %s was seen", tenant)
			}
			if other := of[secret]; other != "" {
				t.Errorf("%s and %s have a secret in common", tenant, other)
			}
			of[secret] = tenant
		}
	}
}

func defaultSkin(answer map[string]any) string {
	skins, _ := at(answer, "query", "skins").([]any)
	for _, s := range skins {
		if at(s, "default") == true {
			return fmt.Sprint(at(s, "code"))
		}
	}
	return "none"
}

// nothingToUpdate runs MediaWiki's own updater on a fresh tenant; the database
// is the same afterwards, but for caches and times.
func nothingToUpdate(t *testing.T, f *farm) {
	for tenant, version := range map[string]string{"beta": "1.39", "gamma": "1.43"} {
		before := f.dump("wiki_" + tenant)
		data, err := os.ReadFile(filepath.Join(f.demo.Dir, "state/secrets", tenant+".toml"))
		must(t, err)
		all, err := secrets.DecodeSecrets(data)
		must(t, err)
		cmd := exec.Command("php", filepath.Join(os.Getenv("WIKICTL_TEST_CODEBASES"), version, "maintenance/update.php"), "--quick",
			"--dbuser=wiki_"+tenant+"_schema", "--dbpass="+all.SchemaPassword.Reveal())
		cmd.Env = append(os.Environ(), "MW_CONFIG_FILE="+filepath.Join(f.demo.Dir, "state/wikis", tenant, "current/LocalSettings.php"))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("update.php on %s: %v: %s", tenant, err, out)
		}
		if after := f.dump("wiki_" + tenant); after != before {
			t.Errorf("update.php changed the fresh database of %s", tenant)
		}
	}
}

// sameAsInstalled installs a wiki as a person would, with install.php and then
// update.php under the tenant's extensions, and compares it with the one that
// create made: every table and row but for times, keys and names.
func sameAsInstalled(t *testing.T, f *farm, tenant, version, language string) {
	confpath := t.TempDir()
	code, socket := filepath.Join(os.Getenv("WIKICTL_TEST_CODEBASES"), version, "maintenance"), f.private().Socket
	php := func(env string, args ...string) {
		t.Helper()
		cmd := exec.Command("php", args...)
		cmd.Env = append(os.Environ(), env)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v: %s", args, err, out)
		}
	}
	php("A=", code+"/install.php", "--confpath="+confpath, "--dbserver=localhost:"+socket, "--dbname=installed", "--dbuser=root", "--installdbuser=root",
		"--lang="+language, "--server=http://x.localhost", "--scriptpath=", "--pass=a-long-password", "Some name", "Admin")
	settings, err := os.ReadFile(filepath.Join(f.demo.Dir, "state/wikis", tenant, "current/LocalSettings.php"))
	must(t, err)
	config := filepath.Join(confpath, "tenant.php")
	text := strings.NewReplacer("'wiki_"+tenant+"'", "'installed'").Replace(string(settings))
	must(t, os.WriteFile(config, []byte(text), 0o600))
	php("MW_CONFIG_FILE="+config, code+"/update.php", "--quick", "--dbuser=root", "--dbpass=")
	want, got := f.normal("installed"), f.normal("wiki_"+tenant)
	if d := cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")); d != "" {
		t.Errorf("%s differs from an installed wiki (-installed +created):\n%s", tenant, d)
	}
	for _, column := range []string{"user_name", "user_editcount", "user_email"} {
		query := "SELECT " + column + " FROM %s.user ORDER BY user_id"
		if want, got := f.sql(fmt.Sprintf(query, "installed")), f.sql(fmt.Sprintf(query, "wiki_"+tenant)); fmt.Sprint(want) != fmt.Sprint(got) {
			t.Errorf("%s of %s is %v, want %v", column, tenant, got, want)
		}
	}
	f.sql("DROP DATABASE installed")
}

// timestamp is a time of MediaWiki, 14 digits, in a dump's hexadecimal; random
// is page.page_random.
var (
	timestamp = regexp.MustCompile(`0x3230(3[0-9]){12}`)
	random    = regexp.MustCompile(`0\.[0-9]{6,}(e-[0-9]+)?`)
	keys      = regexp.MustCompile("(?m)^INSERT INTO `user` .*$")
)

// normal is a dump without what must differ between two wikis.
func (f *farm) normal(database string) string {
	text := timestamp.ReplaceAllString(f.dump(database), "TIME")
	return keys.ReplaceAllString(random.ReplaceAllString(text, "RANDOM"), "USER")
}

// dump is a database as SQL, without caches and counters.
func (f *farm) dump(database string) string {
	f.t.Helper()
	f.still(database)
	args := []string{"--no-defaults", "--socket=" + f.private().Socket, "--skip-dump-date", "--skip-comments", "--order-by-primary", "--hex-blob", "--skip-extended-insert", "--single-transaction"}
	for _, table := range []string{"objectcache", "l10n_cache", "module_deps", "job"} {
		args = append(args, "--ignore-table="+database+"."+table)
	}
	var stderr strings.Builder
	cmd := exec.Command("mariadb-dump", append(args, database)...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		f.t.Fatalf("mariadb-dump %s: %v: %s", database, err, stderr.String())
	}
	return string(out)
}

// Wikis that are served by https only are made and asked by it.
func TestFarmByTLS(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	must(t, os.MkdirAll(filepath.Join(f.demo.Dir, "certificates"), 0o755))
	for _, wiki := range []string{"alpha", "beta", "gamma"} {
		f.certify(wiki, wiki+".localhost", 90)
	}
	port, files := fmt.Sprint(f.demo.Web.Port), filepath.Join(f.demo.Dir, "certificates/{name}")
	text := strings.NewReplacer("127.0.0.1:"+port+"\"]", "127.0.0.1:"+port+" ssl\"]", "http://", "https://").Replace(f.read("wikictl.toml"))
	f.write("wikictl.toml", strings.Replace(text, "[web]", fmt.Sprintf("[web]\ncertificate = %q\ncertificate_key = %q", files+".pem", files+".key"), 1))
	if out := f.run("create", "--all"); !strings.Contains(out, "create: 3 done") {
		t.Error(out)
	}
	found := func(where string) (rules []string) {
		for _, found := range f.audit("--where", where) {
			if found.Rule != "mediawiki-eol" {
				rules = append(rules, found.Rule)
			}
		}
		return rules
	}
	if got := found("name!=gamma"); len(got) > 0 { // gamma's certificate is not for www
		t.Errorf("found is %v", got)
	}
	f.write("tenants/beta.toml", "aliases = [\"beta.example\"]\n"+f.read("tenants/beta.toml"))
	f.run("apply", "beta")
	if got := found("name=beta"); !slices.Equal(got, []string{"certificate-unfit"}) {
		t.Errorf("a certificate that is not for an alias: %v", got)
	}
	// A renewed one has to be loaded.
	f.certify("alpha", "alpha.localhost", 80)
	if got := found("name=alpha"); !slices.Equal(got, []string{"certificate-unloaded"}) {
		t.Errorf("a certificate that the web server did not load: %v", got)
	}
	reload := f.demo.Web.Reload()
	must(t, exec.Command(reload[0], reload[1:]...).Run())
	f.comesTo("a certificate that the web server loaded", "[]", func() string { return fmt.Sprint(found("name=alpha")) + " " })
	// The key of another one stops its own wiki and no other.
	must(t, os.Rename(filepath.Join(f.demo.Dir, "certificates/alpha.key"), filepath.Join(f.demo.Dir, "certificates/beta.key")))
	f.certify("alpha", "alpha.localhost", 80)
	f.write("tenants/gamma.toml", strings.Replace(f.read("tenants/gamma.toml"), "\"Gamma\"", "\"Delta\"", 1))
	f.wants(f.exits(2, "plan", "--all"), "certificates/beta.key is not the key of the first certificate in")
	f.wants(f.exits(2, "apply", "--all"), "1 done", "1 blocked")
}
