package templates

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"wikictl/cmd/testbed/needs"
	"wikictl/tenants"
	"wikictl/tenants/definitions"
)

// shape is a wiki as a public farm has it, and what MediaWiki makes of it: members by path,
// as JSON.
type shape struct {
	toml  string
	wants map[string]string
}

// shapesFarm ends wikictl.toml; CODE is the codebase.
const shapesFarm = `state = "/srv/farm"
tenants = ["tenants/*.toml"]
classes = ["classes/*.toml"]
allow_php = true
[codebases.code]
path = "CODE"
[servers.main]
managed = true
[web]
fpm = "unix:/run/php/php8.2-fpm.sock"
[defaults]
codebase = "code"
server = "main"
skins = ["Vector", "MonoBook"]
[defaults.settings]
wgEnableUploads = true
wgGroupPermissions."*".edit = false
wgGroupPermissions.user.pagelang = true
`

// shapesFiles are classes, secrets and PHP of the farm's own.
var shapesFiles = map[string]string{
	"classes/apple.toml":    "extensions = [\"ConfirmEdit\", \"ConfirmEdit/hCaptcha\"]\ninclude = \"php/errors.php\"\n[settings]\nwgHCaptchaSecretKey = { secret = \"hcaptcha\" }\nwgObjectCaches.redis = { class = \"RedisBagOStuff\", servers = [\"127.0.0.1:6379\"] }\nwgEnableEmail = true\n",
	"classes/private.toml":  "[settings]\nwgGroupPermissions.\"*\" = { read = false, createaccount = false }\nwgWhitelistRead = [\"Special:UserLogin\"]\n",
	"classes/fishbowl.toml": "[settings]\nwgGroupPermissions.user.edit = false\nwgGroupPermissions.editor = { copy = \"autoconfirmed\", edit = true }\n",
	"classes/wmcz.toml":     "extensions = [\"ParserFunctions\"]\n[settings]\nwgGroupPermissions.trusted = {}\nwgAddGroups.bureaucrat = { append = [\"trusted\"] }\n",
	"classes/droid.toml":    "extensions = [\"Cite\", \"Gadgets\"]\n[settings]\nwgDefaultUserOptions.enotifwatchlistpages = 0\nwgGroupPermissions.moderator = { rollback = true, block = true }\nwgWhatever = \"x\"\n",
	"classes/common.toml":   "article_path = \"/$1\"\nscript_path = \"/w\"\nextensions = [\"Interwiki\"]\n[settings]\nwgLocaltimezone = \"Europe/Berlin\"\n",
	"php/errors.php":        "<?php\nif ( PHP_SAPI === 'cli' ) {\n\terror_reporting( E_ALL & ~E_DEPRECATED );\n}\ndefine( 'APPLE_ENVIRONMENT', getenv( 'APPLE' ) ?: 'production' );\n$wgExtraInterlanguageLinkPrefixes[] = APPLE_ENVIRONMENT;\n",
	"php/learn.php":         "<?php\nfunction learnQuestions() {\n\tglobal $wgCaptchaQuestions;\n\tforeach ( [ 'One' => 1, 'Two' => 2 ] as $word => $number ) {\n\t\t$wgCaptchaQuestions[\"Which number is $word?\"] = [ (string)$number ];\n\t}\n}\n$wgExtensionFunctions[] = 'learnQuestions';\n$wgHooks['BeforePageDisplay'][] = static function ( $out ) {\n\t$out->addInlineStyle( 'body { }' );\n};\n",
	"php/moved.php":         "<?php\n// update.php has to write.\nif ( PHP_SAPI !== 'cli' ) {\n\t$wgReadOnly = 'This wiki has moved.';\n}\n$wgMoved = true;\n",
	"secrets/hcaptcha":      "it's secret\n",
	"secrets/turnstile":     "0x4AAAA\n",
}

