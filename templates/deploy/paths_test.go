package deploy

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wikictl/templates"
	"wikictl/tenants"
	"wikictl/tenants/definitions"
)

// pathRequests are answered by wikis below paths of one host: two with all at their path,
// one of them private, one with entry points and pages of its own below it, one with pages
// right at it, and one at the root.
var pathRequests = []request{
	// Each wiki at its own path, and nothing of it elsewhere.
	{"one.test", "/en", 200, "text/html", "ran index.php for /en of english"},
	{"one.test", "/en/", 200, "text/html", "ran index.php for /en/ of english"},
	{"one.test", "/en/wiki/Main_Page", 200, "text/html", "ran index.php for /en/wiki/Main_Page of english"},
	{"one.test", "/en/wiki/C%2B%2B/%C3%A4%26b", 200, "text/html", "ran index.php for /en/wiki/C%2B%2B/%C3%A4%26b of english"},
	{"one.test", "/en/wiki", 200, "text/html", "of english"},
	{"one.test", "/en/index.php?title=X", 200, "text/html", "ran index.php for /en/index.php?title=X of english"},
	{"one.test", "/en/api.php", 200, "text/html", "ran api.php for /en/api.php of english"},
	{"one.test", "POST /en/api.php", 200, "text/html", "ran api.php"},
	{"one.test", "/en/rest.php/v1/page/X", 200, "text/html", "ran rest.php"},
	{"one.test", "/de/wiki/Main_Page", 200, "text/html", "ran index.php for /de/wiki/Main_Page of german"},
	{"one.test", "/de/load.php?modules=x", 200, "text/html", "ran load.php"},
	{"two.test", "/de/wiki/Main_Page", 200, "text/html", "of german"},
	{"ONE.TEST", "/en/wiki/Main_Page", 200, "text/html", "of english"},
	{"one.test", "/english/wiki/Main_Page", 404, "", ""},
	{"one.test", "/EN/wiki/Main_Page", 404, "", ""},
	{"one.test", "/enx", 404, "", ""},
	{"one.test", "/en/nothing", 404, "", ""},
	{"one.test", "/en/edit/A", 200, "text/html", "ran index.php for /en/edit/A of english"},
	{"one.test", "/edit/A", 404, "", ""},
	{"one.test", "/history/A", 404, "", ""},
	{"one.test", "/en/x/wiki/Main_Page", 404, "", ""},
	{"one.test", "/en//wiki/Main_Page", 200, "text/html", "of english"},
	{"one.test", "/en/../de/wiki/Main_Page", 200, "text/html", "of german"},
	{"one.test", "/en/%2e%2e/wiki/Main_Page", 200, "text/html", "of root"},
	{"one.test", "/en/wiki/A..%2fB", 200, "text/html", "ran index.php for /en/wiki/A..%2fB of english"},
	{"one.test", "/en/wiki/A%2f..%2fB", 400, "", ""},
	{"one.test", "/en/..%2fde/wiki/Main_Page", 400, "", ""},
	{"one.test", "/en/..%2f..%2fsecret.txt", 400, "", ""},
	{"one.test", "/en/../../secret.txt", 400, "", ""},
	{"one.test.evil.test", "/en/", 404, "", ""},

	// Entry points and pages below a path.
	{"one.test", "/fr/w/api.php", 200, "text/html", "ran api.php for /fr/w/api.php of french"},
	{"one.test", "/fr/api.php", 200, "text/html", "ran api.php for /fr/api.php of french"},
	{"one.test", "/fr/rest.php/v1", 404, "", ""},
	{"one.test", "/fr/a/Page", 200, "text/html", "ran index.php for /fr/a/Page of french"},
	{"one.test", "/fr/wiki/Page", 404, "", ""},
	{"one.test", "/fr/w/skins/Plain/plain.css", 200, "text/css", "plain"},
	{"one.test", "/fr/w/images/a/ab/Good.png", 200, "image/png", "good"},
	{"one.test", "/fr/w/maintenance/update.php", 404, "", ""},
	{"one.test", "/fr/", 200, "text/html", "of french"},
	{"one.test", "/fr/w", 200, "text/html", "of french"},

	// Pages right at a path.
	{"one.test", "/pages/Main_Page", 200, "text/html", "ran index.php for /pages/Main_Page of pages"},
	{"one.test", "/pages/No.txt", 200, "text/html", "ran index.php for /pages/No.txt of pages"},
	{"one.test", "/pages/robots.txt", 200, "text/plain", "robots of pages"},
	{"one.test", "/pages/w/index.php", 200, "text/html", "of pages"},
	{"one.test", "/pages/w/nothing", 404, "", ""},

	// The wiki at the root has what is left.
	{"one.test", "/", 200, "text/html", "ran index.php for / of root"},
	{"one.test", "/wiki/Main_Page", 200, "text/html", "of root"},
	{"one.test", "/api.php", 200, "text/html", "ran api.php for /api.php of root"},
	{"one.test", "/robots.txt", 200, "text/plain", "robots of root"},
	{"one.test", "/.well-known/security.txt", 200, "text/plain", "contact of root"},
	{"one.test", "/images/a/ab/Good.png", 200, "image/png", "good"},
	{"one.test", "/nothing", 404, "", ""},

	// Files of one wiki are not another's.
	{"one.test", "/en/skins/Plain/plain.css", 200, "text/css", "plain"},
	{"one.test", "/en/skins/Plain/evil.php", 404, "", ""},
	{"one.test", "/en/includes/Defines.php", 404, "", ""},
	{"one.test", "/en/LocalSettings.php", 404, "", ""},
	{"one.test", "/en/images/a/ab/Good.png", 200, "image/png", "good"},
	{"one.test", "/en/images/a/ab/Evil.php", 200, "application/octet-stream", "<?php"},
	{"one.test", "/en/images/..%2f..%2fgerman/images/a/ab/Secret.png", 404, "", ""},
	{"one.test", "/en/images/../../de/images/a/ab/Secret.png", 404, "", ""},
	{"one.test", "/en/images/thumb/a/ab/None.png/1px-None.png", 200, "text/html", "ran thumb_handler.php for /en/images/thumb/a/ab/None.png/1px-None.png of english"},
	{"one.test", "/en/images/thumb/a/ab/Good.png/1px-Good.png", 200, "image/png", "small"},
	{"one.test", "/de/images/a/ab/Secret.png", 404, "", ""},
	{"one.test", "/de/images/thumb/a/ab/Secret.png/1px-Secret.png", 404, "", ""},
	{"one.test", "/de/img_auth.php/a/ab/Secret.png", 200, "text/html", "ran img_auth.php"},
	{"one.test", "/en/robots.txt", 200, "text/plain", "robots of english"},
	{"one.test", "/en/with%20space%20%26%C3%A4.txt", 200, "text/plain", "odd name"},
	{"one.test", "/en/evil.php", 404, "", ""},
	{"one.test", "/en/.env.txt", 404, "", ""},
	{"one.test", "/de/robots.txt", 404, "", ""},
	{"one.test", "POST /en/robots.txt", 405, "", ""},

	// Redirects, aliases, limits of uploads, and what a cache is told.
	{"one.test", "/en/about?x=1", 301, "", "http://one.test:PORT/en/wiki/About?x=1"},
	{"one.test", "/en/old/A/b", 301, "", "http://one.test:PORT/en/A/b"},
	{"one.test", "/about", 404, "", ""},
	{"one.test", "/de/about", 404, "", ""},
	{"www.one.test", "/de/wiki/A%3Fb?x=1", 301, "", "http://one.test:PORT/de/wiki/A%3Fb?x=1"},
	{"one.test", "/de/wiki/Limits", 200, "text/html", "of german limits 1348576/1348576 from"},
	{"one.test", "/en/wiki/Limits", 200, "text/html", "of english limits 105906176/105906176 from"},
	{"one.test", "PURGE /en/about", 405, "", ""},
	{"one.test", "PURGE /de/wiki/X", 405, "", ""},
	// A wiki of another host is as it is without the others.
	{"own.test", "/wiki/Main_Page", 200, "text/html", "ran index.php for /wiki/Main_Page of own"},
	{"own.test", "/en/wiki/Main_Page", 404, "", ""},
}

