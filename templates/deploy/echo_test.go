package deploy

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wikictl/cmd/testbed/needs"
	"wikictl/templates"
	"wikictl/tenants/definitions"
)

// newEcho is a farm whose code only says what was asked of it, so that a table of requests
// costs no wiki; more are files beside its own.
func newEcho(t *testing.T, kind string, pools bool, more map[string]string) *stand {
	t.Helper()
	needs.FPM(t)
	dir := needs.Folder(t)
	s := &stand{t: t, dir: dir, port: freePort(t)}
	files := echoFiles()
	for name, text := range more {
		files[name] = text
	}
	for name, text := range files {
		if text == "none" {
			continue // more takes it away
		}
		s.write(name, strings.NewReplacer("KIND", kind, "PORT", fmt.Sprint(s.port), "DIR", dir, "POOLS", fmt.Sprint(pools)).Replace(text))
	}
	for link, target := range map[string]string{"static/alpha/link.txt": "../../secret.txt", "static/alpha/linked": "../.."} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	if s.farm, err = definitions.Load(dir); err != nil {
		t.Fatal(err)
	}
	if s.set, err = templates.Load(""); err != nil {
		t.Fatal(err)
	}
	if s.d, err = New(s.farm.Layout(), s.farm.Web); err != nil {
		t.Fatal(err)
	}
	s.owned()
	s.apply()
	s.startFPM()
	return s
}

