package mariadb

import (
	"encoding/hex"
	"strings"
)

// expression returns the SELECT expression of a column, chosen so that the literal that
// appendValue writes gives the same value again.
func (c column) expression() string {
	switch c.kind {
	case floating: // otherwise the server prints six digits of a FLOAT
		return Quote(c.name) + " * 1e0"
	case choice: // as text, an invalid value and an empty one are the same
		return "CAST(" + Quote(c.name) + " AS UNSIGNED)"
	}
	return Quote(c.name)
}

// appendValue appends a value as a literal that every MariaDB client reads alike, in any
// character set that includes ASCII.
func appendValue(b []byte, k kind, v []byte) []byte {
	switch {
	case v == nil:
		return append(b, "NULL"...)
	case k == numeric || k == choice:
		return append(b, v...)
	case k == floating || k == moment || len(v) == 0 || k == texts && isPlain(v):
		return appendQuoted(b, v)
	}
	return append(hex.AppendEncode(append(b, "x'"...), v), '\'')
}

// isPlain reports whether text is printable ASCII and line ends.
func isPlain(v []byte) bool {
	for _, c := range v {
		if (c < ' ' || c > '~') && c != '\n' {
			return false
		}
	}
	return true
}

// appendQuoted appends plain text as a string literal on one line. It is valid unless
// sql_mode has NO_BACKSLASH_ESCAPES.
func appendQuoted(b, v []byte) []byte {
	b = append(b, '\'')
	for _, c := range v {
		switch c {
		case '\n':
			b = append(b, `\n`...)
		case '\'', '\\':
			b = append(b, '\\', c)
		default:
			b = append(b, c)
		}
	}
	return append(b, '\'')
}

// names returns the columns of a table as a list.
func (t table) names() string {
	names := make([]string, len(t.columns))
	for i, c := range t.columns {
		names[i] = Quote(c.name)
	}
	return strings.Join(names, ",")
}

// query returns the SELECT of all rows of a table.
func (t table) query() string {
	if len(t.columns) == 0 {
		return "SELECT 1 FROM " + Quote(t.name)
	}
	asked := make([]string, len(t.columns))
	for i, c := range t.columns {
		asked[i] = c.expression()
	}
	return "SELECT " + strings.Join(asked, ", ") + " FROM " + Quote(t.name)
}
