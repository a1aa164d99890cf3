package deploy

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wikictl/templates"
	"wikictl/tenants/definitions"
)

// newHTTPS is an echo whose wikis have certificates, but for gamma and those of waiting.test,
// and pools of their own; plain is the port without TLS.
func newHTTPS(t *testing.T, kind string) (s *stand, plain int) {
	t.Helper()
	files := map[string]string{
		"wikictl.toml":           strings.Replace(echoFiles()["wikictl.toml"], "{name}", "{host}", 1),
		"tenants/shared.toml":    sharing("shared", "/", ""),
		"tenants/shared-de.toml": sharing("shared", "/de", "settings.wgMaxUploadSize = 300000\nsettings.wgGroupPermissions.\"*\".read = false\n"),
		"tenants/waiting.toml":   sharing("waiting", "/", ""),
		"tenants/waiting-b.toml": sharing("waiting", "/b", ""),
		"tenants/delta.toml":     boundedEcho(kind, true)["tenants/delta.toml"],
	}
	plain = byTLS(t, files, "{host}", "alpha.test", "beta.test", "delta.test", "root.test", "closed.test", "long.test", "shared.test")
	return newEcho(t, kind, true, files), plain
}

// sharing is a wiki at a path of a host that it shares.
func sharing(host, path, more string) string {
	name := strings.TrimRight(host+strings.ReplaceAll(path, "/", "-"), "-")
	return fmt.Sprintf("name = %q\nhosts = [%q]\naliases = [%q]\npath = %q\nsitename = \"X\"\n", name, host+".test", "www."+host+".test", path) + more
}

// byTLS has a farm's files speak TLS, with a certificate for each of some names and a webroot
// of an ACME client; it returns the port without TLS.
func byTLS(t *testing.T, files map[string]string, file string, names ...string) (plain int) {
	t.Helper()
	plain = freePort(t)
	certificates := t.TempDir()
	certificate(t, certificates)
	farm := strings.Replace(files["wikictl.toml"], `url = "http://{host}:PORT"`, `url = "https://{host}:PORT"
certificate = "DIR/certificates/FILE.pem"
certificate_key = "DIR/certificates/FILE.key"
acme = "DIR/acme"
hsts = "365d"
http2 = true`, 1)
	farm = strings.Replace(farm, `listen = ["127.0.0.1:PORT", "[::1]:PORT"]`, fmt.Sprintf(`listen = ["127.0.0.1:%d", "127.0.0.1:PORT ssl"]`, plain), 1)
	files["wikictl.toml"] = strings.ReplaceAll(farm, "FILE", file)
	files["acme/.well-known/acme-challenge/Tok-en_1"] = "an answer"
	files["acme/.well-known/acme-challenge/evil.php"] = "<?php echo 'ran';"
	files["acme/secret.txt"] = "a secret"
	for _, name := range names {
		for _, ending := range []string{".pem", ".key"} {
			files["certificates/"+name+ending] = read(t, filepath.Join(certificates, "alpha.test"+ending))
		}
	}
	return plain
}

// secured is one line of the table of requests to a farm with TLS.
type secured struct {
	scheme, host, path string
	status             int
	want               string // in the body, or the Location; empty: any
}

