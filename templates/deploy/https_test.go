package deploy

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wikictl/templates"
	"wikictl/tenants/definitions"
)

// newHTTPS is an echo whose wikis have certificates, but for gamma; plain is the port
// without TLS.
func newHTTPS(t *testing.T, kind string) (s *stand, plain int) {
	t.Helper()
	plain = freePort(t)
	certificates := t.TempDir()
	certificate(t, certificates)
	farm := echoFiles()["wikictl.toml"]
	farm = strings.Replace(farm, `url = "http://{host}:PORT"`, `url = "https://{host}:PORT"
certificate = "DIR/certificates/{host}.pem"
certificate_key = "DIR/certificates/{host}.key"
acme = "DIR/acme"
hsts = "365d"
http2 = true`, 1)
	farm = strings.Replace(farm, `listen = ["127.0.0.1:PORT", "[::1]:PORT"]`, fmt.Sprintf(`listen = ["127.0.0.1:%d", "127.0.0.1:PORT ssl"]`, plain), 1)
	files := map[string]string{
		"wikictl.toml": farm,
		"acme/.well-known/acme-challenge/Tok-en_1": "an answer",
		"acme/.well-known/acme-challenge/evil.php": "<?php echo 'ran';",
		"acme/secret.txt":                          "a secret",
	}
	for _, host := range []string{"alpha.test", "beta.test", "delta.test", "root.test", "closed.test", "long.test"} {
		for _, ending := range []string{".pem", ".key"} {
			files["certificates/"+host+ending] = read(t, filepath.Join(certificates, "alpha.test"+ending))
		}
	}
	return newEcho(t, kind, false, files), plain
}

// secured is one line of the table of requests to a farm with TLS.
type secured struct {
	scheme, host, path string
	status             int
	want               string // in the body, or the Location; empty: any
}

var securedRequests = []secured{
	// By http: to https, but for the answers of an ACME client.
	{"http", "alpha.test", "/wiki/A%20b?x=%0d%0ay", 301, "https://alpha.test/wiki/A%20b?x=%0d%0ay"},
	{"http", "other.alpha.test", "/", 301, "https://other.alpha.test/"},
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

	{"https", "alpha.test", "/wiki/X", 200, "ran index.php for /wiki/X of alpha"},
	{"https", "alpha.test", "/robots.txt", 200, "alpha's robots"},
	{"https", "alpha.test", "/skins/Plain/plain.css", 200, "plain"},
	{"https", "alpha.test", "/images/a/ab/Good.png", 200, "good"},
	{"https", "alpha.test", "/none", 404, ""},
	{"https", "alpha.test", "/about", 301, "SERVER/wiki/About"},
	{"https", "www.alpha.test", "/wiki/X", 301, "SERVER/wiki/X"},
	{"https", "alpha.test", "/.well-known/acme-challenge/Tok-en_1", 200, "an answer"},
	{"https", "delta.test", "/w/index.php", 200, "of delta"},
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
	s.upload(t, "alpha", "a/ab/Good.png", "good")
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
		Transport:     &http.Transport{ForceAttemptHTTP2: true, DisableKeepAlives: true, TLSClientConfig: &tls.Config{ServerName: r.host, InsecureSkipVerify: true}},
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
	want := strings.Replace(r.want, "SERVER", fmt.Sprintf("https://alpha.test:%d", s.port), 1)
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