func pathFiles(kind string) map[string]string {
	files := map[string]string{
		"static/english/robots.txt": "robots of english", "static/english/evil.php": "<?php echo 'ran';", "static/english/.env.txt": "a secret", "static/english/with space &ä.txt": "odd name",
		"static/root/robots.txt": "robots of root", "static/root/.well-known/security.txt": "contact of root", "static/pages/robots.txt": "robots of pages",
		"classes/common.toml": "none",
	}
	for _, name := range []string{"alpha", "beta", "gamma", "delta", "root", "closed", "long"} {
		files["tenants/"+name+".toml"] = "none"
	}
	for name, text := range map[string]string{
		"english": "path = \"/en\"\nstatic = \"static/english\"\nredirects.\"/about\" = \"/wiki/About\"\nredirects.\"/old/*\" = \"/*\"\nsettings.wgActionPaths = { edit = \"/en/edit/$1\", history = \"/history/$1\" }\n",
		"german":  "path = \"/de\"\nLIMITSsettings.wgMaxUploadSize = 300000\nsettings.wgMaxArticleSize = 90\nsettings.wgGroupPermissions.\"*\".read = false\n",
		"french":  "path = \"/fr\"\nscript_path = \"/w\"\narticle_path = \"/a/$1\"\n",
		"pages":   "path = \"/pages\"\nscript_path = \"/w\"\narticle_path = \"/$1\"\nstatic = \"static/pages\"\n",
		"root":    "path = \"/\"\nstatic = \"static/root\"\n",
	} {
		files["tenants/"+name+".toml"] = "name = \"" + name + "\"\nsitename = \"X\"\nhosts = [\"one.test\", \"two.test\"]\naliases = [\"www.one.test\"]\n" + text
	}
	limits := map[string]string{"nginx": "limits.connections = 3\n"}[kind] // Apache has none
	files["tenants/german.toml"] = strings.Replace(files["tenants/german.toml"], "LIMITS", limits, 1)
	files["tenants/own.toml"] = "name = \"own\"\nsitename = \"Own\"\nhosts = [\"own.test\"]\n"
	files["wikictl.toml"] = strings.Replace(echoFiles()["wikictl.toml"], "{name}", "{host}", 1)
	return files
}

