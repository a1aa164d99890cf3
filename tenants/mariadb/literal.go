package mariadb

import (
	"encoding/hex"
	"strings"
)

// expression is what a dump reads of a column, so that what appendValue writes of it
// makes the same value again.
func (c column) expression() string {
	switch c.kind {
	case floating: // else the server prints six digits of a FLOAT
		return Quote(c.name) + " * 1e0"
	case choice: // an invalid value and an empty one look the same as text
		return "CAST(" + Quote(c.name) + " AS UNSIGNED)"
	}
	return Quote(c.name)
}

// appendValue appends a value as a literal that any client of MariaDB reads in the same
// way, whatever its own character set is that has ASCII as it is.
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

// isPlain reports whether text is printable ASCII and ends of lines.
func isPlain(v []byte) bool {
	for _, c := range v {
		if (c < ' ' || c > '~') && c != '\n' {
			return false
		}
	}
	return true
}

// appendQuoted appends plain text as a string literal on one line. It holds unless
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

// names are the columns of a table in a list.
func (t table) names() string {
	names := make([]string, len(t.columns))
	for i, c := range t.columns {
		names[i] = Quote(c.name)
	}
	return strings.Join(names, ",")
}

// query reads all rows of a table.
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
