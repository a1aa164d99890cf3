package mariadb

import (
	"fmt"
	"net"
	"strings"

	"github.com/go-sql-driver/mysql"
)

// clientOptions tell a client program how to connect as the driver does ("Configuring
// MariaDB with Option Files" in MariaDB's Knowledge Base). Options that only MariaDB
// or only MySQL has are loose.
func clientOptions(c *mysql.Config) string {
	text := &strings.Builder{}
	quote := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)
	set := func(name, value string) { fmt.Fprintf(text, "%s=\"%s\"\n", name, quote.Replace(value)) }
	fmt.Fprintln(text, "[client]")
	set("user", c.User)
	set("password", c.Passwd)
	host, port, err := net.SplitHostPort(c.Addr)
	switch {
	case c.Net == "unix":
		set("socket", c.Addr)
	case err != nil:
		set("protocol", "tcp")
		set("host", c.Addr)
	default:
		set("protocol", "tcp")
		set("host", host)
		set("port", port)
	}
	text.WriteString(tlsOptions(c.TLSConfig))
	return text.String()
}

// tlsOptions are those for a DSN's tls=. "true" verifies the server's certificate by
// the system's authorities, as the driver does.
func tlsOptions(tls string) string {
	switch tls {
	case "", "false":
		return "loose-skip-ssl\nloose-ssl-mode=DISABLED\n"
	case "true":
		return "loose-ssl\nloose-ssl-verify-server-cert\nloose-ssl-mode=VERIFY_IDENTITY\n"
	case "preferred":
		return "loose-ssl\nloose-skip-ssl-verify-server-cert\nloose-ssl-mode=PREFERRED\n"
	}
	return "loose-ssl\nloose-skip-ssl-verify-server-cert\nloose-ssl-mode=REQUIRED\n" // skip-verify
}
