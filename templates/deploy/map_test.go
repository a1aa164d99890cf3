package deploy

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"wikictl/tenants"
)

// mapFarm is an echo by a map of host names, with the tenants that are alike in what wikis
// can't differ in then: defaults say that. Each rule is the same as in a file of its own.
func mapFarm(defaults string, names ...string) map[string]string {
	files := echoFiles()
	more := map[string]string{}
	for name, text := range files {
		if tenant, is := strings.CutPrefix(name, "tenants/"); is && !slices.Contains(names, strings.TrimSuffix(tenant, ".toml")) {
			more[name] = "none"
			continue
		}
		if before, redirects, has := strings.Cut(text, "[redirects]\n"); has {
			text, more[name] = before, before
			if name == "tenants/alpha.toml" {
				defaults += "[defaults.redirects]\n" + redirects
			}
		}
		if strings.HasPrefix(name, "tenants/") {
			lines := slices.DeleteFunc(strings.SplitAfter(text, "\n"), func(line string) bool { return strings.Contains(line, "_path = ") })
			more[name] = strings.Join(lines, "")
		}
	}
	farm := strings.Replace(files["wikictl.toml"], "logs/{name}.log", "logs/all.log", 1)
	more["wikictl.toml"] = strings.Replace(farm, "[web]\n", "[web]\nvhosts = \"map\"\n", 1) + defaults
	return more
}

// TestRequestsMap asks for all lines of the table that a map can have: those of wikis at the
// root by TLS, with a common pool, and the others without, each with a pool of its own.
func TestRequestsMap(t *testing.T) {
	const limits = "[defaults.limits]\nrequests = \"1/m\"\nburst = 3\n"
	for name, tc := range map[string]struct {
		pools bool
		files map[string]string
		hosts []string
	}{
		"at the root": {false, mapFarm(limits, "alpha", "beta", "gamma"), []string{"alpha.test", "ALPHA.TEST", "alpha.test.", "other.alpha.test", "www.alpha.test", "WWW.alpha.test", "beta.test", "gamma.test", "unknown.test", "127.0.0.1", "[::1]", "alpha.test.evil.test"}},
		"below /w":    {true, mapFarm("script_path = \"/w\"\n", "delta", "closed"), []string{"delta.test"}},
		"root pages":  {true, mapFarm("script_path = \"/w\"\narticle_path = \"/$1\"\n", "root", "closed"), []string{"root.test", "closed.test"}},
	} {
		t.Run(name, func(t *testing.T) {
			plain := 0
			if !tc.pools {
				plain = byTLS(t, tc.files, "all", "all")
			}
			s := newEcho(t, "nginx", tc.pools, tc.files)
			s.tls = plain > 0
			s.serve(t, "nginx")
			s.uploads(t)
			asked := 0
			for _, r := range requests {
				own := r.status != 301 || !strings.Contains(r.want, "/wiki/Info") // of a class, which can't have redirects
				own = own && (r.host != "delta.test" || r.status != 200 || !further.MatchString(r.path))
				if slices.Contains(tc.hosts, r.host) && own && !strings.HasPrefix(r.path, "/mw/x") {
					s.check(t, r)
					asked++
				}
			}
			if asked < 10 {
				t.Errorf("%d requests", asked)
			}
			if s.tls {
				s.testMapByTLS(t, tc.hosts, plain)
				s.testRate(t, "gamma.test", "alpha.test")
				s.testNotMade(t)
			}
			s.logIfFailed(t)
		})
	}
}

// further matches pages that have addresses by settings, which a map does not know.
var further = regexp.MustCompile(`^/(edit|w/raw|en-x-piglatin)/`)

// testMapByTLS asks a map for the lines of the table with TLS: it has one certificate for all.
func (s *stand) testMapByTLS(t *testing.T, hosts []string, plain int) {
	t.Helper()
	for _, r := range securedRequests {
		if slices.Contains(hosts, r.host) && r.host != "gamma.test" && r.status != 0 {
			s.checkSecured(t, r, plain)
		}
	}
	for _, r := range []secured{
		{"https", "gamma.test", "/wiki/Limits", 200, "of gamma limits 1348576/1348576 from"},
		{"http", "gamma.test", "/wiki/X", 301, "https://gamma.test:PORT/wiki/X"},
		{"https", "unknown.test", "/wiki/X", 404, ""},
		{"https", "unknown.test", "/.well-known/acme-challenge/Tok-en_1", 200, "an answer"},
		{"https", "unknown.test", "/.well-known/acme-challenge/evil.php", 404, ""},
		{"https", "beta.test", "/images/.well-known/acme-challenge/Tok-en_1", 404, ""},
	} {
		s.checkSecured(t, r, plain)
	}
}

// testNotMade wants 404 from a wiki that the map has, and that is not served.
func (s *stand) testNotMade(t *testing.T) {
	t.Helper()
	if err := os.Remove(s.farm.Layout().Current("gamma")); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/", "/api.php", "/robots.txt", "/images/a/ab/Good.png"} {
		s.check(t, request{"gamma.test", path, 404, "", ""})
	}
}

// A farm that begins to serve by a map, or ends it, has no host served in both ways; what the
// web server refuses is put back.
func TestMapComesAndGoes(t *testing.T) {
	d := deployer(t, "", "")
	apply(t, d, wanted("a", "one"), wanted("b", "one"))
	before := tree(t, d.layout.Vhosts())
	by := func(isMap bool, check string) *Deployer {
		web := tenants.Web{Kind: "nginx", Map: isMap, Check: []string{"sh", "-c", check}}
		other, err := New(tenants.Layout{State: d.layout.State, Map: isMap}, web)
		if err != nil {
			t.Fatal(err)
		}
		return other
	}
	if _, err := by(true, "exit 1").Apply(t.Context(), Of(wanted("a", "two"), wanted("b", "two"))); err == nil {
		t.Error("a refusal is none")
	}
	if after := tree(t, d.layout.Vhosts()); after != before {
		t.Errorf("it was not put back:\n%s\nwant\n%s", after, before)
	}
	m := by(true, "true")
	apply(t, m, wanted("a", "two"), wanted("b", "two"))
	if names, _ := filepath.Glob(filepath.Join(d.layout.Vhosts(), "*.*")); len(names) != 2 || filepath.Base(names[0]) != "a.map" {
		t.Errorf("by a map there are %v", names)
	}
	if applied := apply(t, m, wanted("a", "two"), wanted("b", "two")); len(applied.Outcomes) != 0 {
		t.Errorf("again: %+v", applied)
	}
	// A rollback goes to a release of before, whose virtual host is no entry of a map.
	if err := m.Switch(t.Context(), "a", 1); err != nil {
		t.Fatal(err)
	}
	if got := read(t, m.layout.Vhost("a")); got != "# two\n" {
		t.Errorf("a release of before brings %q", got)
	}
	if i, err := m.InspectFarm(map[string]bool{"a": true}); err != nil || len(i.Strays) < 1 || i.Strays[0].Path != m.layout.Vhost("b") {
		t.Errorf("an entry of no tenant: %+v %v", i, err)
	}
	apply(t, by(false, "true"), wanted("a", "three"), wanted("b", "three"))
	if names, _ := filepath.Glob(filepath.Join(d.layout.Vhosts(), "*.*")); len(names) != 2 || filepath.Base(names[0]) != "a.conf" {
		t.Errorf("without a map there are %v", names)
	}
}