func TestPathsNginx(t *testing.T)  { testPaths(t, "nginx") }
func TestPathsApache(t *testing.T) { testPaths(t, "apache") }

// testPaths asks a web server everything in the table, with a common pool and with one of
// each tenant's own, and then what one wiki's trouble does to the others of its host.
func testPaths(t *testing.T, kind string) {
	t.Parallel()
	for _, pools := range []bool{false, true} {
		t.Run(fmt.Sprintf("pools=%t", pools), func(t *testing.T) {
			s := newEcho(t, kind, pools, pathFiles(kind))
			s.serve(t, kind)
			for tenant, files := range map[string]string{"english": "Good.png Evil.php", "french": "Good.png", "root": "Good.png", "german": "Secret.png"} {
				for _, name := range strings.Fields(files) {
					s.upload(t, tenant, "a/ab/"+name, map[string]string{"Good.png": "good", "Evil.php": "<?php echo 'ran';", "Secret.png": "a secret"}[name])
				}
			}
			s.upload(t, "english", "thumb/a/ab/Good.png/1px-Good.png", "small")
			s.upload(t, "german", "thumb/a/ab/Secret.png/1px-Secret.png", "a secret")
			for _, r := range pathRequests {
				s.check(t, r)
			}
			for path, status := range map[string]int{"/de/api.php": 413, "/en/api.php": 200, "/api.php": 200} {
				if a := s.do(http.MethodPost, "one.test", path, strings.NewReader(strings.Repeat("a", 2<<20))); a.status != status {
					t.Errorf("2 MiB to %s: %d, want %d", path, a.status, status)
				}
			}
			s.testNeighbours(t)
			s.logIfFailed(t)
		})
	}
}

