package templates

import (
	"strings"
	"testing"
)

// sameInPHP are operations, and what an administrator would write in LocalSettings.php.
var sameInPHP = []struct{ name, toml, php string }{
	{"wgNamespaceProtection", `{ replace = { NS_MAIN = ["editmain"] } }`, `= [ NS_MAIN => [ 'editmain' ] ]`},
	{"wgNamespaceProtection", `{ remove = ["NS_MEDIAWIKI"] }`, `= []`},
	{"wgForeignFileRepos", `{ append = [{ class = "ForeignAPIRepo", name = "pool", apibase = "https://pool.example/api.php" }] }`,
		`[] = [ 'class' => 'ForeignAPIRepo', 'name' => 'pool', 'apibase' => 'https://pool.example/api.php' ]`},
	{"wgForeignFileRepos", `{ replace = [{ class = "FileRepo", name = "pool", directory = "/srv/pool", backend = "x" }] }`,
		`= [ [ 'class' => 'FileRepo', 'name' => 'pool', 'directory' => '/srv/pool', 'backend' => 'x' ] ]`},
	{"wgLockManagers", `{ replace = [{ name = "redis", class = "RedisLockManager" }] }`, `= [ [ 'name' => 'redis', 'class' => 'RedisLockManager' ] ]`},
	{"wgGalleryOptions", `{ replace = { mode = "packed" } }`, `= [ 'mode' => 'packed' ]`},
	{"wgFileExtensions", `{ append = ["pdf", "html"] }`, `= [ ...$wgFileExtensions, 'pdf', 'html' ]`},
	{"wgContentNamespaces", `{ append = [4], prepend = ["NS_HELP"] }`, `= [ 12, 0, 4 ]`},
	{"wgContentNamespaces", `{ replace = [4] }`, `= [ 4 ]`},
	{"wgLogTypes", `{ remove = ["merge"] }`, `= array_values( array_diff( $wgLogTypes, [ 'merge' ] ) )`},
	{"wgLogTypes", `{ replace = ["block"] }`, `= [ 'block' ]`},
	{"wgProhibitedFileExtensions", `{ append = ["png"] }`, `[] = 'png'`},
	{"wgFooterIcons", `{ replace = { poweredby = { mediawiki = { src = "/x.png", url = "https://x.example", alt = "x" } } } }`,
		`= [ 'poweredby' => [ 'mediawiki' => [ 'src' => '/x.png', 'url' => 'https://x.example', 'alt' => 'x' ] ] ]`},
}

// completedToml is a wiki with extensions that read settings while they are loaded.
const completedToml = `name = "w"
hosts = ["w.example.org"]
sitename = "W"
skins = ["Vector"]
extensions = ["VisualEditor", "PageImages"]
`

// MediaWiki completes some settings, and extensions read some, before all extensions have added theirs.
// An operation has the effect that a statement in LocalSettings.php has.
func TestOperationsAsInPHP(t *testing.T) {
	s := set(t, "")
	names := []string{"wgFileExtensions", "wgVisualEditorAvailableNamespaces", "wgPageImagesNamespaces"}
	for _, one := range sameInPHP {
		for _, version := range []string{"1.39", "1.43"} {
			t.Run(version+" "+one.name+" "+one.toml, func(t *testing.T) {
				t.Parallel()
				plain := strings.Replace(completedToml, "skins", "codebase = \""+version+"\"\nskins", 1)
				f := load(t, farmToml, plain, strings.ReplaceAll(plain, `"w`, `"php`)+"[settings]\nwgX = 1\n", strings.ReplaceAll(plain, `"w`, `"op`)+"[settings]\n"+one.name+" = "+one.toml+"\n")
				found := map[string]map[string]any{}
				for _, name := range []string{"php", "op"} {
					r, err := s.Render(data(f, name))
					if err != nil {
						t.Fatal(err)
					}
					text := strings.ReplaceAll(string(r.LocalSettings), "/wikis/op/", "/wikis/php/")
					if name == "php" {
						text = strings.Replace(text, "$wgX = 1;", "$"+one.name+" "+one.php+";", 1)
					}
					found[name] = effective(t, f.Tenant(name).Codebase.Path, []byte(text), append([]string{one.name}, names...)...)
				}
				for _, name := range append([]string{one.name}, names...) {
					if got, want := memberAt(found["op"], name), memberAt(found["php"], name); got != want {
						t.Errorf("$%s is %s, want %s", name, got, want)
					}
				}
			})
		}
	}
}
