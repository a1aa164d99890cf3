package templates

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"wikictl/cmd/testbed/needs"
	"wikictl/tenants/definitions"
)

const operationsToml = `name = "ops"
hosts = ["ops.example.org"]
sitename = "Operations"
skins = ["Vector"]
extensions = ["ConfirmEdit", "AbuseFilter"]
[namespaces.portal]
number = 3000
content = true
[settings]
wgNamespaceProtection = { php = "[ NS_PORTAL => [ 'x' ] ]" }
wgFileExtensions = { append = ["pdf", "png"], remove = ["gif"] }
wgUrlProtocols = { prepend = ["appstream:"] }
wgHiddenPrefs = { append = ["gender"] }
wgContentNamespaces = { append = [4, 4] }
wgNamespacesToBeSearchedDefault = { remove = ["NS_MAIN"] }
wgFooterIcons.poweredby = { absent = true }
wgGroupPermissions."*" = { replace = { createaccount = false, read = true } }
wgGroupPermissions.user.pagelang = true
wgGroupPermissions.confirmed = { copy = "autoconfirmed", "it's" = true }
wgGroupPermissions.also = { copy = "confirmed", autoconfirmed = false }
wgGroupPermissions.sysop = { copy = "bureaucrat" }
wgGroupPermissions.interface-admin = { absent = true }
wgGroupPermissions.bot = { absent = true }
wgAddGroups.sysop = ["bot", "user"]
wgAbuseFilterActions = { remove = ["block"] }
wgRateLimits = { replace = { edit = { bot = [1, 2], newbie = [ { php = "$wgMaxArticleSize" }, 60 ] } } }
`

// effectiveScript prints the variables that its arguments name, as MediaWiki ends up with them.
const effectiveScript = `<?php
require_once getenv( 'MW_INSTALL_PATH' ) . '/maintenance/Maintenance.php';
class Effective extends Maintenance {
	public function __construct() {
		parent::__construct();
		$this->addArg( 'names', '', false );
	}
	public function execute() {
		$found = [];
		foreach ( explode( ' ', $this->getArg( 0 ) ) as $name ) {
			$found[$name] = $GLOBALS[$name] ?? null;
		}
		echo "\nFOUND" . json_encode( $found );
	}
	public function getDbType() {
		return Maintenance::DB_NONE;
	}
}
$maintClass = Effective::class;
require_once RUN_MAINTENANCE_IF_MAIN;
`

// effective is what MediaWiki itself makes of settings.
func effective(t *testing.T, root string, settings []byte, names ...string) map[string]any {
	t.Helper()
	dir := t.TempDir()
	file, script := filepath.Join(dir, "LocalSettings.php"), filepath.Join(dir, "effective.php")
	if err := errors.Join(os.WriteFile(file, settings, 0o600), os.WriteFile(script, []byte(effectiveScript), 0o600)); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(needs.PHP(t), script, strings.Join(names, " "))
	c.Env = append(os.Environ(), "MW_CONFIG_FILE="+file, "MW_INSTALL_PATH="+root)
	out, err := c.CombinedOutput()
	_, text, known := strings.Cut(string(out), "\nFOUND")
	var found map[string]any
	if err == nil && known {
		err = json.Unmarshal([]byte(text), &found)
	}
	if err != nil || !known {
		t.Fatalf("%v\n%s\n%s", err, out, settings)
	}
	return found
}

// MediaWiki's own settings are as operations want them, after extensions have added theirs.
func TestOperationsInMediaWiki(t *testing.T) {
	f := load(t, farmToml, operationsToml, strings.NewReplacer(`"ops`, `"old`, "sitename", "codebase = \"1.39\"\nsitename").Replace(operationsToml))
	s := set(t, "")
	for _, name := range []string{"ops", "old"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := s.Render(data(f, name))
			if err != nil {
				t.Fatal(err)
			}
			found := effective(t, f.Tenant(name).Codebase.Path, r.LocalSettings, "wgFileExtensions", "wgUrlProtocols", "wgHiddenPrefs", "wgNamespaceProtection", "wgExtraNamespaces",
				"wgContentNamespaces", "wgNamespacesToBeSearchedDefault", "wgFooterIcons", "wgGroupPermissions", "wgAddGroups", "wgAbuseFilterActions", "wgRateLimits")
			wantOperations(t, found)
		})
	}
}

