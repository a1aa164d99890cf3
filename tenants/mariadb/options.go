package mariadb

import (
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"

	"github.com/go-sql-driver/mysql"

	"wikictl/tenants/process"
)

// clientOptions returns an option file by which a client program connects as the driver
// does ("Configuring MariaDB with Option Files" in MariaDB's Knowledge Base). Options
// that only MariaDB or only MySQL has are loose.
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
	fmt.Fprintln(text, "[mysql]") // a group of mariadb, too, but not of mariadb-dump
	set("init-command", plainSession)
	return text.String()
}

// tlsOptions returns the options for a DSN's tls=. "true" verifies the server's
// certificate by the system's authorities, as the driver does. ssl-mode is MySQL's; it is
// set only where it differs from the default, because MariaDB's clients warn of it.
func tlsOptions(tls string) string {
	switch tls {
	case "", "false":
		return "loose-skip-ssl\n"
	case "true":
		return "loose-ssl\nloose-ssl-verify-server-cert\nloose-ssl-mode=VERIFY_IDENTITY\n"
	case "preferred":
		return "loose-ssl\nloose-skip-ssl-verify-server-cert\n"
	}
	return "loose-ssl\nloose-skip-ssl-verify-server-cert\nloose-ssl-mode=REQUIRED\n" // skip-verify
}

// looseWarning matches a client's warning about a loose option that it does not have.
var looseWarning = regexp.MustCompile(`(?m)^.*unknown (?:variable|option) '(?:--)?loose-.*\n?`)

// clientError matches the begin of an error message of mariadb. The failed statement precedes
// it (--print-query-on-error), with rows of the wiki.
var clientError = regexp.MustCompile(`(?m)^ERROR [0-9]+ \([0-9A-Z]{5}\)`)

// plainError removes warnings about loose options, and statements, from a client's error.
func plainError(err error) error {
	var failed *process.Error
	if errors.As(err, &failed) {
		failed.Output = looseWarning.ReplaceAllString(failed.Output, "")
		if all := clientError.FindAllStringIndex(failed.Output, -1); all != nil {
			failed.Output = failed.Output[all[len(all)-1][0]:]
		}
	}
	return err
}
