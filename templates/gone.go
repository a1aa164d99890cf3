package templates

import "strings"

// Gone is a removed wiki; the web server answers for its host names with status 410.
type Gone struct {
	Name                        string
	Path                        string   // folder of its addresses; empty: the root
	All                         []string // its host names, including those that other wikis have now
	Hosts                       []string // its host names that no other wiki has now
	Awaited                     bool     // it is defined again, and not yet brought back
	Renamed                     bool     // it has another name now, and Hosts is FormerHost
	Certificate, CertificateKey string   // files for TLS; empty: they no longer exist

	Plain, Encrypted []string // addresses without and with TLS
}

// connect sets the addresses; TLS requires that the certificate still exists.
func (g *Gone) connect(usual Connection) {
	if !usual.TLS {
		g.Plain = usual.Listens
		return
	}
	g.Plain = usual.Redirects
	if g.Certificate != "" {
		g.Encrypted = usual.Listens
	}
}

// FormerHost returns the host name that the web server knows while a tenant's former name is a
// link: it answers with status 410 once the web server has loaded the configuration in which the
// tenant has its new name.
func FormerHost(name string) string {
	return "former-" + strings.ReplaceAll(name, "_", "-") + ".wikictl.invalid"
}
