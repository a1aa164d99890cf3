package mariadb

import "strings"

// Quote makes an identifier of any name, as "Identifier Names" in MariaDB's
// Knowledge Base has it. No other code quotes identifiers.
func Quote(name string) string {
	return "`" + strings.ReplaceAll(name, "`", "``") + "`"
}

// quotePattern quotes a database's name for GRANT, where _ and % are wildcards.
func quotePattern(name string) string {
	return Quote(strings.NewReplacer(`\`, `\\`, `_`, `\_`, `%`, `\%`).Replace(name))
}

// literal makes a string literal for statements that take no arguments, such as
// CREATE USER. It holds under the default sql_mode.
func literal(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `''`, "\x00", `\0`).Replace(s) + "'"
}

// account is 'name'@'host'.
func account(name, host string) string { return literal(name) + "@" + literal(host) }
