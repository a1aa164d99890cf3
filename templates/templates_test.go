package templates

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"wikictl/cmd/testbed/needs"
	"wikictl/tenants"
	"wikictl/tenants/definitions"
	"wikictl/tenants/secrets"
)

const farmToml = `state = "/srv/farm"
tenants = ["tenants/*.toml"]
classes = ["classes/*.toml"]
allow_php = true
[codebases."1.39"]
path = "CODEBASES/1.39"
[codebases."1.43"]
path = "CODEBASES/1.43"
[servers.main]
managed = true
[servers.far]
dsn = "admin@tcp(db.example.org:3307)/"
[web]
fpm = "unix:/run/php/php8.2-fpm.sock"
[defaults]
codebase = "1.43"
server = "main"
skins = ["Vector"]
[defaults.settings]
wgEnableUploads = true
wgLogos.1x = "/resources/assets/wiki.png"
`

const btrfsToml = `name = "btrfs"
hosts = ["btrfs.wiki.example.org", "btrfs.example.net"]
classes = ["kernel"]
sitename = "btrfs Wiki"
extensions = ["ParserFunctions", "Cite"]
[settings]
wgMaxUploadSize = 20971520
wgGroupPermissions."*".createaccount = false
wgGroupPermissions.sysop = {}
wgExtraNamespaces.3000 = "Snapshot"
wgExtraNamespaces.3001 = "Snapshot_talk"
wgFileExtensions = ["png", "jpg", "svg"]
wgNamespacesWithSubpages = { 0 = true }
wgSMTP = { host = "mail.example.org", port = 25, auth = false }
wgLocaltimezone = "Europe/Vienna"
wgUserEmailConfirmationTokenExpiry = { php = "7 * 24 * 3600" }
egSomething = 1.5
`

// load reads a farm with the tenants btrfs and more; CODEBASES stands for the trees.
func load(tb testing.TB, farm string, more ...string) *tenants.Farm {
	tb.Helper()
	files := map[string]string{
		"wikictl.toml": farm, "tenants/btrfs.toml": btrfsToml,
		"classes/kernel.toml": "[settings]\nwgGroupPermissions.\"*\".edit = false\n",
	}
	for i, text := range more {
		files["tenants/more"+string(rune('a'+i))+".toml"] = text
	}
	dir := tb.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(strings.ReplaceAll(text, "CODEBASES", needs.Codebases(tb))), 0o644); err != nil {
			tb.Fatal(err)
		}
	}
	f, err := definitions.Load(dir)
	if err != nil {
		tb.Fatal(err)
	}
	return f
}

func set(tb testing.TB, dir string) *Set {
	tb.Helper()
	s, err := Load(dir)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// data is a tenant's with secrets that are easy to find.
func data(f *tenants.Farm, name string) Data {
	t := f.Tenant(name)
	return Data{Farm: f, Tenant: t, Codebase: t.Codebase, Secrets: secrets.Secrets{
		WebPassword: "web-password", SchemaPassword: "schema-password",
		SecretKey: "secret-key", UpgradeKey: "upgrade-key",
	}}
}

func TestRender(t *testing.T) {
	f := load(t, farmToml)
	r, err := set(t, "").Render(data(f, "btrfs"))
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/btrfs.php")
	if err != nil && os.Getenv("UPDATE") == "" {
		t.Fatal(err)
	}
	got := strings.NewReplacer(f.Tenant("btrfs").ComponentSet(f.Codebases["1.43"]), "COMPONENTS", f.Codebases["1.43"].PHP, "PHP").Replace(string(r.LocalSettings))
	if os.Getenv("UPDATE") != "" {
		os.MkdirAll("testdata", 0o755)
		os.WriteFile("testdata/btrfs.php", []byte(got), 0o644)
		return
	}
	if got != string(want) {
		t.Errorf("rendered:\n%s", got)
	}
}

// A template of the farm that is no regular file is reported with its place, and no read waits for it.
func TestOwnTemplateIsNoRegularFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "templates")
	if err := errors.Join(os.Mkdir(dir, 0o755), syscall.Mkfifo(filepath.Join(dir, LocalSettings), 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(dir); err == nil || !strings.HasPrefix(err.Error(), "templates/"+LocalSettings+": is not a regular file") {
		t.Error(err)
	}
}

// A pool has as many processes as [php] gives.
func TestPoolChildren(t *testing.T) {
	f := load(t, strings.Replace(farmToml, "[web]\n", "[php]\nchildren = 12\n[web]\npools = true\n", 1))
	r, err := set(t, "").Render(data(f, "btrfs"))
	if err != nil || !strings.Contains(string(r.Pool), "\npm.max_children = 12\n") {
		t.Errorf("%v\n%s", err, r.Pool)
	}
}
