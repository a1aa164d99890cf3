package definitions

import (
	"strings"
	"testing"
)

func TestPaths(t *testing.T) {
	const shared = "hosts = [\"one.example.org\"]\n"
	for name, tc := range map[string]struct{ web, a, b, want string }{
		"side by side":       {"", shared + "path = \"/en\"\n", shared + "path = \"/de\"\n", ""},
		"one at the root":    {"", shared + "path = \"/en\"\n", shared + "path = \"/\"\n", ""},
		"deep":               {"", shared + "path = \"/x/en\"\n", shared + "path = \"/x/de\"\n", ""},
		"alike beginnings":   {"", shared + "path = \"/en\"\n", shared + "path = \"/eng\"\n", ""},
		"alone":              {"", shared + "path = \"/en\"\n", "hosts = [\"b.example.org\"]\n", ""},
		"none says one":      {"", shared, shared, `tenants/b.toml:3:10: hosts: "one.example.org" also belongs to tenant "a" at tenants/a.toml:3:10 (to have both on one host, say path`},
		"one says one":       {"", shared + "path = \"/en\"\n", shared, `"one.example.org" also belongs to tenant "a"`},
		"the same":           {"", shared + "path = \"/en\"\n", shared + "path = \"/en\"\n", `tenants/b.toml:4:1: path: "/en" of one.example.org also belongs to tenant "a" at tenants/a.toml:4:1`},
		"both at the root":   {"", shared + "path = \"/\"\n", shared + "path = \"/\"\n", `"/" of one.example.org also belongs to tenant "a" at tenants/a.toml:4:1`},
		"one below another":  {"", shared + "path = \"/x\"\n", shared + "path = \"/x/de\"\n", `tenants/b.toml:4:1: path: "/x/de" is on the way of "/x" of tenant "a" at tenants/a.toml:4:1`},
		"other hosts":        {"", "hosts = [\"one.example.org\", \"two.example.org\"]\npath = \"/en\"\n", shared + "path = \"/de\"\n", `tenants/b.toml:3:10: hosts: "one.example.org" also belongs to tenant "a" at tenants/a.toml:3:10, which has others beside it`},
		"other order":        {"", "hosts = [\"one.example.org\", \"two.example.org\"]\npath = \"/en\"\n", "hosts = [\"two.example.org\", \"one.example.org\"]\npath = \"/de\"\n", `which has others beside it`},
		"other aliases":      {"", shared + "aliases = [\"www.example.org\"]\npath = \"/en\"\n", shared + "path = \"/de\"\n", `which has others beside it`},
		"hides pages":        {"", shared + "path = \"/wiki\"\n", shared + "path = \"/\"\n", `tenants/a.toml:4:1: path: "/wiki" hides pages of tenant "b" at tenants/b.toml:1:`},
		"below pages":        {"", shared + "path = \"/wiki/en\"\n", shared + "path = \"/\"\n", `hides pages of tenant "b"`},
		"pages at the root":  {"", shared + "path = \"/en\"\n", shared + "path = \"/\"\nscript_path = \"/w\"\narticle_path = \"/$1\"\n", `tenants/a.toml:4:1: path: "/en" hides pages of tenant "b" at tenants/b.toml:6:1`},
		"hides an action":    {"", shared + "path = \"/edit\"\n", shared + "path = \"/\"\nsettings.wgActionPaths.edit = \"/edit/$1\"\n", `tenants/a.toml:4:1: path: "/edit" hides addresses of pages by wgActionPaths`},
		"above an action":    {"", shared + "path = \"/x\"\n", shared + "path = \"/\"\nsettings.wgActionPaths.edit = \"/x/edit/$1\"\n", `path: "/x" hides addresses of pages`},
		"hides a variant":    {"", shared + "path = \"/zh-tw\"\n", shared + "path = \"/\"\nlanguage = \"zh\"\nsettings.wgVariantArticlePath = \"/$2/$1\"\n", `path: "/zh-tw" hides addresses of pages`},
		"beside actions":     {"", shared + "path = \"/de\"\n", shared + "path = \"/\"\nlanguage = \"zh\"\nsettings.wgVariantArticlePath = \"/$2/$1\"\nsettings.wgActionPaths.edit = \"/edit/$1\"\n", ""},
		"hides entry points": {"", shared + "path = \"/w\"\n", shared + "path = \"/\"\nscript_path = \"/w\"\n", `hides entry points and files of tenant "b" at tenants/b.toml:5:1`},
		"hides uploads":      {"", shared + "path = \"/images\"\n", shared + "path = \"/\"\n", `hides entry points and files of tenant "b"`},
		"hides skins":        {"", shared + "path = \"/skins/en\"\n", shared + "path = \"/\"\n", `hides entry points and files`},
		"hides a redirect":   {"", shared + "path = \"/old\"\n", shared + "path = \"/\"\nredirects.\"/old/x\" = \"/wiki/X\"\n", `tenants/a.toml:4:1: path: "/old" hides the redirect /old/x of tenant "b" at tenants/b.toml:5:1`},
		"hides some of one":  {"", shared + "path = \"/old/en\"\n", shared + "path = \"/\"\nredirects.\"/old/*\" = \"/wiki/*\"\n", `hides the redirect /old/* of tenant "b"`},
		"no slash":           {"", shared + "path = \"en\"\n", shared + "path = \"/de\"\n", `tenants/a.toml:4:1: path: "en" is not a path without a / at its end (such as "/en", or "/" for the root)`},
		"slash at the end":   {"", shared + "path = \"/en/\"\n", shared + "path = \"/de\"\n", `"/en/" is not a path`},
		"hidden":             {"", shared + "path = \"/.well-known\"\n", shared + "path = \"/de\"\n", `"/.well-known" is not a path`},
		"climbing":           {"", shared + "path = \"/en/../x\"\n", shared + "path = \"/de\"\n", `is not a path`},
		"expression":         {"", shared + "path = \"/en(.*)\"\n", shared + "path = \"/de\"\n", `is not a path`},
		"an entry point":     {"", shared + "path = \"/index.php\"\n", shared + "path = \"/de\"\n", `"/index.php" is a path that the web server needs itself`},
		"of a class":         {"", shared + "path = 5\n", shared + "path = \"/de\"\n", `path: is an integer, want a string`},
		"with a map":         {"vhosts = \"map\"\n", shared + "path = \"/en\"\n", shared + "path = \"/de\"\n", `tenants/a.toml:4:1: path: several wikis of one host can't be had with vhosts = "map"`},
		"a file by name":     {"access_log = \"/var/log/{name}.log\"\n", shared + "path = \"/en\"\n", shared + "path = \"/de\"\n", `wikictl.toml:`},
	} {
		t.Run(name, func(t *testing.T) {
			dir := writeFarm(t, map[string]string{
				"wikictl.toml":   farmToml + "[web]\n" + tc.web,
				"tenants/a.toml": "name = \"a\"\nsitename = \"A\"\n" + tc.a,
				"tenants/b.toml": "name = \"b\"\nsitename = \"B\"\n" + tc.b,
			})
			f, err := Load(dir)
			if tc.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				for _, x := range f.Tenants {
					if again := Show(x, false); !strings.Contains(again, "path = ") && x.Shares {
						t.Errorf("shown as %s", again)
					}
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got  %v\nwant %s", err, tc.want)
			}
		})
	}
}
