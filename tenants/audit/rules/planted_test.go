package rules

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"wikictl/cmd/testbed/needs"
	"wikictl/tenants"
	"wikictl/tenants/audit"
	"wikictl/tenants/definitions"
)

// today is a day on which MediaWiki 1.43 and PHP 8.2 are kept up, 1.39 is not.
func today() time.Time { return time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC) }

// load writes a farm's files, where CODEBASES stands for the trees and DIR for
// the farm's folder, and loads it.
func load(tb testing.TB, files map[string]string) *tenants.Farm {
	tb.Helper()
	dir := tb.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			tb.Fatal(err)
		}
		content = strings.NewReplacer("CODEBASES", needs.Codebases(tb), "DIR", dir).Replace(content)
		if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
			tb.Fatal(err)
		}
	}
	f, err := definitions.Load(dir)
	if err != nil {
		tb.Fatal(err)
	}
	return f
}

func static(tb testing.TB, f *tenants.Farm) audit.Report {
	tb.Helper()
	r, err := Static(context.Background(), f, Options{Today: today()})
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

const farmToml = `state = "state"
allow_php = true
tenants = ["tenants/*.toml"]
classes = ["classes/*.toml"]
[codebases."1.43"]
path = "CODEBASES/1.43"
[servers.main]
managed = true
[defaults]
codebase = "1.43"
server = "main"
skins = ["Vector"]
[defaults.settings]
wgEnableUploads = true
wgGroupPermissions."*".edit = false
`

// faults are the lines that planted has beside farmToml.
const faults = `[servers.far]
dsn = "root@tcp(db1.example)/"
load = 5
replicas = [{ dsn = "root@tcp(db2.example)/" }]
[codebases.old]
path = "DIR/old"
[codebases.aged]
path = "CODEBASES/1.43"
php = "DIR/php8.1"
[codebases.broken]
path = "/usr"
[codebases.spare]
path = "CODEBASES/1.43"
[codebases.new]
path = "DIR/new"
[extensions.Unloaded]
path = "DIR/unloaded"
[extensions.Open]
git = "http://repo.example/Open"
version = "REL1_43"
[[policy]]
name = "small"
where = "name=policy"
setting = "wgMaxUploadSize"
range = [0, 1000]
reason = "the disk is small"
severity = "error"
[[ignore]]
rule = "raw-html"
tenants = ["ignored"]
reason = "nobody but us may edit"
until = "2026-06-01"
[[ignore]]
rule = "debug-output"
tenants = ["ignored"]
reason = "was looked into"
until = "2026-05-30"
[[ignore]]
rule = "origin-any"
tenants = ["ignored"]
reason = "was needed once"
until = "2027-01-31"
`

// planted has a tenant with one fault for each rule, of the tenant's name, and
// says where it is: settings begin at line 5 of a tenant's file. Where the fault
// is elsewhere, at is the place.
var planted = []struct {
	rule, lines, at string
	tenants         string // joined by spaces; empty: the tenant of the rule's name
}{
	{rule: "setting-unknown", lines: `wgEnableUplods = true`, at: "5:1"},
	{rule: "setting-not-loaded", lines: `wgPFEnableStringFunctions = true`, at: "5:1"},
	{rule: "setting-type", lines: `wgGroupPermissions.editor.upload = "yes"`, at: "5:27"},
	{rule: "setting-value", lines: `wgArticleCountMethod = "some"`, at: "5:1"},
	{rule: "setting-obsolete", lines: `wgAutoloadAttemptLowercase = true`, at: "5:1"},
	{rule: "setting-deprecated", lines: `wgIllegalFileChars = ":"`, at: "5:1"},
	{rule: "debug-output", lines: `wgShowExceptionDetails = true`, at: "5:1"},
	{rule: "debug-log-served", lines: `wgDebugLogFile = "CODEBASES/1.43/debug.log"`, at: "5:1"},
	{rule: "upload-executable", lines: "wgFileExtensions = { append = [\n  \"png\",\n  \"PHP\",\n] }", at: "7:3"},
	{rule: "upload-script", lines: `wgFileExtensions = { replace = ["png", "html"] }`, at: "5:40"},
	{rule: "upload-unchecked", lines: `wgVerifyMimeType = false`, at: "5:1"},
	{rule: "upload-from-anywhere", lines: `wgAllowCopyUploads = true`, at: "5:1"},
	{rule: "raw-html", lines: `wgRawHtml = true`, at: "5:1"},
	{rule: "external-images", lines: `wgAllowExternalImages = true`, at: "5:1"},
	{rule: "rights-everyone", lines: `wgGroupPermissions.user.editinterface = true`, at: "5:25"},
	{rule: "rights-grantable", lines: `wgAddGroups.user = ["editor", "sysop"]`, at: "5:31"},
	{rule: "group-merged", lines: `wgGroupPermissions."*" = { createaccount = false, read = true }`, at: "5:51"},
	{rule: "operation-vain", lines: `wgGroupPermissions.editor = { copy = "sysopp" }`, at: "5:20"},
	{rule: "list-shortened", lines: `wgUrlProtocols = ["appstream:"]`, at: "5:1"},
	{rule: "upload-limit", lines: `wgMaxUploadSize = { "*" = 5000, file = { php = "5 << 20" } }`, at: "5:33"},
	{rule: "private-images", lines: "wgRevokePermissions.\"*\" = { read = true, createaccount = true }\nwgLocalFileRepo.url = \"/images\"", at: "6:17"},
	{rule: "private-unclear", lines: `wgGroupPermissions."*".read = { php = "wfIsCLI()" }`, at: "5:24"},
	{rule: "private-accounts", lines: "wgGroupPermissions.\"*\".read = false", at: "5:24"},
	{rule: "private-css", lines: `wgAllowSiteCSSOnRestrictedPages = true`, at: "5:1"},
	{rule: "password-policy", lines: `wgPasswordPolicy.policies.default.MinimalPasswordLength = 4`, at: "5:35"},
	{rule: "password-hash", lines: `wgPasswordDefault = "B"`, at: "5:1"},
	{rule: "secret-in-definitions", lines: `wgSMTP = { host = "mail.example", password = "hunter2" }`, at: "5:35"},
	{rule: "cookie-insecure", lines: `wgCookieSecure = false`, at: "5:1"},
	{rule: "cookie-script", lines: `wgCookieHttpOnly = false`, at: "5:1"},
	{rule: "cookie-domain", lines: `wgCookieDomain = ".wiki.example"`, at: "5:1"},
	{rule: "session-evicted", lines: "wgMainCacheType = \"memcached-php\"\nwgSessionCacheType = \"memcached-php\"", at: "6:1"},
	{rule: "proxies-open", lines: `wgCdnServersNoPurge = ["10.1.0.0/16", "0.0.0.0/0"]`, at: "5:39"},
	{rule: "origin-any", lines: `wgCrossSiteAJAXdomains = ["*"]`, at: "5:27"},
	{rule: "frames-allowed", lines: `wgEditPageFrameOptions = false`, at: "5:1"},
	{rule: "address-unserved", lines: `wgLogos = { 1x = "/resources/assets/wiki.png", icon = "/logo.svg" }`, at: "5:48"},
	{rule: "shared-tables", lines: `wgSharedDB = "wiki_central"`, at: "5:1"},
	{rule: "shared-replaced", lines: `wgSharedTables = ["user", "ipblocks"]`, at: "5:27"},
	{rule: "database-denied", lines: "wgForeignFileRepos = [{ class = \"ForeignDBViaLBRepo\", wiki = \"wiki_policy\" }]", at: "5:55"},
	{rule: "folder-shared", lines: `wgSharedUploadDirectory = "DIR/state/wikis/policy/images"`, at: "5:1"},
	{rule: "policy", lines: `wgMaxUploadSize = 5000`, at: "5:1"},
	{rule: "override-equal", lines: `wgEnableUploads = true`, at: "5:1"},
	{rule: "tenant-blocked", at: "tenants/tenant-blocked.toml:4:15"},
	{rule: "media-denied", lines: "[shared]\nmedia = \"private-images\"", at: "6:1"},
	{rule: "codebase-broken", at: "wikictl.toml:path = \"/usr\""},
	{rule: "mediawiki-eol", at: "wikictl.toml:[codebases.old]"},
	{rule: "mediawiki-unchecked", at: "wikictl.toml:[codebases.old]", tenants: "mediawiki-eol"},
	{rule: "php-eol", at: "wikictl.toml:[codebases.aged]"},
	{rule: "php-unfit", at: "wikictl.toml:[codebases.new]", tenants: "mediawiki-unknown"},
	{rule: "mediawiki-unknown", at: "wikictl.toml:[codebases.new]"},
	{rule: "replica-load", at: "wikictl.toml:[servers.far]", tenants: "-"},
	{rule: "codebase-unused", at: "wikictl.toml:[codebases.spare]", tenants: "-"},
	{rule: "component-unused", at: "wikictl.toml:[extensions.Unloaded]", tenants: "-"},
	{rule: "component-unencrypted", at: "wikictl.toml:[extensions.Open]", tenants: "-"},
	{rule: "lock-stray", at: "wikictl.lock:0", tenants: "-"},
	{rule: "class-unused", at: "classes/lonely.toml:0", tenants: "-"},
	{rule: "setting-repeated", at: "tenants/three-a.toml:6", tenants: "three-a three-b three-c"},
	{rule: "ignore-expired", at: `wikictl.toml:rule = "debug-output"`, tenants: "-"},
	{rule: "ignore-unused", at: `wikictl.toml:rule = "origin-any"`, tenants: "-"},
}

func tenantToml(name, host, top, settings string) string {
	return fmt.Sprintf("name = %q\nhosts = [%q]\nsitename = \"X\"%s\n[settings]\n%s\n", name, host, top, settings)
}

// plantedFarm has every fault once.
func plantedFarm() map[string]string {
	files := map[string]string{
		"wikictl.toml":                     farmToml + faults,
		"php8.1":                           "#!/bin/sh\nphp \"$@\" | sed 's/\"php\":\"[0-9.]*\"/\"php\":\"8.1.2\"/'\n",
		"new/includes/Defines.php":         "<?php\ndefine( 'MW_VERSION', '1.48.0' );\n",
		"new/includes/config-schema.php":   "<?php\nreturn require 'CODEBASES/1.43/includes/config-schema.php';\n",
		"new/skins/Vector/skin.json":       "{}\n",
		"new/composer.json":                "{\"require\": {\"php\": \">=9.1\", \"ext-nosuch\": \"*\"}}\n",
		"new/languages/i18n/en.json":       "{}\n",
		"old/includes/Defines.php":         "<?php\ndefine( 'MW_VERSION', '1.38.7' );\n",
		"old/includes/DefaultSettings.php": "<?php\n$wgEnableUploads = false;\n$wgGroupPermissions = [];\n",
		"old/skins/Vector/skin.json":       "{}\n",
		"old/languages/i18n/en.json":       "{}\n",
		"classes/lonely.toml":              "[settings]\nwgUseInstantCommons = true\n",
		"classes/three.toml":               "[settings]\nwgCapitalLinks = false\n",
		"tenants/ignored.toml":             tenantToml("ignored", "ignored.wiki.example", "\nextensions = [\"Open\"]", "wgRawHtml = true"),
	}
	opened := tenants.Locked{Kind: "extension", Name: "Open", Git: "http://repo.example/Open", Version: "REL1_43", Commit: strings.Repeat("a", 40), Tree: strings.Repeat("b", 64)}
	gone := opened
	gone.Name = "Gone"
	lock, _ := definitions.FormatLock("/", []tenants.Locked{opened, gone})
	files["wikictl.lock"] = string(lock)
	files[strings.TrimPrefix(tenants.Layout{State: "/state"}.Component(opened), "/")+"/extension.json"] = "{}"
	for _, name := range []string{"three-a", "three-b", "three-c"} {
		files["tenants/"+name+".toml"] = tenantToml(name, name+".example", "\nclasses = [\"three\"]", "wgLocaltimezone = \"Europe/Berlin\"")
	}
	top := map[string]string{"mediawiki-eol": "\ncodebase = \"old\"", "php-eol": "\ncodebase = \"aged\"", "mediawiki-unknown": "\ncodebase = \"new\"",
		"tenant-blocked": "\nextensions = [\"Missing\"]", "codebase-broken": "\ncodebase = \"broken\""}
	for _, p := range planted {
		if p.tenants == "" {
			files["tenants/"+p.rule+".toml"] = tenantToml(p.rule, p.rule+".wiki.example", top[p.rule], p.lines)
		}
	}
	return files
}

// lineOf finds the line of a text in wikictl.toml.
func lineOf(text string) int {
	before, _, _ := strings.Cut(farmToml+faults, text)
	return strings.Count(before, "\n") + 1
}

// want is the place and the tenants of a planted fault.
func want(i int) (at, who string) {
	p := planted[i]
	at, who = p.at, p.tenants
	if who == "" {
		who = p.rule
		if p.lines != "" {
			at = "tenants/" + p.rule + ".toml:" + at
		}
	}
	if rest, ok := strings.CutPrefix(at, "wikictl.toml:"); ok {
		line := lineOf(rest)
		if strings.HasPrefix(rest, "rule") {
			line--
		}
		at = fmt.Sprintf("wikictl.toml:%d", line)
	}
	return strings.TrimSuffix(at, ":0"), strings.Trim(who, "-")
}

// Each rule finds its fault once, at the right tenant and place, and nothing else.
func TestPlantedFaults(t *testing.T) {
	r := static(t, load(t, plantedFarm()))
	byRule := map[string][]audit.Finding{}
	for _, f := range r.Findings {
		id, _, _ := strings.Cut(f.Rule, "/")
		byRule[id] = append(byRule[id], f)
	}
	for i, p := range planted {
		t.Run(p.rule, func(t *testing.T) {
			found := byRule[p.rule]
			delete(byRule, p.rule)
			if len(found) != 1 {
				t.Fatalf("found %d times: %+v", len(found), found)
			}
			at, who := want(i)
			if got := found[0].Position.String(); got != at && !strings.HasPrefix(got, at+":") {
				t.Errorf("found at %s, want %s", got, at)
			}
			if got := strings.Join(found[0].Tenants, " "); got != who {
				t.Errorf("found at tenants %q, want %q", got, who)
			}
		})
	}
	for id, found := range byRule {
		t.Errorf("not planted, but %s found %+v", id, found)
	}
	if r.Ignored != 1 {
		t.Errorf("%d ignored, want 1", r.Ignored)
	}
}

// Every rule has its planted fault and says all that explain prints. The faults of
// rules about what is there are planted on a farm of real wikis, in cmd/wikictl.
func TestEveryRuleIsPlanted(t *testing.T) {
	for _, rule := range All() {
		if known := findRule(rule.ID); known.observed == nil && known.observedFarm == nil && !slices.ContainsFunc(planted, func(p struct{ rule, lines, at, tenants string }) bool { return p.rule == rule.ID }) {
			t.Errorf("%s has no planted fault", rule.ID)
		}
		if rule.What == "" || rule.Why == "" || rule.Repair == "" || rule.Reference == "" || rule.Severity == 0 {
			t.Errorf("%s lacks words: %+v", rule.ID, rule)
		}
	}
}

// A table of a group that names all of what MediaWiki gives, or only takes away, and
// rights that are given one by one, perhaps again in another layer, are as they look.
func TestPlainGroupTables(t *testing.T) {
	for _, lines := range []string{
		`wgGroupPermissions."*" = { createaccount = false, createtalk = false }`,
		"wgGroupPermissions.\"*\".read = true\nwgGroupPermissions.\"*\".createaccount = false",
		`wgGroupPermissions."*".edit = true`,
		`wgGroupPermissions.sysop = { checkuser = true, interwiki = true }`,
		`wgGroupPermissions.editor = { read = true, edit = true }`,
	} {
		f := load(t, map[string]string{"wikictl.toml": farmToml, "tenants/a.toml": tenantToml("a", "a.example", "", lines)})
		for _, found := range static(t, f).Findings {
			if found.Rule == "group-merged" {
				t.Errorf("%s: %s", lines, found.Message)
			}
		}
	}
}

// Lists that lack what hardly any wiki does without are warnings, others that look as if
// they were all of a default are notes; operations and whole lists are as they look.
func TestShortenedLists(t *testing.T) {
	for lines, want := range map[string]string{
		`wgUrlProtocols = ["http://", "https://", "ftp://", "appstream:"]`: "warning wgUrlProtocols",
		`wgFileExtensions = ["pdf"]`:                                       `warning wgFileExtensions = { append = ["pdf"] } keeps`,
		`wgContentNamespaces = [3000]`:                                     "warning wgContentNamespaces = { append = [3000] } keeps the default",
		`wgContentNamespaces = { replace = [3000] }`:                       "",
		`wgRestrictionLevels = ["", "trusted"]`:                            "note wgRestrictionLevels",
		`wgReservedUsernames = ["Root"]`:                                   "warning wgReservedUsernames",
		`wgFileExtensions = ["png", "jpg"]`:                                "",
		`wgFileExtensions = ["png", "gif", "jpg", "jpeg", "webp", "pdf"]`:  "",
		`wgFileExtensions = { append = ["pdf"], remove = ["gif"] }`:        "",
		`wgThumbLimits = [100, 200]`:                                       "",
		`wgUrlProtocols = []`:                                              "",
	} {
		f := load(t, map[string]string{"wikictl.toml": farmToml, "tenants/a.toml": tenantToml("a", "a.example", "", lines), "classes/c.toml": "name = \"c\"\n"})
		got := ""
		for _, found := range static(t, f).Findings {
			if found.Rule == "list-shortened" {
				got = found.Severity.String() + " " + found.Key + " " + found.Hint
			} else if found.Rule != "class-unused" {
				t.Errorf("%s: %s: %s", lines, found.Rule, found.Message)
			}
		}
		key, hint, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(want, "warning "), "note "), " ")
		if want == "" && got != "" || !strings.Contains(got, key) || !strings.Contains(got, hint) || !strings.HasPrefix(got, strings.SplitN(want, " ", 2)[0]) {
			t.Errorf("%s: %q, want %q", lines, got, want)
		}
	}
}

func TestFaultlessFarm(t *testing.T) {
	files := map[string]string{"wikictl.toml": farmToml, "classes/c.toml": "[settings]\nwgCapitalLinks = false\n"}
	for i := range 40 {
		name := fmt.Sprintf("t%d", i)
		files["tenants/"+name+".toml"] = tenantToml(name, name+".wiki.example", "\nclasses = [\"c\"]", fmt.Sprintf("wgMaxUploadSize = %d", i+1))
	}
	if r := static(t, load(t, files)); len(r.Findings) > 0 || len(r.Tenants) != 40 {
		t.Errorf("found %+v in %d tenants", r.Findings, len(r.Tenants))
	}
}
