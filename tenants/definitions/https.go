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
		s.report(at("hsts"), "hsts", "set url to https, or remove hsts", "readers come by %s, but browsers would use only https", w.URL)
	case w.HTTP2 && w.Certificate == "":
		s.report(at("http2"), "http2", "set certificate and certificate_key, or remove http2", "browsers use HTTP/2 only over TLS, and no certificate is set")
	case w.ACME != "" && w.Certificate != "" && len(w.PlainListens()) == 0:
		s.report(at("acme"), "acme", `add "80" to listen`, "ACME requests come without TLS, and all addresses of listen have TLS")
	}
}
