package templates

import (
	"fmt"
	"slices"
	"strings"

	"wikictl/tenants"
)

// Connection is how readers reach a wiki.
type Connection struct {
	Secure    bool     // by https
	TLS       bool     // the web server speaks TLS itself
	Listens   []string // addresses that serve the wiki
	Redirects []string // addresses that only lead from http to https
	HSTS      string   // of the header Strict-Transport-Security; empty: there is none
	HTTP2     bool     // where the web server speaks TLS
}

// usually is the connection of tenants that have what the farm wants them to have.
func usually(w tenants.Web) Connection {
	c := Connection{
		Secure: strings.HasPrefix(w.URL, "https:"), TLS: w.Certificate != "", Listens: slices.Clone(w.Listen), HTTP2: w.HTTP2,
	}
	if c.TLS && slices.ContainsFunc(w.Listen, tenants.Encrypted) {
		c.Listens = slices.DeleteFunc(c.Listens, func(l string) bool { return !tenants.Encrypted(l) })
		c.Redirects = w.PlainListens()
	}
	for i, listen := range c.Listens {
		if words := strings.Fields(listen); w.HTTP2 && w.Kind == "nginx" && slices.Contains(words, "ssl") && !slices.Contains(words, "http2") {
			c.Listens[i] += " http2"
		}
	}
	if c.Secure && w.HSTS > 0 {
		c.HSTS = fmt.Sprintf("max-age=%d", w.HSTS)
	}
	return c
}

// connectionOf is a tenant's, which may have to do without its certificate for now.
func (f *Fleet) connectionOf(t *tenants.Tenant) Connection {
	if !t.ByHTTP {
		return f.usual
	}
	return Connection{Listens: f.Farm.Web.PlainListens()}
}