var securedRequests = []secured{
	// By http: to https, but for the answers of an ACME client.
	{"http", "alpha.test", "/wiki/A%20b?x=%0d%0ay", 301, "https://alpha.test:PORT/wiki/A%20b?x=%0d%0ay"},
	{"http", "other.alpha.test", "/", 301, "https://other.alpha.test:PORT/"},
	{"http", "www.alpha.test", "/wiki/X", 301, "SERVER/wiki/X"},
	{"http", "alpha.test", "/.well-known/acme-challenge/Tok-en_1", 200, "an answer"},
	{"http", "www.alpha.test", "/.well-known/acme-challenge/Tok-en_1", 200, "an answer"},
	{"http", "gamma.test", "/.well-known/acme-challenge/Tok-en_1", 200, "an answer"},
	{"http", "unknown.test", "/.well-known/acme-challenge/Tok-en_1", 200, "an answer"},
	{"http", "unknown.test", "/.well-known/acme-challenge/None", 404, ""},
	{"http", "unknown.test", "/.well-known/acme-challenge/evil.php", 404, ""},
	{"http", "unknown.test", "/.well-known/acme-challenge/..%2f..%2fsecret.txt", 404, ""},
	{"http", "unknown.test", "/secret.txt", 404, ""},
	{"http", "unknown.test", "/", 404, ""},
	{"http", "gamma.test", "/.well-known/acme-challenge/evil.php", 404, ""},
	{"http", "gamma.test", "/secret.txt", 404, ""},
	// A wiki whose certificate is not there yet.
	{"http", "gamma.test", "/wiki/X", 200, "ran index.php for /wiki/X of gamma"},
	{"http", "gamma.test", "/skins/Plain/plain.css", 200, "plain"},
	{"http", "gamma.test", "/wiki/Limits", 200, "limits 1348576/1348576 from"},
	{"http", "waiting.test", "/wiki/X", 200, "ran index.php for /wiki/X of waiting "},
	{"http", "waiting.test", "/b/wiki/X", 200, "ran index.php for /b/wiki/X of waiting-b"},
	{"http", "waiting.test", "/.well-known/acme-challenge/Tok-en_1", 200, "an answer"},
	{"https", "waiting.test", "/b/wiki/X", 0, ""},

	// Wikis of one host.
	{"http", "shared.test", "/de/wiki/A%20b?x=%0d%0ay", 301, "https://shared.test:PORT/de/wiki/A%20b?x=%0d%0ay"},
	{"http", "shared.test", "/.well-known/acme-challenge/Tok-en_1", 200, "an answer"},
	{"http", "www.shared.test", "/.well-known/acme-challenge/Tok-en_1", 200, "an answer"},
	{"http", "shared.test", "/de/.well-known/acme-challenge/Tok-en_1", 301, "https://shared.test:PORT/de/.well-known/acme-challenge/Tok-en_1"},
	{"https", "shared.test", "/.well-known/acme-challenge/Tok-en_1", 200, "an answer"},
	{"https", "shared.test", "/.well-known/acme-challenge/..%2f..%2fsecret.txt", 404, ""},
	{"https", "shared.test", "/de/.well-known/acme-challenge/Tok-en_1", 404, ""},
	{"https", "shared.test", "/wiki/Limits", 200, "of shared limits 105906176/105906176 from"},
	{"https", "shared.test", "/de/wiki/Limits", 200, "of shared-de limits 7340032/7340032 from"},
	{"https", "shared.test", "/de/images/a/ab/Secret.png", 404, ""},
	{"https", "shared.test", "/de/img_auth.php/a/ab/Secret.png", 200, "ran img_auth.php"},
	{"https", "shared.test", "/images/a/ab/Good.png", 200, "good"},
	{"https", "shared.test", "/skins/Plain/plain.css", 200, "plain"},
	{"https", "shared.test", "/none", 404, ""},
	{"https", "www.shared.test", "/de/wiki/X", 301, "https://shared.test:PORT/de/wiki/X"},

	{"https", "alpha.test", "/wiki/X", 200, "ran index.php for /wiki/X of alpha"},
	{"https", "alpha.test", "/wiki/X", 200, "by on"},
	{"https", "alpha.test", "/wiki/Limits", 200, "limits 105906176/105906176 from"},
	{"https", "alpha.test", "/robots.txt", 200, "alpha's robots"},
	{"https", "alpha.test", "/skins/Plain/plain.css", 200, "plain"},
	{"https", "alpha.test", "/images/a/ab/Good.png", 200, "good"},
	{"https", "alpha.test", "/none", 404, ""},
	{"https", "alpha.test", "/about", 301, "SERVER/wiki/About"},
	{"https", "www.alpha.test", "/wiki/X", 301, "SERVER/wiki/X"},
	{"https", "alpha.test", "/.well-known/acme-challenge/Tok-en_1", 200, "an answer"},
	{"https", "delta.test", "/w/index.php", 200, "of delta"},
	{"https", "beta.test", "/images/a/ab/Secret.png", 404, ""},
	{"https", "beta.test", "/img_auth.php/a/ab/Secret.png", 200, "ran img_auth.php"},
	{"https", "root.test", "/A/b%3Fc", 200, "ran index.php for /A/b%3Fc of root"},
	{"https", "closed.test", "/w/images/a/ab/Secret.png", 404, ""},
	// No handshake with nginx; Apache has no way to refuse one.
	{"https", "gamma.test", "/wiki/X", 0, ""},
	{"https", "unknown.test", "/", 0, ""},
	// Of wikis that were removed, one with its certificate and one without.
	{"http", "gone.test", "/wiki/X", 410, ""},
	{"https", "gone.test", "/wiki/X", 410, ""},
	{"https", "gone2.test", "/load.php?x=1", 410, ""},
	{"http", "bare.test", "/", 410, ""},
	{"https", "bare.test", "/", 0, ""},
}

func TestHTTPSNginx(t *testing.T)  { testHTTPS(t, "nginx") }
func TestHTTPSApache(t *testing.T) { testHTTPS(t, "apache") }

func testHTTPS(t *testing.T, kind string) {
	s, plain := newHTTPS(t, kind)
	if gamma := s.farm.Tenant("gamma"); !gamma.ByHTTP || gamma.Blocked() || s.farm.Tenant("alpha").ByHTTP {
		t.Fatalf("%+v", gamma)
	}
	settings := read(t, s.farm.Layout().LocalSettings("gamma"))
	if !strings.Contains(settings, fmt.Sprintf("$wgServer = 'http://gamma.test:%d';", plain)) || !strings.Contains(settings, "$wgCookieSecure = false;") {
		t.Errorf("gamma's address: %s", settings[:2000])
	}
	key := filepath.Join(s.dir, "certificates/alpha.test")
	s.gone = []templates.Gone{{Name: "gone", Hosts: []string{"gone.test", "gone2.test"}, Certificate: key + ".pem", CertificateKey: key + ".key"}, {Name: "bare", Hosts: []string{"bare.test"}}}
	s.apply()
	s.serve(t, kind)
	s.uploads(t)
	s.upload(t, "shared", "a/ab/Good.png", "good")
	s.upload(t, "shared-de", "a/ab/Secret.png", "a secret")
	for _, r := range securedRequests {
		s.checkSecured(t, r, plain)
	}
	s.testCertificateComes(t)
	s.logIfFailed(t)
}

