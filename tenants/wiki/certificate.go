package wiki

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/url"
)

// Certificate returns the certificate that the web server at an https address sends for a host
// name, whether or not it is valid. It is nil for an http address.
func Certificate(ctx context.Context, base, host string) (*x509.Certificate, error) {
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "https" {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	dialer := tls.Dialer{Config: &tls.Config{ServerName: host, InsecureSkipVerify: true}}
	conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), "443")))
	if err != nil {
		return nil, fmt.Errorf("request the certificate of %s at %s: %w", host, base, err)
	}
	defer conn.Close()
	return conn.(*tls.Conn).ConnectionState().PeerCertificates[0], nil
}
