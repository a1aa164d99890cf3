package deploy

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"wikictl/cmd/testbed/needs"
)

// request is one line of the table of requests: what a web server has to answer.
type request struct {
	host, path string // a method other than GET stands before the path
	status     int
	kind       string // Content-Type without parameters; empty: any
	want       string // in the body, or the Location where it is a redirect
}

// requests are answered in the same way by each web server, with pools and without.
var requests = []request{
	// Pages and entry points.
	{"alpha.test", "/", 200, "text/html", "ran index.php for / of alpha"},
	{"alpha.test", "/wiki/Main_Page", 200, "text/html", "ran index.php for /wiki/Main_Page of alpha"},
	{"alpha.test", "/wiki/C%2B%2B/%C3%A4%26b", 200, "text/html", "ran index.php for /wiki/C%2B%2B/%C3%A4%26b of"},
	{"alpha.test", "/wiki/robots.txt", 200, "text/html", "ran index.php"},
	// An encoded slash is a slash of a title; . and .. between slashes are in none.
	{"alpha.test", "/wiki/A%2FB", 200, "text/html", "ran index.php for /wiki/A%2FB of alpha"},
	{"alpha.test", "/wiki/A..%2fB", 200, "text/html", "ran index.php for /wiki/A..%2fB of alpha"},
	{"alpha.test", "/wiki/A%2f..B", 200, "text/html", "ran index.php for /wiki/A%2f..B of alpha"},
	{"alpha.test", "/wiki/A%2f...%2fB", 200, "text/html", "ran index.php for /wiki/A%2f...%2fB of alpha"},
	{"alpha.test", "/wiki/A%252f..%252fB", 200, "text/html", "ran index.php for /wiki/A%252f..%252fB of alpha"},
	{"alpha.test", "/wiki/A?x=%2f..%2f", 200, "text/html", "ran index.php for /wiki/A?x=%2f..%2f of alpha"},
	{"alpha.test", "/wiki/..%2fB", 400, "", ""},
	{"alpha.test", "/wiki/A%2F..%2FB", 400, "", ""},
	{"alpha.test", "/wiki/A%2f%2e%2E", 400, "", ""},
	{"alpha.test", "/wiki/A%2f../B", 400, "", ""},
	{"alpha.test", "/wiki/A%2f.?x=1", 400, "", ""},
	{"alpha.test", "/wiki/.%2fB", 400, "", ""},
	{"alpha.test", "/wiki/..%2f..%2f..%2fB", 400, "", ""},
	{"alpha.test", "/wiki/X%2f..%2f..%2frobots.txt", 400, "", ""},
	{"alpha.test", "/wiki/X%2f..%2f..%2findex.php", 400, "", ""},
	{"alpha.test", "/index.php/..%2fB", 400, "", ""},
	{"alpha.test", "/index.php?title=X", 200, "text/html", "ran index.php"},
	{"alpha.test", "/index.php/X", 200, "text/html", "ran index.php"},
	{"alpha.test", "/api.php", 200, "text/html", "ran api.php"},
	{"alpha.test", "POST /api.php", 200, "text/html", "ran api.php"},
	{"alpha.test", "/load.php?modules=x", 200, "text/html", "ran load.php"},
	{"alpha.test", "/rest.php/v1/page/X", 200, "text/html", "ran rest.php"},
	{"beta.test", "/wiki/Main_Page", 200, "text/html", "of beta"},
	{"ALPHA.TEST", "/wiki/Main_Page", 200, "text/html", "of alpha"},
	{"alpha.test.", "/wiki/Main_Page", 200, "text/html", "of alpha"},

	// Limits, and what a cache in front is told.
	{"alpha.test", "/wiki/Limits", 200, "text/html", "ran index.php for /wiki/Limits of alpha limits 105906176/105906176 from 127.0.0.1."},
	{"gamma.test", "/wiki/Limits", 200, "text/html", "ran index.php for /wiki/Limits of gamma limits 1348576/1348576 from"},
	{"alpha.test", "PURGE /wiki/Main_Page", 405, "", ""},
	{"alpha.test", "PURGE /robots.txt", 405, "", ""},

	// Files are for reading; PHP is asked by any method but TRACE.
	{"alpha.test", "POST /images/a/ab/Good.png", 405, "", ""},
	{"alpha.test", "PUT /images/a/ab/Good.png", 405, "", ""},
	{"alpha.test", "DELETE /images/a/ab/Good.png", 405, "", ""},
	{"alpha.test", "OPTIONS /images/a/ab/Good.png", 405, "", ""},
	{"delta.test", "POST /w/images/thumb/a/ab/Good.png/1px-Good.png", 405, "", ""},
	{"alpha.test", "POST /skins/Plain/plain.css", 405, "", ""},
	{"alpha.test", "OPTIONS /skins/Plain/plain.css", 405, "", ""},
	{"alpha.test", "OPTIONS /robots.txt", 405, "", ""},
	{"alpha.test", "OPTIONS /wiki/X", 200, "text/html", "ran index.php"},
	{"alpha.test", "PUT /api.php", 200, "text/html", "ran api.php"},
	{"alpha.test", "TRACE /wiki/X", 405, "", ""},
	{"alpha.test", "HEAD /wiki/X", 200, "text/html", ""},
	{"alpha.test", "HEAD /robots.txt", 200, "text/plain", ""},
	{"alpha.test", "HEAD /about", 301, "", "SERVER/wiki/About"},
	{"delta.test", "HEAD /w/images/a/ab/Good.png", 200, "image/png", ""},
	{"delta.test", "HEAD /w/images/thumb/a/ab/None.png/1px-None.png", 200, "text/html", ""},

	// Names of no wiki.
	{"unknown.test", "/wiki/Main_Page", 404, "", ""},
	{"unknown.test", "/robots.txt", 404, "", ""},
	{"127.0.0.1", "/", 404, "", ""},
	{"[::1]", "/wiki/Main_Page", 404, "", ""},
	{"alpha.test.evil.test", "/", 404, "", ""},

	// Static files: the tenant's own, the class's, and of both the tenant's.
	{"alpha.test", "/robots.txt", 200, "text/plain", "alpha's robots"},
	{"beta.test", "/robots.txt", 200, "text/plain", "everybody's robots"},
	{"alpha.test", "/favicon.ico", 200, "image/x-icon", "everybody's icon"},
	{"alpha.test", "/logo.svg", 200, "image/svg+xml", "alpha's logo"},
	{"alpha.test", "/sitemap/index.xml", 200, "text/xml", "alpha's sitemap"},
	{"alpha.test", "/sitemap/pages.xml.gz", 200, "application/gzip", "alpha's pages"},
	{"alpha.test", "/sitemap/look.xsl", 200, "application/xslt+xml", "alpha's style"},
	{"alpha.test", "/LOGO.PNG", 200, "image/png", "alpha's old logo"},
	{"alpha.test", "/READ.TXT", 200, "text/plain", "alpha's text"},
	{"alpha.test", "/EVIL.PHP", 404, "", ""},
	{"alpha.test", "/google123.html", 200, "text/html", "google-site-verification"},
	{"alpha.test", "/with%20space%20%26%C3%A4.txt", 200, "text/plain", "alpha's odd name"},
	{"alpha.test", "/.well-known/security.txt", 200, "text/plain", "alpha's contact"},
	{"alpha.test", "/.well-known/matrix/client", 200, "application/json", "alpha's matrix"},
	{"alpha.test", "/no-such.txt", 404, "", ""},
	{"alpha.test", "/sitemap/", 404, "", ""},
	{"alpha.test", "/sitemap", 404, "", ""},
	{"alpha.test", "POST /robots.txt", 405, "", ""},
	{"gamma.test", "/robots.txt", 404, "", ""},
	{"gamma.test", "/favicon.ico", 404, "", ""},
	// The logo of a private wiki is for everybody, its uploads are not.
	{"beta.test", "/logo.png", 200, "image/png", "beta's logo"},
	{"beta.test", "/images/a/ab/Secret.png", 404, "", ""},
	{"beta.test", "/img_auth.php/a/ab/Secret.png", 200, "text/html", "ran img_auth.php"},

	// Files in such a folder may be sent, but are never run.
	{"alpha.test", "/evil.php", 404, "", ""},
	{"alpha.test", "/evil.phtml", 404, "", ""},
	{"alpha.test", "/evil.php/robots.txt", 404, "", ""},
	{"alpha.test", "/evil.php.txt", 200, "text/plain", "<?php"},
	{"alpha.test", "/settings.toml", 404, "", ""},
	{"alpha.test", "/.env.txt", 404, "", ""},
	{"alpha.test", "/.git/config.txt", 404, "", ""},
	{"alpha.test", "/.well-known/.hidden.txt", 404, "", ""},
	{"alpha.test", "/.htaccess", 404, "", ""},
	{"alpha.test", "/..%2f..%2ftenants/beta.txt", 404, "", ""},
	{"alpha.test", "/sitemap/..%2f..%2f..%2fsecret.txt", 404, "", ""},
	{"alpha.test", "/sitemap/../../../secret.txt", 400, "", ""},
	{"alpha.test", "/%2e%2e/secret.txt", 400, "", ""},
	{"alpha.test", "/sitemap/%2e%2e/robots.txt", 200, "text/plain", "alpha's robots"},
	{"alpha.test", "/sitemap//index.xml", 200, "text/xml", "alpha's sitemap"},
	{"alpha.test", "/robots.txt%00.png", 400, "", ""},
	{"alpha.test", "/link.txt", 403, "", ""},
	{"alpha.test", "/linked/secret.txt", 403, "", ""},

	// Addresses that lead elsewhere.
	{"alpha.test", "/about", 301, "", "SERVER/wiki/About"},
	{"alpha.test", "/about?x=%20y&z", 301, "", "SERVER/wiki/About?x=%20y&z"},
	{"alpha.test", "/about/x", 404, "", ""},
	{"alpha.test", "/aboutx", 404, "", ""},
	{"alpha.test", "/mw/index.php/C%2B%2B%3F/%C3%A4?action=raw", 301, "", "SERVER/index.php/C%2B%2B%3F/%C3%A4?action=raw"},
	{"alpha.test", "/mw//evil.test/", 301, "", "SERVER//evil.test/"},
	{"alpha.test", "/mw/%0d%0aSet-Cookie:%20x=y", 301, "", "SERVER/%0d%0aSet-Cookie:%20x=y"},
	{"alpha.test", "/mw/", 301, "", "SERVER/"},
	{"alpha.test", "/mw", 404, "", ""},
	{"alpha.test", "/mw/shop/cart", 301, "", "https://shop.example.org/?from=wiki"},
	{"alpha.test", "/%C3%9Cber", 301, "", "SERVER/wiki/%C3%9Cber_uns"},
	{"alpha.test", "/wiki/Old", 301, "", "SERVER/wiki/New"},
	{"alpha.test", "/%c3%9cber", 301, "", "SERVER/wiki/%C3%9Cber_uns"},
	{"alpha.test", "/what's.new%3f(alt)", 301, "", "SERVER/wiki/News"},
	{"alpha.test", "/what%27s%2enew%3F%28alt%29", 301, "", "SERVER/wiki/News"},
	{"alpha.test", "/what's-new%3f(alt)", 404, "", ""},
	{"alpha.test", "POST /about", 301, "", "SERVER/wiki/About"},
	{"beta.test", "/about", 301, "", "http://beta.test:PORT/wiki/Info"},
	{"beta.test", "/mw/x", 404, "", ""},

	// Other names of a wiki.
	{"www.alpha.test", "/wiki/A%3Fb?x=1", 301, "", "SERVER/wiki/A%3Fb?x=1"},
	{"www.alpha.test", "/robots.txt", 301, "", "SERVER/robots.txt"},
	{"www.alpha.test", "/x//evil.test", 301, "", "SERVER/x//evil.test"},
	{"other.alpha.test", "/wiki/X", 200, "text/html", "of alpha"},
	{"WWW.alpha.test", "/", 301, "", "SERVER/"},

	// Uploads are sent, never run.
	{"alpha.test", "/images/a/ab/Evil.php", 200, "application/octet-stream", "<?php"},
	{"alpha.test", "/images/a/ab/Evil.phtml", 200, "application/octet-stream", "<?php"},
	{"alpha.test", "/images/a/ab/Evil.php/x.png", 404, "", ""},
	{"alpha.test", "/images/a/ab/Good.png", 200, "image/png", "good"},
	{"alpha.test", "/images/a/ab/X.avif", 200, "image/avif", "a secret"},
	{"alpha.test", "/images/a/ab/X.DJVU", 200, "image/vnd.djvu", "a secret"},
	{"alpha.test", "/images/a/ab/X.ico", 200, "image/x-icon", "a secret"},
	{"alpha.test", "/images/a/ab/X.oga", 200, "audio/ogg", "a secret"},
	{"alpha.test", "/images/a/ab/X.opus", 200, "audio/ogg", "a secret"},
	{"alpha.test", "/images/a/ab/X.ogg", 200, "application/ogg", "a secret"},
	{"alpha.test", "/images/a/ab/X.ogv", 200, "video/ogg", "a secret"},
	{"alpha.test", "/images/a/ab/X.flac", 200, "audio/flac", "a secret"},
	{"alpha.test", "/images/a/ab/X.wav", 200, "audio/wav", "a secret"},
	{"alpha.test", "/images/a/ab/X.svgz", 200, "application/octet-stream", "a secret"},
	{"alpha.test", "/images/a/ab/X.gz", 200, "application/octet-stream", "a secret"},
	{"alpha.test", "/images/a/ab/X.var", 200, "application/octet-stream", "a secret"},
	{"alpha.test", "/images/a/ab/X.shtml", 200, "application/octet-stream", "a secret"},
	{"alpha.test", "/images/a/ab/X.php.png", 200, "image/png", "a secret"},
	{"alpha.test", "/images/a/ab/Why%3F.png", 200, "image/png", "a secret"},
	{"alpha.test", "/images/a/ab/Why%3F.png?20260101000000", 200, "image/png", "a secret"},
	{"alpha.test", "/images/a/ab/100%25_A%2Bb&c%22'.png", 200, "image/png", "a secret"},
	{"alpha.test", "/images/thumb/a/ab/Why%3F.png/1px-Why%3F.png", 200, "image/png", "a secret"},
	{"alpha.test", "/images/thumb/a/ab/No%3F.png/1px-No%3F.png", 200, "text/html", "ran thumb_handler.php for /images/thumb/a/ab/No%3F.png/1px-No%3F.png of alpha"},
	{"delta.test", "/w/images/a/ab/Why%3F.png", 200, "image/png", "a secret"},
	{"delta.test", "/w/images//deleted/x.png", 404, "", ""},
	{"delta.test", "/w/images/%2fdeleted/x.png", 404, "", ""},
	{"delta.test", "/w/images/%64eleted/x.png", 404, "", ""},
	{"delta.test", "/w/images/a/../deleted/x.png", 404, "", ""},
	{"alpha.test", "/images/..%2fcurrent/LocalSettings.php", 404, "", ""},
	{"alpha.test", "/images/", 404, "", ""},
	{"alpha.test", "/images/thumb/a/ab/None.png/1px-None.png", 200, "text/html", "ran thumb_handler.php"},

	// Entry points below /w, pages below /wiki.
	{"delta.test", "/", 200, "text/html", "ran index.php for / of delta"},
	{"delta.test", "/w", 200, "text/html", "ran index.php for /w of delta"},
	{"delta.test", "/w/", 200, "text/html", "ran index.php"},
	{"delta.test", "/wiki", 200, "text/html", "ran index.php"},
	{"delta.test", "/wiki/", 200, "text/html", "ran index.php"},
	{"delta.test", "/wiki/A/b.css", 200, "text/html", "ran index.php"},
	{"delta.test", "/w/index.php?title=X", 200, "text/html", "ran index.php"},
	{"delta.test", "/w/rest.php/v1/page/X", 200, "text/html", "ran rest.php"},
	{"delta.test", "/w/img_auth.php/a/ab/X.png", 200, "text/html", "ran img_auth.php"},
	{"delta.test", "/api.php", 200, "text/html", "ran api.php"},
	{"delta.test", "/rest.php/v1/page/X", 404, "", ""},
	{"delta.test", "/w/skins/Plain/plain.css", 200, "text/css", "plain"},
	{"delta.test", "/skins/Plain/plain.css", 404, "", ""},
	{"delta.test", "/w/skins/Plain/evil.php", 404, "", ""},
	{"delta.test", "/w/includes/Defines.php", 404, "", ""},
	{"delta.test", "/w/LocalSettings.php", 404, "", ""},
	{"delta.test", "/w/maintenance", 404, "", ""},
	{"delta.test", "/w/images/a/ab/Good.png", 200, "image/png", "good"},
	{"delta.test", "/w/images/a/ab/Evil.php", 200, "application/octet-stream", "<?php"},
	{"delta.test", "/images/a/ab/Good.png", 404, "", ""},
	{"delta.test", "/w/images/thumb/a/ab/None.png/1px-None.png", 200, "text/html", "ran thumb_handler.php for /w/images/thumb/"},
	{"delta.test", "/w/images/thumb/a/ab/Good.png/1px-Good.png", 200, "image/png", "small"},
	{"delta.test", "/w/images/deleted/x.png", 404, "", ""},
	{"delta.test", "/w/../index.php", 200, "text/html", "ran index.php"},
	{"delta.test", "/w/%2e%2e/%2e%2e/secret.txt", 400, "", ""},
	{"delta.test", "/wx/index.php", 404, "", ""},
	{"delta.test", "/robots.txt", 404, "", ""},

	// Pages by actions and by variants of the language.
	{"delta.test", "/edit/A/b%26.php", 200, "text/html", "ran index.php for /edit/A/b%26.php of delta"},
	{"delta.test", "/w/raw/A", 200, "text/html", "ran index.php for /w/raw/A of delta"},
	{"delta.test", "/en-x-piglatin/A", 200, "text/html", "ran index.php for /en-x-piglatin/A of delta"},
	{"delta.test", "/edit", 404, "", ""},
	{"delta.test", "/edit/", 404, "", ""},
	{"delta.test", "/info/A", 404, "", ""},
	{"delta.test", "/xedit/A", 404, "", ""},
	{"delta.test", "/english/A", 404, "", ""},
	{"delta.test", "/de/A", 404, "", ""},
	{"delta.test", "/edit/../w/includes/Defines.php", 404, "", ""},

	// Pages at the root.
	{"root.test", "/", 200, "text/html", "ran index.php for / of root"},
	{"root.test", "/Main_Page", 200, "text/html", "ran index.php for /Main_Page of root"},
	{"root.test", "/A/b%3Fc", 200, "text/html", "ran index.php for /A/b%3Fc of root"},
	{"root.test", "/.NET", 200, "text/html", "ran index.php"},
	{"root.test", "/A..%2fB", 200, "text/html", "ran index.php for /A..%2fB of root"},
	{"root.test", "/A%2f..%2fB", 400, "", ""},
	{"root.test", "/robots.txt", 200, "text/plain", "everybody's robots"},
	{"root.test", "/No_such.txt", 200, "text/html", "ran index.php for /No_such.txt of root"},
	{"root.test", "/about", 301, "", "http://root.test:PORT/wiki/Info"},
	{"root.test", "/w/index.php", 200, "text/html", "ran index.php"},
	{"root.test", "/w/api.php", 200, "text/html", "ran api.php"},
	{"root.test", "/w/skins/Plain/plain.css", 200, "text/css", "plain"},
	{"root.test", "/w/skins/Plain/evil.php", 404, "", ""},
	{"root.test", "/w/includes/Defines.php", 404, "", ""},
	{"root.test", "/w/LocalSettings.php", 404, "", ""},
	{"root.test", "/wx", 200, "text/html", "ran index.php"},
	{"root.test", "/w/images/a/ab/Good.png", 200, "image/png", "good"},
	{"root.test", "/w/images/a/ab/None.png", 404, "", ""},
	{"root.test", "/w/images/deleted/x.png", 404, "", ""},

	// A private wiki with pages at the root has no uploads of that path either.
	{"closed.test", "/Main_Page", 200, "text/html", "ran index.php"},
	{"closed.test", "/w/images/a/ab/Secret.png", 404, "", ""},
	{"closed.test", "/w/images/thumb/a/ab/Secret.png/1px-Secret.png", 404, "", ""},
	{"closed.test", "/w/img_auth.php/a/ab/Secret.png", 200, "text/html", "ran img_auth.php"},

	// Pages as paths of index.php.
	{"long.test", "/mediawiki/1.43/index.php/Main_Page", 200, "text/html", "ran index.php for /mediawiki/1.43/index.php/Main_Page of long"},
	{"long.test", "/mediawiki/1.43/", 200, "text/html", "ran index.php"},
	{"long.test", "/mediawiki/1x43/", 404, "", ""},
	{"long.test", "/wiki/Main_Page", 404, "", ""},
	{"long.test", "/mediawiki/1.43/skins/Plain/plain.css", 200, "text/css", "plain"},

	// Nothing else of the code.
	{"alpha.test", "/includes/Defines.php", 404, "", ""},
	{"alpha.test", "/maintenance/update.php", 404, "", ""},
	{"alpha.test", "/LocalSettings.php", 404, "", ""},
	{"alpha.test", "/skins/Plain/skin.json", 404, "", ""},
	{"alpha.test", "/skins/Plain/plain.css", 200, "text/css", "plain"},
	{"alpha.test", "/skins/Plain/evil.php", 404, "", ""},
	{"alpha.test", "/skins/Plain/evil.php/x.css", 404, "", ""},
	{"alpha.test", "/resources/..%2fincludes/Defines.php", 404, "", ""},
	{"alpha.test", "/INDEX.PHP", 404, "", ""},
	{"alpha.test", "/index.php~", 404, "", ""},
}

