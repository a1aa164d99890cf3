package migrations

import (
	"errors"
	"strings"
)

// ErrUnclosed means that a quote or a comment of a file has no end.
var ErrUnclosed = errors.New("a quote or a comment is not closed")

// Split cuts SQL text into statements at semicolons outside of quotes and
// comments. Comments go, but for /*! and /*M!, which the servers run.
func Split(text string) ([]string, error) {
	var statements []string
	var b strings.Builder
	flush := func() {
		if s := strings.TrimSpace(b.String()); s != "" {
			statements = append(statements, s)
		}
		b.Reset()
	}
	for len(text) > 0 {
		kind, n := token(text)
		if n < 0 {
			return nil, ErrUnclosed
		}
		switch kind {
		case comment:
			b.WriteByte(' ')
		case semicolon:
			flush()
		default:
			b.WriteString(text[:n])
		}
		text = text[n:]
	}
	flush()
	return statements, nil
}

type tokenKind int

const (
	other tokenKind = iota
	comment
	semicolon
)

// token measures what text begins with: a quoted thing, a comment, a semicolon
// or one byte. The length is negative when its end is missing.
func token(text string) (tokenKind, int) {
	switch {
	case text[0] == '\'' || text[0] == '"' || text[0] == '`':
		return other, quoted(text)
	case text[0] == ';':
		return semicolon, 1
	case text[0] == '#', strings.HasPrefix(text, "-- "), strings.HasPrefix(text, "--\n"), strings.HasPrefix(text, "--\t"), text == "--":
		if end := strings.IndexByte(text, '\n'); end >= 0 {
			return comment, end + 1
		}
		return comment, len(text)
	case strings.HasPrefix(text, "/*"):
		kind := comment
		if strings.HasPrefix(text, "/*!") || strings.HasPrefix(text, "/*M!") {
			kind = other
		}
		if end := strings.Index(text[2:], "*/"); end >= 0 {
			return kind, end + 4
		}
		return kind, -1
	}
	return other, 1
}

// quoted measures a quoted string or identifier, with doubled quotes and, but
// for identifiers, backslashes inside.
func quoted(text string) int {
	quote := text[0]
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] == '\\' && quote != '`':
			i++
		case text[i] == quote && i+1 < len(text) && text[i+1] == quote:
			i++
		case text[i] == quote:
			return i + 1
		}
	}
	return -1
}