// shapes are ten wikis of as many public farms.
var shapes = map[string]shape{
	"apple": {`classes = ["apple"]
namespaces.dev = { number = 3000, name = "Dev", talk = "Dev_talk", subpages = true }
[settings]
wgEnableEmail = false
wgLogos = { replace = { 1x = "/images/test.png", icon = "/images/icon.svg" } }
wgGroupPermissions."*" = { replace = { createaccount = false, read = true } }
wgNamespaceProtection.NS_DEV = ["editinterface"]
`, map[string]string{
		"wgEnableEmail": `false`, "wgLogos": `{"1x":"/images/test.png","icon":"/images/icon.svg"}`, "wgHCaptchaSecretKey": `"it's secret"`,
		"wgGroupPermissions/*": `{"createaccount":false,"read":true}`, "wgNamespaceProtection/3000": `["editinterface"]`, "wgExtraNamespaces/3000": `"Dev"`,
		"wgObjectCaches/redis/servers": `["127.0.0.1:6379"]`, "wgExtraInterlanguageLinkPrefixes": `["production"]`,
	}},
	"wmcz": {`classes = ["wmcz", "private", "fishbowl"]
[settings]
wgGroupPermissions."*".read = { php = "in_array( $_SERVER['REMOTE_ADDR'] ?? '', [ '192.0.2.7' ], true )" }
`, map[string]string{
		"wgGroupPermissions/*/read": `false`, "wgGroupPermissions/trusted": `[]`, "wgGroupPermissions/editor/edit": `true`, "wgGroupPermissions/editor/autoconfirmed": `true`,
		"wgGroupPermissions/user/edit": `false`, "wgWhitelistRead": `["Special:UserLogin"]`, "wgUploadPath": `"/img_auth.php"`,
	}},
	"droid": {`classes = ["droid"]
unset = ["wgWhatever", "extensions.Gadgets"]
[settings]
wgGroupPermissions.moderator = { block = false, delete = true }
wgContentHandlerUseDB = true
wgNamespaceContentModels.NS_PROJECT_TALK = "text"
wgFalse = "false"
`, map[string]string{
		"wgGroupPermissions/moderator": `{"block":false,"delete":true,"rollback":true}`, "wgWhatever": `null`, "wgFalse": `"false"`, "wgGadgetsRepo": `null`,
		"wgNamespaceContentModels/5": `"text"`, "wgDefaultUserOptions/enotifwatchlistpages": `0`,
	}},
	"osm": {`namespaces.tag = { number = 120, name = "Tag", content = true, search = true }
[settings]
wgGroupPermissions.confirmed = { copy = "autoconfirmed" }
wgGroupPermissions.interface-admin = { absent = true }
wgFileExtensions = { append = ["pdf", "svg"] }
wgUrlProtocols = { append = ["geo:"] }
wgGroupPermissions.user.read = true
wgGroupPermissions."*".createaccount = false
wgJobRunRate = 0
`, map[string]string{
		"wgGroupPermissions/confirmed/autoconfirmed": `true`, "wgGroupPermissions/interface-admin": `null`, "wgGroupPermissions/user/pagelang": `true`,
		"wgFileExtensions": `["png","gif","jpg","jpeg","webp","pdf","svg"]`, "wgContentNamespaces": `[0,120]`, "wgNamespacesToBeSearchedDefault/120": `true`, "wgJobRunRate": `0`,
	}},
	"suse": {`classes = ["common"]
language = "de"
include = "php/moved.php"
[settings]
wgCacheEpoch = { php = "max( $wgCacheEpoch, gmdate( 'YmdHis', 86400 ) )" }
wgInvalidateCacheOnLocalSettingsChange = false
wgNamespacesToBeSearchedDefault.NS_HELP = true
`, map[string]string{
		"wgReadOnly": `null`, "wgMoved": `true`, "wgCacheEpoch": `"20030516000000"`, "wgNamespacesToBeSearchedDefault/12": `true`, "wgArticlePath": `"/$1"`, "wgScriptPath": `"/w"`, "wgLanguageCode": `"de"`,
	}},
	"learn": {`language = "it"
extensions = ["ConfirmEdit", "ConfirmEdit/QuestyCaptcha"]
include = ["php/learn.php"]
[settings]
wgCookieDomain = ".learn.example"
wgForeignFileRepos = { append = [ { class = "ForeignAPIRepo", name = "pool", apibase = "https://pool.learn.example/api.php", fetchDescription = true } ] }
wgCaptchaQuestions."Quanti mesi?" = ["12", "dodici"]
`, map[string]string{
		"wgCookieDomain": `".learn.example"`, "wgForeignFileRepos/0/name": `"pool"`, "wgCaptchaQuestions/Which number is Two?": `["2"]`, "wgCaptchaQuestions/Quanti mesi?": `["12","dodici"]`, "wgLanguageCode": `"it"`,
	}},
	"ngr": {`classes = ["common", "wmcz"]
language = "ru"
extensions = ["ImageMap"]
[settings]
wgCapitalLinks = false
wgCapitalLinkOverrides.NS_FILE = true
`, map[string]string{
		"wgArticlePath": `"/$1"`, "wgLocaltimezone": `"Europe/Berlin"`, "wgCapitalLinks": `false`, "wgCapitalLinkOverrides/6": `true`, "wgGroupPermissions/trusted": `[]`,
	}},
	"mira": {`extensions = ["AbuseFilter"]
[settings]
wgByVersion = { php = "version_compare( MW_VERSION, '1.40', '>=' ) ? 'new' : 'old'" }
wgAbuseFilterActions = { remove = ["rangeblock"] }
wgRateLimits.edit.newbie = [4, 60]
wgAddGroups.sysop = { append = ["rollbacker"] }
wgManageWiki = { core = true, namespaces = { blacklisted = [ { php = "NS_MAIN" }, { php = "NS_FILE" } ] } }
`, map[string]string{
		"wgAbuseFilterActions/rangeblock": `null`, "wgAbuseFilterActions/block": `true`, "wgRateLimits/edit/newbie": `[4,60]`, "wgManageWiki/namespaces/blacklisted": `[0,6]`,
	}},
	"chem": {`script_path = "/mediawiki"
article_path = "/mediawiki/index.php/$1"
[settings]
wgForeignFileRepos = [ { class = "ForeignAPIRepo", name = "main", apibase = "https://main.example/mediawiki/api.php" } ]
wgSearchCore = { php = "basename( $wgScriptPath )" }
`, map[string]string{
		"wgScriptPath": `"/mediawiki"`, "wgArticlePath": `"/mediawiki/index.php/$1"`, "wgForeignFileRepos/0/name": `"main"`, "wgSearchCore": `"mediawiki"`,
	}},
	"nixos": {`extensions = ["ConfirmEdit", "ConfirmEdit/ReCaptchaNoCaptcha"]
[settings]
wgReCaptchaSecretKey = { secret = "turnstile" }
wgGroupPermissions.trusted = { copy = "sysop", "it's a right" = true }
wgUseCdn = true
wgCdnServersNoPurge = { append = ["192.0.2.0/24", "2001:db8::/32"] }
wgFooterIcons.poweredby."a \"quoted\" one" = { src = "/x.png", alt = "x y" }
wgDefaultRobotPolicy = "noindex,nofollow"
`, map[string]string{
		"wgReCaptchaSecretKey": `"0x4AAAA"`, "wgGroupPermissions/trusted/it's a right": `true`, "wgGroupPermissions/trusted/block": `true`, "wgUseCdn": `true`,
		"wgCdnServersNoPurge": `["192.0.2.0/24","2001:db8::/32"]`, `wgFooterIcons/poweredby/a "quoted" one/alt`: `"x y"`, "wgDefaultRobotPolicy": `"noindex,nofollow"`,
	}},
}