func wantOperations(t *testing.T, found map[string]any) {
	t.Helper()
	at := func(path ...string) any {
		var v any = found
		for _, key := range path {
			table, _ := v.(map[string]any)
			v = table[key]
		}
		return v
	}
	list := func(v any) string { text, _ := json.Marshal(v); return string(text) }
	for _, want := range []struct{ what, got, want string }{
		{"extensions of files", list(at("wgFileExtensions")), `["png","jpg","jpeg","webp","pdf"]`},
		{"the first protocol", list(at("wgUrlProtocols").([]any)[:2]), `["appstream:","bitcoin:"]`},
		{"hidden preferences", list(at("wgHiddenPrefs")), `["gender"]`},
		{"content", list(at("wgContentNamespaces")), `[0,4,3000]`},
		{"searched", list(at("wgNamespacesToBeSearchedDefault")), `[]`},
		{"a constant in an expression", list(at("wgNamespaceProtection", "3000")), `["x"]`},
		{"a namespace", list(at("wgExtraNamespaces")), `{"3000":"portal","3001":"portal_talk"}`},
		{"powered by", list(at("wgFooterIcons", "poweredby")), `null`},
		{"visitors", list(at("wgGroupPermissions", "*")), `{"createaccount":false,"read":true}`},
		{"users' own", list(at("wgGroupPermissions", "user", "pagelang")), `true`},
		{"users' from AbuseFilter", list(at("wgGroupPermissions", "autoconfirmed", "skipcaptcha")), list(at("wgGroupPermissions", "confirmed", "skipcaptcha"))},
		{"besides", list(at("wgGroupPermissions", "confirmed", "it's")), `true`},
		{"a copy of a copy", list(at("wgGroupPermissions", "also", "it's")), `true`},
		{"in place of the copied", list(at("wgGroupPermissions", "also", "autoconfirmed")), `false`},
		{"copied", list(at("wgGroupPermissions", "sysop")), list(at("wgGroupPermissions", "bureaucrat"))},
		{"absent", list(at("wgGroupPermissions", "bot")), `null`},
		{"absent in lists", list(at("wgAddGroups", "sysop")), `["user"]`},
		{"AbuseFilter's", list(at("wgAbuseFilterActions", "block")), `null`},
		{"AbuseFilter's others", list(at("wgAbuseFilterActions", "warn")), `true`},
		{"an expression", list(at("wgRateLimits", "edit", "newbie")), `[2048,60]`},
		{"absent in limits", list(at("wgRateLimits", "edit", "bot")), `null`},
	} {
		if want.got != want.want {
			t.Errorf("%s: %s, want %s", want.what, want.got, want.want)
		}
	}
	if reflect.DeepEqual(at("wgGroupPermissions", "confirmed"), nil) {
		t.Error("confirmed has no rights")
	}
}

// A secret is written as PHP's literal into the settings, also inside of an operation; one
// whose file is not there is its tenant's problem, with the place.
func TestHiddenRendered(t *testing.T) {
	f := load(t, farmToml, "name = \"h\"\nhosts = [\"h.example.org\"]\nsitename = \"H\"\n[settings]\nwgSMTP = { password = { secret = \"smtp\" } }\nwgKeys = { append = [ { secret = \"smtp\" } ] }\n")
	d := data(f, "h")
	_, err := set(t, "").Render(d)
	if err == nil || !strings.Contains(err.Error(), "tenants/morea.toml:5:") || !strings.Contains(err.Error(), "the file does not exist") {
		t.Errorf("%v", err)
	}
	path := filepath.Join(f.Dir, "secrets/smtp")
	if err := errors.Join(os.Mkdir(filepath.Dir(path), 0o700), os.WriteFile(path, []byte("it's $x\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	if f, err = definitions.Load(f.Dir); err != nil {
		t.Fatal(err)
	}
	r, err := set(t, "").Render(data(f, "h"))
	if text := string(r.LocalSettings); err != nil || !strings.Contains(text, `'password' => 'it\'s $x',`) || !strings.Contains(text, `[], [], [ 'it\'s $x' ]`) {
		t.Errorf("%v\n%s", err, text)
	}
}
