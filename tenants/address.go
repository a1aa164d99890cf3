package tenants

import (
	"net"
	"regexp"
	"strings"
)

// dsnAddress matches protocol and address in "user@protocol(address)/…".
var dsnAddress = regexp.MustCompile(`^(?:.*@)?(unix|tcp)\(([^()]+)\)/`)

// Address returns the address of a database server for PHP, in the form of $wgDBserver:
// "localhost:/path/to.sock" for a socket, otherwise "host" or "host:port", with brackets
// around an IPv6 address. ok is false if the DSN has no address.
func (s *Server) Address(l Layout) (address string, ok bool) {
	if s.Managed {
		return "localhost:" + l.Socket(s.Name), true
	}
	m := dsnAddress.FindStringSubmatch(s.DSN)
	switch {
	case m == nil:
		return "", false
	case m[1] == "unix":
		return "localhost:" + m[2], true
	}
	return tcpAddress(m[2]), true
}

// dsnTLS matches the value of the parameter tls of a DSN.
var dsnTLS = regexp.MustCompile(`\?(?:.*&)?tls=([^&]*)`)

// Encrypted reports whether a DSN demands TLS: by tls=true or tls=skip-verify. With
// tls=preferred the server may be one that has none, which PHP would not connect to.
func (s *Server) Encrypted() bool {
	m := dsnTLS.FindStringSubmatch(s.DSN)
	if m == nil {
		return false
	}
	switch strings.ToLower(m[1]) {
	case "1", "true", "skip-verify":
		return true
	}
	return false
}

// tcpAddress omits MariaDB's default port, which is also MediaWiki's.
func tcpAddress(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		host, port = strings.Trim(address, "[]"), ""
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port == "" || port == "3306" {
		return host
	}
	return host + ":" + port
}
