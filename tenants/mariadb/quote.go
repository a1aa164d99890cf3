package mariadb

import "strings"

// Quote quotes an identifier ("Identifier Names" in MariaDB's Knowledge Base). No other
// code quotes identifiers.
func Quote(name string) string {
	return "`" + strings.ReplaceAll(name, "`", "``") + "`"
}

// quotePattern quotes a database's name for GRANT, where _ and % are wildcards.
func quotePattern(name string) string {
	return Quote(pattern(name))
}

// literal returns a string literal for statements that take no arguments, such as CREATE
// USER. It is correct under the default sql_mode.
func literal(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `''`, "\x00", `\0`).Replace(s) + "'"
}

// account returns 'name'@'host'.
func account(name, host string) string { return literal(name) + "@" + literal(host) }
