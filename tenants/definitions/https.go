package definitions

import (
	"path/filepath"
	"strings"
	"time"

	"wikictl/tenants"
)

// readHTTPS reads the keys for TLS in the web server.
func (l *loader) readHTTPS(s *section) {
	w := &l.farm.Web
	if acme := s.text("acme"); acme.set() {
		if w.ACME = filepath.Clean(acme.value); !filepath.IsAbs(acme.value) || w.ACME == "/" {
			s.report(acme.at, "acme", `such as "/var/www/acme", as the client's webroot`, "%q is not an absolute path of a folder", acme.value)
		}
	}
	var hsts time.Duration
	s.days("hsts", &hsts)
	w.HSTS = int64(hsts / time.Second)
	w.HTTP2, _ = s.bool("http2")
}

// checkHTTPS refuses keys without effect, and keys that would lock readers out.
func (l *loader) checkHTTPS(s *section) {
	w := &l.farm.Web
	switch at := func(key string) tenants.Position { return s.table[key].Position }; {
	case w.HSTS > 0 && strings.HasPrefix(w.URL, "http:"):
		s.report(at("hsts"), "hsts", "set url to https, or take hsts away", "readers come by %s, and browsers would ask by https alone", w.URL)
	case w.HTTP2 && w.Certificate == "":
		s.report(at("http2"), "http2", "set certificate and certificate_key, or take http2 away", "browsers speak HTTP/2 by TLS only, and there is no certificate")
	case w.ACME != "" && w.Certificate != "" && len(w.PlainListens()) == 0:
		s.report(at("acme"), "acme", `add "80" to listen`, "no address of listen is without TLS, by which such answers are asked for")
	}
}