func TestRequestsNginx(t *testing.T)  { testRequests(t, "nginx") }
func TestRequestsApache(t *testing.T) { testRequests(t, "apache") }

// testRequests asks a web server everything in the table, with a common pool and with
// one of each tenant's own.
func testRequests(t *testing.T, kind string) {
	for _, pools := range []bool{false, true} {
		t.Run(fmt.Sprintf("pools=%t", pools), func(t *testing.T) {
			s := newEcho(t, kind, pools, boundedEcho(kind, pools))
			s.serve(t, kind)
			s.uploads(t)
			for _, r := range requests {
				s.check(t, r)
			}
			s.testRenamed(t)
			s.testProxies(t)
			s.testBounds(t)
			s.testReload(t, kind)
			s.testForwarded(t, kind)
			s.logIfFailed(t)
		})
	}
}

// uploads are what the table asks for, of the tenants that there are.
func (s *stand) uploads(t *testing.T) {
	t.Helper()
	for tenant, files := range map[string][]string{
		"alpha":  {"a/ab/Why?.png", "a/ab/100%_A+b&c\"'.png", "thumb/a/ab/Why?.png/1px-Why?.png", "a/ab/Evil.php", "a/ab/Evil.phtml", "a/ab/Good.png"}, // and one of each type
		"beta":   {"a/ab/Secret.png", "thumb/a/ab/Secret.png/1px-Secret.png"},
		"closed": {"a/ab/Secret.png", "thumb/a/ab/Secret.png/1px-Secret.png"},
		"delta":  {"a/ab/Good.png", "a/ab/Why?.png", "a/ab/Evil.php", "deleted/x.png", "thumb/a/ab/Good.png/1px-Good.png"},
		"root":   {"a/ab/Good.png", "a/ab/Evil.php", "deleted/x.png", "thumb/a/ab/Good.png/1px-Good.png"},
	} {
		if tenant == "alpha" {
			for _, ending := range strings.Fields("avif DJVU ico oga opus ogg ogv flac wav svgz gz var shtml php.png") {
				files = append(files, "a/ab/X."+ending)
			}
		}
		for _, name := range files {
			if s.farm.Tenant(tenant) == nil {
				continue
			}
			text := "a secret"
			switch base := filepath.Base(name); {
			case strings.HasPrefix(base, "Evil"):
				text = "<?php echo 'ran';"
			case base == "Good.png":
				text = "good"
			case base == "1px-Good.png":
				text = "small"
			}
			s.upload(t, tenant, name, text)
		}
	}
}

