package definitions

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"wikictl/tenants"
)

// webTenant is a farm with one tenant, which says more.
func webTenant(rest string) map[string]string {
	return map[string]string{
		"wikictl.toml":              farmToml,
		"classes/c.toml":            "static = \"static/c\"\npool.children = 9\npool.timeout = 60\n[redirects]\n\"/about\" = \"/wiki/Common\"\n\"/mw/*\" = \"/*\"\n\"/%c3%9c*\" = \"/class\"\n",
		"static/c/robots.txt":       "",
		"static/x/robots.txt":       "",
		"tenants/x.toml":            "name = \"x\"\nhosts = [\"x.example\"]\nsitename = \"X\"\nclasses = [\"c\"]\n" + rest,
		"plain":                     "no folder",
		"static/inner/more/file":    "",
		"static/tenants-are-text/x": "",
	}
}

// The web keys of all definitions are merged, the tenant's own first, and show prints them so that
// they can be read again.
func TestWebInherits(t *testing.T) {
	dir := writeFarm(t, webTenant("aliases = [\"WWW.x.example.\"]\nstatic = [\"static/x\", \"static/inner\"]\npool.children = 3\n[redirects]\n\"/about\" = \"/wiki/Own\"\n\"/Ü*\" = \"https://example.org/ä\"\n"))
	f, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	x := f.Tenants[0]
	if got := strings.Join(x.Static, " "); got != "static/x static/inner static/c" {
		t.Errorf("static: %s", got)
	}
	want := []tenants.Move{{From: "/%C3%9C", To: "https://example.org/%C3%A4", Below: true}, {From: "/about", To: "/wiki/Own"}, {From: "/mw/", To: "/", Below: true, Rest: true}}
	shown := Show(x, true)
	if x.Pool != (tenants.Pool{Children: 3, Timeout: 60}) {
		t.Errorf("pool: %+v", x.Pool)
	}
	if !slices.Equal(x.Moves, want) {
		t.Errorf("redirects: %+v", x.Moves)
	}
	for _, line := range []string{`"www.x.example", # tenants/x.toml:5:12`, `"static/c", # classes/c.toml:1:1`, `redirects."/about" = "/wiki/Own" # tenants/x.toml:9:1`, `redirects."/mw/*" = "/*" # classes/c.toml:6:1`} {
		if !strings.Contains(shown, line) {
			t.Errorf("it lacks %s:\n%s", line, shown)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "tenants/x.toml"), []byte(Show(x, false)), 0o644); err != nil {
		t.Fatal(err)
	}
	again, err := Load(dir)
	if err != nil || Show(again.Tenants[0], false) != Show(x, false) {
		t.Errorf("%v\n%s", err, Show(x, false))
	}
}

