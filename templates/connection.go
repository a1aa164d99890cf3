package templates

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"wikictl/tenants"
)

// Connection describes how readers connect to a wiki.
type Connection struct {
	Secure    bool     // by https
	TLS       bool     // the web server speaks TLS itself
	Listens   []string // addresses that serve the wiki
	Redirects []string // addresses that only redirect from http to https
	Port      string   // where readers find https; empty: at its usual port
	HSTS      string   // value of the header Strict-Transport-Security; empty: none
	HTTP2     bool     // offered, if the web server speaks TLS
}

// usually returns the connection of tenants whose certificate exists.
func usually(w tenants.Web) Connection {
	c := Connection{
		Secure: strings.HasPrefix(w.URL, "https:"), TLS: w.Certificate != "", Listens: slices.Clone(w.Listen), HTTP2: w.HTTP2,
	}
	if c.TLS && slices.ContainsFunc(w.Listen, tenants.Encrypted) {
		c.Listens = slices.DeleteFunc(c.Listens, func(l string) bool { return !tenants.Encrypted(l) })
		c.Redirects, c.Port = w.PlainListens(), portOf(w.URL)
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

// portOf returns the port in what readers type, unless it is that of https.
func portOf(address string) string {
	u, err := url.Parse(strings.ReplaceAll(address, "{host}", "host.invalid"))
	if err != nil || u.Scheme != "https" || u.Port() == "443" {
		return ""
	}
	return u.Port()
}

// connectionOf returns the connection of a tenant, which may not have its certificate
// yet.
func (f *Fleet) connectionOf(t *tenants.Tenant) Connection {
	if !t.ByHTTP {
		return f.usual
	}
	return Connection{Listens: f.Farm.Web.PlainListens()}
}