// echoFiles are the farm of an echo, by name.
func echoFiles() map[string]string {
	user := ""
	if os.Geteuid() == 0 {
		user = `user = "www-data"`
	}
	files := map[string]string{
		"code/includes/Defines.php":   "<?php\ndefine( 'MW_VERSION', '1.43.0' );\necho 'ran';",
		"code/maintenance/update.php": "<?php echo 'ran';",
		"code/skins/Plain/skin.json":  "{}",
		"code/skins/Plain/plain.css":  "plain {}",
		"code/skins/Plain/evil.php":   "<?php echo 'ran';",
		"code/languages/i18n/en.json": "{}",
		"code/extensions/README":      "",
		"wikictl.toml": strings.Replace(`state = "state"
tenants = ["tenants/*.toml"]
classes = ["classes/*.toml"]
codebases.x.path = "code"
servers.main.managed = true
[web]
kind = "KIND"
pools = POOLS
fpm = "unix:DIR/fpm.sock"
url = "http://{host}:PORT"
listen = ["127.0.0.1:PORT", "[::1]:PORT"]
proxies = ["::1", "192.0.2.0/24"]
access_log = "DIR/logs/{name}.log"
USER
[defaults]
codebase = "x"
server = "main"
skins = ["Plain"]
`, "USER", user, 1),
		"classes/common.toml": "static = \"static/common\"\n[redirects]\n\"/about\" = \"/wiki/Info\"\n",
		"tenants/alpha.toml": `name = "alpha"
hosts = ["alpha.test", "other.alpha.test"]
aliases = ["www.alpha.test"]
sitename = "Alpha"
classes = ["common"]
static = ["static/alpha"]
[redirects]
"/about" = "/wiki/About"
"/mw/*" = "/*"
"/mw/shop/*" = "https://shop.example.org/?from=wiki"
"/Über" = "/wiki/Über_uns"
"/wiki/Old" = "/wiki/New"
"/what%27s.new%3f(alt)" = "/wiki/News"
`,
		"tenants/beta.toml": `name = "beta"
hosts = ["beta.test"]
sitename = "Beta"
classes = ["common"]
static = "static/beta"
[settings]
wgGroupPermissions."*".read = false
`,
		"tenants/gamma.toml":                     "name = \"gamma\"\nhosts = [\"gamma.test\"]\nsitename = \"Gamma\"\nsettings.wgMaxUploadSize = { file = 300000, url = 9000000000, \"*\" = 400000000 }\nsettings.wgMaxArticleSize = 90\n",
		"tenants/delta.toml":                     "name = \"delta\"\nhosts = [\"delta.test\"]\nsitename = \"Delta\"\nscript_path = \"/w\"\n[settings]\nwgActionPaths = { view = \"/wiki/$1\", edit = \"/edit/$1\", raw = \"/w/raw/$1\", info = \"info/$1\" }\nwgVariantArticlePath = \"/$2/$1\"\n",
		"tenants/root.toml":                      "name = \"root\"\nhosts = [\"root.test\"]\nsitename = \"Root\"\nclasses = [\"common\"]\nscript_path = \"/w\"\narticle_path = \"/$1\"\n",
		"tenants/closed.toml":                    "name = \"closed\"\nhosts = [\"closed.test\"]\nsitename = \"Closed\"\nscript_path = \"/w\"\narticle_path = \"/$1\"\nsettings.wgGroupPermissions.\"*\".read = false\n",
		"tenants/long.toml":                      "name = \"long\"\nhosts = [\"long.test\"]\nsitename = \"Long\"\nscript_path = \"/mediawiki/1.43\"\narticle_path = \"/mediawiki/1.43/index.php/$1\"\n",
		"logs/.keep":                             "",
		"secret.txt":                             "a secret",
		"static/common/robots.txt":               "everybody's robots",
		"static/common/favicon.ico":              "everybody's icon",
		"static/alpha/robots.txt":                "alpha's robots",
		"static/alpha/logo.svg":                  "alpha's logo",
		"static/alpha/sitemap/index.xml":         "alpha's sitemap",
		"static/alpha/sitemap/pages.xml.gz":      "alpha's pages",
		"static/alpha/sitemap/look.xsl":          "alpha's style",
		"static/alpha/LOGO.PNG":                  "alpha's old logo",
		"static/alpha/READ.TXT":                  "alpha's text",
		"static/alpha/EVIL.PHP":                  "<?php echo 'ran';",
		"static/alpha/google123.html":            "google-site-verification",
		"static/alpha/with space &ä.txt":         "alpha's odd name",
		"static/alpha/.well-known/security.txt":  "alpha's contact",
		"static/alpha/.well-known/.hidden.txt":   "a secret",
		"static/alpha/.well-known/matrix/client": "alpha's matrix",
		"static/alpha/evil.php":                  "<?php echo 'ran';",
		"static/alpha/evil.phtml":                "<?php echo 'ran';",
		"static/alpha/evil.php.txt":              "<?php echo 'ran';",
		"static/alpha/settings.toml":             "a secret",
		"static/alpha/.env.txt":                  "a secret",
		"static/alpha/.htaccess":                 "a secret",
		"static/alpha/.git/config.txt":           "a secret",
		"static/beta/logo.png":                   "beta's logo",
	}
	for _, entry := range []string{"index", "api", "load", "rest", "img_auth", "thumb", "thumb_handler", "opensearch_desc"} {
		files["code/"+entry+".php"] = `<?php header( 'Content-Type: text/html' );
echo str_repeat( 'x', $_GET['length'] ?? 0 );
if ( isset( $_GET['until'] ) ) {
	@touch( $_GET['until'] . '-' . $_SERVER['REMOTE_ADDR'] );
	for ( $i = 0; $i < 3000 && !file_exists( $_GET['until'] ); $i++ ) {
		usleep( 10000 );
		clearstatcache();
	}
}
if ( isset( $_GET['memory'] ) ) {
	echo 'memory ', ini_get( 'memory_limit' ), '; ';
}
if ( isset( $_GET['read'] ) ) {
	echo 'user ', posix_geteuid(), ' reads ', strlen( (string)@file_get_contents( $_GET['read'] ) ), '; ';
	echo 'writes ', (int)@file_put_contents( dirname( getenv( 'MW_CONFIG_FILE' ), 3 ) . '/images/written', 'x' ), '; ';
}
echo 'ran ', basename( __FILE__ ), ' for ', $_SERVER['REQUEST_URI'], ' of ', basename( dirname( getenv( 'MW_CONFIG_FILE' ), 3 ) ),
	' limits ', ini_get( 'upload_max_filesize' ), '/', ini_get( 'post_' . ( $_GET['x'] ?? 'max' ) . '_size' ), ' from ', $_SERVER['REMOTE_ADDR'], '. by ', $_SERVER['HTTPS'] ?? 'plain';`
	}
	return files
}

// poolsListen reports whether php-fpm has opened the sockets of all pools.
func (s *stand) poolsListen() bool {
	for _, tenant := range s.farm.Tenants {
		if !dials("unix", s.farm.Layout().PoolSocket(tenant.Name))() {
			return false
		}
	}
	return true
}