// Each wrong value is named with its place, and a hint.
func TestWebRefuses(t *testing.T) {
	for name, tc := range map[string]struct{ rest, want string }{
		"absolute":        {`static = "/etc"`, `tenants/x.toml:5:1: static: "/etc" is not a folder below the farm's own`},
		"above":           {`static = "../x"`, `"../x" is not a folder below`},
		"within":          {`static = "static/../../x"`, `is not a folder below`},
		"the farm itself": {`static = "./"`, `"./" is not a folder below`},
		"state":           {`static = "state/wikis/y/current"`, `"state/wikis/y/current" and the state folder are in each other`},
		"a number":        {`static = 5`, `static: is an integer, want a string or a list of strings`},
		"in the list":     {`static = ["static/x", 5]`, `static: holds an integer`},
		"blank":           {`static = ""`, `static: is blank`},

		"no path":         {`redirects."mw/*" = "/*"`, `tenants/x.toml:5:11: redirects.mw/*: "mw/*" is not a path`},
		"a query":         {`redirects."/x?y=z" = "/y"`, `has a query`},
		"star within":     {`redirects."/x*y" = "/y"`, `a * stands only at the end`},
		"star without":    {`redirects."/x" = "/y*"`, `ends in a *`},
		"blank within":    {`redirects."/x y" = "/y"`, `contains characters that a path can't have`},
		"quote":           {`redirects."/x\"y" = "/y"`, `contains characters that a path can't have`},
		"dollar":          {`redirects."/$host" = "/y"`, `contains characters that a path can't have`},
		"another scheme":  {`redirects."/x" = "javascript:alert(1)"`, `is neither a path nor an http`},
		"without scheme":  {`redirects."/x" = "//evil.example/"`, `is neither a path nor an http`},
		"variable":        {`redirects."/x" = "https://$host/"`, `is neither a path nor an http`},
		"control":         {`redirects."/x" = "/y\nz"`, `control character`},
		"number":          {`redirects."/x" = 5`, `is an integer, want a string`},
		"no table":        {`redirects = "x"`, `redirects: is a string, want a table`},
		"twice":           {"redirects.\"/Ü\" = \"/y\"\nredirects.\"/%c3%9c\" = \"/z\"", `tenants/x.toml:5:11: redirects./Ü: is the same path as at tenants/x.toml:6:11`},
		"encoded":         {`redirects."/%69ndex.php" = "/y"`, `"/index.php" is an address that the wiki itself needs`},
		"everything":      {`redirects."/*" = "https://example.org/*"`, `"/" is an address that the wiki itself needs`},
		"the entry point": {`redirects."/index.php" = "/x"`, `"/index.php" is an address that the wiki`},
		"below it":        {`redirects."/ap*" = "/x"`, `"/api.php" is an address that the wiki`},
		"itself":          {`redirects."/x" = "/x"`, `it leads back to itself`},
		"below itself":    {`redirects."/wiki/*" = "/wiki/de/*"`, `it leads back to itself`},
		"in a circle":     {"redirects.\"/x\" = \"/y\"\nredirects.\"/y\" = \"https://x.example/x\"", `it leads back to itself`},

		"no slash":       {`script_path = "w"`, `tenants/x.toml:5:1: script_path: "w" is not a path`},
		"slash at end":   {`script_path = "/w/"`, `script_path: "/w/" is not a path`},
		"space in path":  {`script_path = "/my wiki"`, `is not a path without`},
		"regex in path":  {`script_path = "/w(.*)"`, `is not a path without`},
		"climbing":       {`script_path = "/w/../x"`, `is not a path without`},
		"no title":       {`article_path = "/wiki"`, `tenants/x.toml:5:1: article_path: "/wiki" is not a path of pages`},
		"title within":   {`article_path = "/wiki/$1/view"`, `is not a path of pages`},
		"other query":    {`article_path = "/w/index.php?title=$1"`, `is not a path of pages`},
		"files of code":  {`article_path = "/resources/$1"`, `holds files of MediaWiki`},
		"number as path": {`script_path = 5`, `script_path: is an integer, want a string`},
		"moved entry":    {"script_path = \"/w\"\nredirects.\"/w/*\" = \"/mw/*\"", `"/w/index.php" is an address that the wiki itself needs`},

		"a user without a pool": {`pool.user = "nobody"`, `tenants/x.toml:5:6: pool.user: wikis have no pools of their own`},
		"an endless queue":      {`pool.queue = 0`, `pool.queue: `},
		"a bare number":         {`limits.requests = "10"`, `tenants/x.toml:5:8: limits.requests: "10" is not a number of requests in a second or minute`},
		"a day":                 {`limits.requests = "10/d"`, `"10/d" is not a number of requests`},
		"a burst of nothing":    {`limits.burst = 10`, `limits.burst: has no meaning without requests`},
		"no connection":         {`limits.connections = 0`, `limits.connections: `},
		"another limit":         {`limits.bytes = 1`, `limits.bytes: is not a key`},

		"no host":    {`aliases = ["x.example/y"]`, `tenants/x.toml:5:12: aliases: "x.example/y" is not a host name`},
		"port":       {`aliases = ["y.example:8080"]`, `"y.example:8080" is not a host name`},
		"star":       {`aliases = ["*.x.example"]`, `"*.x.example" is not a host name`},
		"IPv6":       {`aliases = ["[2001:db8::1]"]`, `"[2001:db8::1]" is not a host name`},
		"bare IPv6":  {`aliases = ["2001:db8::1"]`, `"2001:db8::1" is not a host name`},
		"a scheme":   {`aliases = ["https://y.example"]`, `"https://y.example" is not a host name`},
		"its own":    {`aliases = ["X.example"]`, `"x.example" is named more than once`},
		"no aliases": {`aliases = "y.example"`, `aliases: is a string, want a list`},
	} {
		_, err := Load(writeFarm(t, webTenant(tc.rest)))
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %s", name, err, tc.want)
		}
	}
}