// testCertificateComes wants a wiki that has got its certificate to be served by https, and
// one that has lost it not to fall back to http.
func (s *stand) testCertificateComes(t *testing.T) {
	for _, ending := range []string{".pem", ".key"} {
		s.write("certificates/gamma.test"+ending, read(t, filepath.Join(s.dir, "certificates/alpha.test"+ending)))
	}
	var err error
	if s.farm, err = definitions.Load(s.dir); err != nil {
		t.Fatal(err)
	}
	if applied := s.apply(); len(applied.Outcomes) != 1 || applied.Outcomes[0].Tenant != "gamma" {
		t.Errorf("the certificate changes %+v", applied.Outcomes)
	}
	if text := read(t, s.farm.Layout().LocalSettings("gamma")); !strings.Contains(text, "$wgServer = 'https://gamma.test:") || !strings.Contains(text, "$wgCookieSecure = true;") {
		t.Errorf("gamma's address with a certificate: %s", text[:2000])
	}
	if err := os.Remove(filepath.Join(s.dir, "certificates/gamma.test.pem")); err != nil {
		t.Fatal(err)
	}
	f, err := definitions.Load(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	if gamma := f.Tenant("gamma"); gamma.ByHTTP || !gamma.Blocked() || f.Tenant("alpha").Blocked() {
		t.Errorf("a lost certificate: by http %t, %v", gamma.ByHTTP, gamma.Faults)
	}
	must(t, os.Remove(filepath.Join(s.dir, "certificates/shared.test.key")))
	must(t, os.Remove(s.farm.Layout().Vhost("gamma")))
	f, err = definitions.Load(s.dir)
	must(t, err)
	if gamma := f.Tenant("gamma"); gamma.ByHTTP || !gamma.Blocked() {
		t.Error("without certificate and virtual host it is served by http")
	}
	text, err := s.set.Hosts(f, nil, nil)
	if err != nil || strings.Count(string(text), "shared.test") != 2 || !strings.Contains(string(text), "waiting.test") || !f.Tenant("shared-de").Blocked() {
		t.Errorf("a lost key of a host that wikis share: %v\n%s", err, text)
	}
	must(t, os.WriteFile(f.Layout().HostsVhost(), text, 0o644))
	if f, err = definitions.Load(s.dir); err != nil || f.Tenant("shared-de").ByHTTP {
		t.Errorf("it is served by http: %v", err)
	}
}

// checkSecured asks one line of the table. Status 0 is a handshake that fails, or 404.
func (s *stand) checkSecured(t *testing.T, r secured, plain int) {
	t.Helper()
	port := plain
	if r.scheme == "https" {
		port = s.port
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, fmt.Sprintf("%s://127.0.0.1:%d/", r.scheme, port), nil)
	if err != nil {
		t.Fatal(err)
	}
	request.URL.Opaque, request.Host = r.path, fmt.Sprintf("%s:%d", r.host, port)
	client := http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     &http.Transport{ForceAttemptHTTP2: true, DisableKeepAlives: true, TLSClientConfig: anyCertificate(r.host)},
	}
	response, err := client.Do(request)
	if err != nil || r.status == 0 {
		if r.status != 0 || err == nil && (s.farm.Web.Kind == "nginx" || response.StatusCode != 404) {
			t.Errorf("%s %s%s: %v %v", r.scheme, r.host, r.path, response, err)
		}
		return
	}
	defer response.Body.Close()
	body := make([]byte, 500)
	n, _ := response.Body.Read(body)
	got := string(body[:n])
	if response.StatusCode == 301 {
		got = response.Header.Get("Location")
	}
	want := strings.NewReplacer("SERVER", fmt.Sprintf("https://alpha.test:%d", s.port), "PORT", fmt.Sprint(s.port)).Replace(r.want)
	if refused := r.status == 404 && response.StatusCode >= 400 && response.StatusCode < 500; !refused && response.StatusCode != r.status || !strings.Contains(got, want) {
		t.Errorf("%s %s%s: %d %q, want %d %q", r.scheme, r.host, r.path, response.StatusCode, got, r.status, want)
	}
	if strict := response.Header.Values("Strict-Transport-Security"); (r.scheme == "https") != (len(strict) == 1 && strict[0] == "max-age=31536000") {
		t.Errorf("%s %s%s: Strict-Transport-Security %q", r.scheme, r.host, r.path, strict)
	}
	if r.scheme == "https" && response.ProtoMajor != 2 {
		t.Errorf("%s%s: %s", r.host, r.path, response.Proto)
	}
}