// testNeighbours closes one wiki, takes one out, and removes one: the others of the host
// answer as before.
func (s *stand) testNeighbours(t *testing.T) {
	t.Helper()
	l := s.farm.Layout()
	for _, name := range []string{"english", "root"} {
		must(t, os.WriteFile(l.Maintenance(name), []byte("closed for a moment: "+name), 0o644))
		for _, r := range []request{
			{"one.test", "/en/wiki/X", 200, "text/html", "of english"}, {"one.test", "/en/api.php", 200, "text/html", "ran api.php"},
			{"one.test", "/en/images/thumb/a/ab/None.png/1px-None.png", 200, "text/html", "of english"},
			{"one.test", "/de/wiki/X", 200, "text/html", "of german"}, {"one.test", "/wiki/X", 200, "text/html", "of root"},
			{"one.test", "/pages/X", 200, "text/html", "of pages"}, {"one.test", "/en/robots.txt", 200, "text/plain", "robots of english"},
		} {
			if (name == "english") == strings.HasPrefix(r.path, "/en/") && name != "root" && r.kind == "text/html" || name == "root" && r.path == "/wiki/X" {
				r.status, r.want = 503, "closed for a moment: "+name
			}
			a := s.get(r.host, r.path)
			if a.status != r.status || !strings.Contains(a.body, r.want) || (a.header.Get("Retry-After") != "") != (r.status == 503) {
				t.Errorf("%s closed: %s: %d %.100s, want %d %s", name, r.path, a.status, a.body, r.status, r.want)
			}
		}
		must(t, os.Remove(l.Maintenance(name)))
	}
	before := tree(t, l.Vhosts())
	if applied := s.apply(); len(applied.Outcomes) > 0 || applied.Reloaded || tree(t, l.Vhosts()) != before {
		t.Errorf("applied again: %+v", applied)
	}
	s.testRemovedNeighbour(t)
}

// testRemovedNeighbour removes the wikis of the host one after the other.
func (s *stand) testRemovedNeighbour(t *testing.T) {
	t.Helper()
	l, hosts := s.farm.Layout(), s.farm.Tenant("german").Hosts
	must(t, os.Remove(filepath.Join(s.dir, "tenants/german.toml")))
	farm, err := definitions.Load(s.dir)
	must(t, err)
	s.testUndefinedNeighbour(t, farm)
	text, err := s.set.Hosts(farm, nil, []templates.Gone{{Name: "german", Path: "/de", All: hosts}})
	must(t, err)
	if !strings.Contains(string(text), "(?![^/])") || strings.Contains(string(text), "german") {
		t.Errorf("without german:\n%s", text)
	}
	s.farm, s.gone = farm, []templates.Gone{{Name: "german", Path: "/de", All: hosts}}
	source := s.source()
	source.Hosts, source.Gone = text, []string{"german"}
	if applied, err := s.d.Apply(t.Context(), source); err != nil || len(applied.Outcomes) != 0 || Exists(l.Vhost("german")) {
		t.Errorf("removed: %+v %v", applied, err)
	}
	if Exists(l.HostsVhost()) == (len(farm.Parts) == 0) {
		t.Error("the file of the host is not as the farm is")
	}
}

// testUndefinedNeighbour brings the host in line with files that do not define german any
// more: it is served until it is removed, unless another has its path.
func (s *stand) testUndefinedNeighbour(t *testing.T, farm *tenants.Farm) {
	t.Helper()
	d, err := New(farm.Layout(), farm.Web)
	must(t, err)
	undefined, err := d.Undefined()
	if err != nil || len(undefined) != 1 || undefined[0].Name != "german" || undefined[0].Path != "/de" || undefined[0].Limits != s.farm.Tenant("german").Limits {
		t.Fatalf("undefined are %+v %v", undefined, err)
	}
	text, err := s.set.Hosts(farm, undefined, nil)
	must(t, err)
	if applied, err := d.Apply(t.Context(), Source{Hosts: text}); err != nil || !applied.Reloaded {
		t.Errorf("undefined: %+v %v", applied, err)
	}
	for path, want := range map[string]string{"/de/wiki/Main_Page": "of german", "/en/wiki/Main_Page": "of english", "/wiki/Main_Page": "of root"} {
		if a := s.get("one.test", path); a.status != 200 || !strings.Contains(a.body, want) {
			t.Errorf("undefined: %s: %d %.100s", path, a.status, a.body)
		}
	}
	for _, path := range []string{"/de", "/de/below", ""} {
		other := *farm.Tenant("english")
		other.Path = path
		with := *farm
		with.Tenants = []*tenants.Tenant{&other}
		if text, err = s.set.Hosts(&with, undefined, nil); err != nil || strings.Contains(string(text), "/german.ma") != (path == "") {
			t.Errorf("undefined, with another at %q: %v\n%s", path, err, text)
		}
	}
}