// shapesOn loads the farm of shapes for a codebase.
func shapesOn(t *testing.T, version string) *tenants.Farm {
	t.Helper()
	dir := t.TempDir()
	files := maps.Clone(shapesFiles)
	files["wikictl.toml"] = strings.Replace(shapesFarm, "CODE", filepath.Join(needs.Codebases(t), version), 1)
	for name, s := range shapes {
		files["tenants/"+name+".toml"] = fmt.Sprintf("name = %q\nhosts = [\"%[1]s.example\"]\nsitename = \"%[1]s\"\n%s", name, s.toml)
	}
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f, err := definitions.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, tenant := range f.Tenants {
		if tenant.Blocked() {
			t.Fatal(tenant.Faults)
		}
	}
	return f
}

// Ten configurations of public farms, as definitions, are in MediaWiki what their shapes want.
func TestShapes(t *testing.T) {
	s := set(t, "")
	for _, version := range []string{"1.39", "1.43"} {
		f := shapesOn(t, version)
		for name, want := range shapes {
			t.Run(name+" on "+version, func(t *testing.T) {
				t.Parallel()
				r, err := s.Render(data(f, name))
				if err != nil {
					t.Fatal(err)
				}
				var names []string
				for path := range want.wants {
					setting, _, _ := strings.Cut(path, "/")
					names = append(names, setting)
				}
				slices.Sort(names)
				found := effective(t, f.Tenant(name).Codebase.Path, r.LocalSettings, append(slices.Compact(names), "wgByVersion")...)
				for path, text := range want.wants {
					if got := memberAt(found, path); got != text {
						t.Errorf("%s: %s, want %s", path, got, text)
					}
				}
				if wants := map[string]string{"1.39": `"old"`, "1.43": `"new"`}[version]; name == "mira" && memberAt(found, "wgByVersion") != wants {
					t.Errorf("by version: %s", memberAt(found, "wgByVersion"))
				}
			})
		}
	}
}

// memberAt is a member of the settings as JSON, by a path of keys.
func memberAt(found map[string]any, path string) string {
	var v any = found
	for i, key := range strings.Split(path, "/") {
		if list, is := v.([]any); is && i > 0 {
			n := int(key[0] - '0')
			if n >= len(list) {
				return "null"
			}
			v = list[n]
			continue
		}
		table, _ := v.(map[string]any)
		v = table[key]
	}
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return err.Error()
	}
	return strings.TrimSpace(b.String())
}