// serve starts a web server for the farm.
func (s *stand) serve(t *testing.T, kind string) {
	t.Helper()
	if kind == "nginx" {
		needs.Program(t, "nginx")
		s.startNginx()
		return
	}
	needs.Program(t, "apache2")
	s.startApache()
}

// check asks one line of the table. A status of 4xx stands for each of those by which a
// web server refuses a request.
func (s *stand) check(t *testing.T, r request) {
	t.Helper()
	method, path, given := strings.Cut(r.path, " ")
	var body io.Reader
	if !given {
		method, path = http.MethodGet, r.path
	} else {
		body = strings.NewReader("a=b")
	}
	a := s.do(method, r.host, path, body)
	refused := r.status >= 400 && (r.status != 405 || method == "TRACE") && a.status >= 400 && a.status < 500
	if a.status != r.status && !refused {
		t.Errorf("%s %s: %d, want %d: %.200s", r.host, r.path, a.status, r.status, a.body)
		return
	}
	if kind, _, _ := strings.Cut(a.header.Get("Content-Type"), ";"); r.kind != "" && kind != r.kind {
		t.Errorf("%s %s: the type %q, want %q", r.host, r.path, kind, r.kind)
	}
	if a.status == 301 {
		want := strings.NewReplacer("SERVER", fmt.Sprintf("%s://alpha.test:%d", s.scheme(), s.port), "PORT", fmt.Sprint(s.port)).Replace(r.want)
		if got := a.header.Get("Location"); got != want || a.header.Get("Set-Cookie") != "" {
			t.Errorf("%s %s: to %q, want %q", r.host, r.path, got, want)
		}
		return
	}
	if !strings.Contains(a.body, r.want) {
		t.Errorf("%s %s: %.200q, want %q", r.host, r.path, a.body, r.want)
	}
	if a.status >= 400 && (strings.Contains(a.body, "ran") || strings.Contains(a.body, "secret")) || strings.HasPrefix(a.body, "ran ") && !strings.Contains(r.want, "ran") && !strings.Contains(r.want, "of ") {
		t.Errorf("%s %s: shows %.200q", r.host, r.path, a.body)
	}
}

// testRenamed wants a wiki served as before while a rename has moved its files, until the web
// server knows the new name.
func (s *stand) testRenamed(t *testing.T) {
	t.Helper()
	must(t, s.d.Rename(t.Context(), "delta", "renamed"))
	for _, r := range requests {
		if r.host == "delta.test" {
			r.want = strings.ReplaceAll(r.want, " of delta", " of ") // PHP may see either name of the folder
			s.check(t, r)
		}
	}
	must(t, errors.Join(s.d.RenameBack(t.Context(), "renamed", "delta"), s.d.DropAlias("renamed")))
}
