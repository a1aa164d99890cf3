package templates

// Gone is a removed wiki, whose host names answer with status 410.
type Gone struct {
	Name                        string
	Hosts                       []string // those that no other wiki has now
	Certificate, CertificateKey string   // its files for TLS; empty: they are gone as well

	Plain, Encrypted []string // addresses without and with TLS
}

// connect sets the addresses: with TLS only while there is a certificate.
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