// A folder that is not there, or is not what it seems, blocks its tenant and no other.
func TestStaticFaults(t *testing.T) {
	for rest, want := range map[string]string{
		`static = "static/none"`: `can't be read: `,
		`static = "plain"`:       `is not a folder`,
		`static = "out"`:         `is a symbolic link to /, which is not below the farm's folder`,
		`static = "ours"`:        `which is wikictl's own`,
		`static = "linked"`:      "",
	} {
		files := webTenant(rest)
		files["tenants/y.toml"] = "name = \"y\"\nhosts = [\"y.example\"]\nsitename = \"Y\"\n"
		files["state/wikis/y/x"] = ""
		dir := writeFarm(t, files)
		for link, target := range map[string]string{"out": "/", "ours": "state/wikis", "linked": "static/x"} {
			if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
				t.Fatal(err)
			}
		}
		f, err := Load(dir)
		if err != nil {
			t.Fatal(err)
		}
		problems := ""
		for _, p := range f.Tenant("x").Faults {
			problems += p.String()
		}
		if (problems == "") != (want == "") || !strings.Contains(problems, want) || want != "" && !strings.HasPrefix(problems, "tenants/x.toml:5:1: static: ") || f.Tenant("y").Blocked() {
			t.Errorf("%s: %q, want %q; the other: %v", rest, problems, want, f.Tenant("y").Faults)
		}
	}
}

// Keys of https that have no effect, or that lock readers out, are refused.
func TestHTTPSRefuses(t *testing.T) {
	certificate := "certificate = \"/c/{host}.pem\"\ncertificate_key = \"/c/{host}.key\"\n"
	for lines, want := range map[string]string{
		`acme = "acme"`: `wikictl.toml:11:1: web.acme: "acme" is not an absolute path`,
		`acme = "/"`:    `web.acme: "/" is not an absolute path`,
		certificate + "listen = [\"8443 ssl\"]\nacme = \"/srv/acme\"": `web.acme: ACME requests come without TLS`,
		"url = \"http://{host}\"\nhsts = \"365d\"":                    `web.hsts: readers come by http://{host}`,
		`hsts = "1y"`:                                          `web.hsts: is not a number of days`,
		`hsts = -1`:                                            `web.hsts: is not a number of days`,
		`proxies = ["proxy.example.org"]`:                      `web.proxies: "proxy.example.org" is neither an address nor a network`,
		`proxies = ["10.0.0.1/8"]`:                             `"10.0.0.1/8" is neither an address nor a network`,
		`proxies = ["::/0"]`:                                   `"::/0" is every address`,
		`proxies = ["fe80::1%eth0"]`:                           `is neither an address`,
		`access_log = "x.log"`:                                 `web.access_log: "x.log" is not an absolute path of a file`,
		`access_log = "/srv/none/{name}.log"`:                  `the folder /srv/none does not exist`,
		`access_log = "/var/log/{name}/a.log"`:                 `the folder /var/log/{name} is not one for all wikis`,
		`access_log = "/var/log/../log/a.log"`:                 `is not an absolute path of a file`,
		"[defaults.pool]\nchildren = 0":                        `defaults.pool.children: 0 is too few or too many`,
		"[defaults.pool]\nmemory_limit = \"1\"":                `defaults.pool.memory_limit: 1 is too little`,
		"[defaults.pool]\ntimeout = \"5 min\"":                 `defaults.pool.timeout: is a string, want a number`,
		`http2 = true`:                                         `web.http2: browsers use HTTP/2 only over TLS`,
		"kind = \"apache\"\nfpm = \"unix:/srv/Wiki/fpm.sock\"": `web.fpm: Apache can't reach php-fpm by /srv/Wiki/fpm.sock`,
		"kind = \"apache\"\npools = true":                      `/run, because it makes capital letters small`, // of a folder that is named like the test
		`http2 = "maybe"`:                                      `web.http2: is a string, want true or false`,
	} {
		files := good()
		files["wikictl.toml"] = strings.Replace(files["wikictl.toml"], "[defaults]", "[web]\n"+lines+"\n[defaults]", 1)
		_, err := Load(writeFarm(t, files))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", lines, err, want)
		}
	}
}

