package tenants

import (
	"net"
	"regexp"
	"strings"
)

// dsnAddress takes protocol and address out of "user@protocol(address)/…".
var dsnAddress = regexp.MustCompile(`^(?:.*@)?(unix|tcp)\(([^()]+)\)/`)

// Address is where PHP reaches a database server, as $wgDBserver takes it:
// "localhost:/path/to.sock" for a socket, else "host" or "host:port", with brackets
// around an IPv6 address. ok is false for a DSN that names none.
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

// tcpAddress leaves out MariaDB's own port, which is MediaWiki's default, too.
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