// Bounds of requests, and a user of the wiki's own, are merged and shown, and what the farm
// can't have is refused.
func TestBounds(t *testing.T) {
	farm := farmToml + "[web]\npools = true\nuser = \"www-data\"\n"
	files := webTenant("pool.user = \"nobody\"\nlimits.burst = 9\nlimits.requests = \"5/m\"\n")
	files["wikictl.toml"] = farm
	files["classes/c.toml"] = "[limits]\nrequests = \"10/s\"\nconnections = 4\n[pool]\nqueue = 8\n"
	f, err := Load(writeFarm(t, files))
	if err != nil {
		t.Fatal(err)
	}
	x := f.Tenants[0]
	if want := (tenants.Limits{Requests: "5/m", Burst: 9, Connections: 4}); x.Limits != want || x.Pool != (tenants.Pool{User: "nobody", Queue: 8}) || x.Blocked() {
		t.Errorf("%+v %+v %v", x.Limits, x.Pool, x.Faults)
	}
	for _, line := range []string{`pool.user = "nobody" # tenants/x.toml:5:6`, `limits.requests = "5/m"`, "limits.connections = 4", "pool.queue = 8"} {
		if !strings.Contains(Show(x, true), line) {
			t.Errorf("it lacks %s:\n%s", line, Show(x, true))
		}
	}
	for name, tc := range map[string]struct{ farm, rest, want string }{
		"Apache":         {"kind = \"apache\"\n", "limits.total = 9\n", "tenants/x.toml:5:8: limits.total: Apache can't limit requests"},
		"Apache's queue": {"kind = \"apache\"\n", "pool.queue = 9\n", "tenants/x.toml:5:6: pool.queue: Apache would retry refused requests"},
		"root":           {"", "pool.user = \"root\"\n", `"root" is not a user to run PHP as`},
		"two lines":      {"", "pool.user = \"a\\nb\"\n", "control character"},
	} {
		files := webTenant(tc.rest)
		files["wikictl.toml"] = strings.Replace(farm, "[web]\n", "[web]\n"+tc.farm, 1)
		if _, err := Load(writeFarm(t, files)); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %s", name, err, tc.want)
		}
	}
	files["tenants/x.toml"] = strings.Replace(files["tenants/x.toml"], "nobody", "no-such-user-here", 1)
	if f, err = Load(writeFarm(t, files)); err != nil || !f.Tenants[0].Blocked() || !strings.Contains(f.Tenants[0].Faults[0].String(), `tenants/x.toml:5:6: pool.user: this machine has no user "no-such-user-here"`) {
		t.Errorf("a user that is not there: %v %v", err, f.Tenants[0].Faults)
	}
	files["wikictl.toml"] = strings.Replace(farm, "user = \"www-data\"\n", "", 1)
	if _, err := Load(writeFarm(t, files)); err == nil || !strings.Contains(err.Error(), "pool.user: the web server has no user") {
		t.Errorf("no user of the farm: %v", err)
	}
}

// Keys that one virtual host for all wikis can't have are refused with their places.
func TestMapRefuses(t *testing.T) {
	for name, tc := range map[string]struct{ web, class, rest, want string }{
		"another word":       {"vhosts = \"one\"\n", "", "", `wikictl.toml:18:1: web.vhosts: "one" is none of files, map`},
		"Apache":             {"vhosts = \"map\"\nkind = \"apache\"\n", "", "", `wikictl.toml:18:1: web.vhosts: Apache's virtual hosts can't depend on a map`},
		"certificates":       {"vhosts = \"map\"\ncertificate = \"/x/{host}.pem\"\n", "", "", `wikictl.toml:19:1: web.certificate: "/x/{host}.pem" is not the same for all wikis`},
		"logs":               {"vhosts = \"map\"\naccess_log = \"/tmp/{name}.log\"\n", "", "", `wikictl.toml:19:1: web.access_log: "/tmp/{name}.log" is not the same`},
		"own script path":    {"vhosts = \"map\"\n", "", "script_path = \"/w\"\n", `tenants/x.toml:5:1: script_path: wikis can't differ in it`},
		"class's pages":      {"vhosts = \"map\"\n", "article_path = \"/$1\"\n", "", `classes/c.toml:2:1: article_path: wikis can't differ in it`},
		"own redirects":      {"vhosts = \"map\"\n", "", "redirects.\"/a\" = \"/b\"\n", `tenants/x.toml:5:1: redirects: wikis can't differ in it`},
		"own limits":         {"vhosts = \"map\"\n", "", "limits.total = 5\n", `tenants/x.toml:5:1: limits: wikis can't differ in it`},
		"too many folders":   {"vhosts = \"map\"\n", "", "static = [\"static/x\", \"static/c\", \"static/inner\", \"static/inner/more\", \"static\"]\n", `static: a wiki has at most 4 folders`},
		"nothing (files)":    {"vhosts = \"files\"\n", "", "script_path = \"/w\"\n", ""},
		"nothing (defaults)": {"vhosts = \"map\"\n", "", "", ""},
	} {
		files := webTenant(tc.rest)
		files["classes/c.toml"] = "language = \"en\"\n" + tc.class
		files["wikictl.toml"] = farmToml + "[web]\n" + tc.web
		f, err := Load(writeFarm(t, files))
		if tc.want == "" {
			if err != nil || f.Layout().Map != strings.Contains(tc.web, "map") {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %s", name, err, tc.want)
		}
	}
}
