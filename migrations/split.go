package migrations

import (
	"errors"
	"fmt"
	"strings"
)

// errUnclosed means that a quote or a comment has no end; errDelimiter that a file uses
// DELIMITER, which is a command of the mariadb client and not SQL.
var (
	errUnclosed  = errors.New("a quote or a comment that begins here is not closed")
	errDelimiter = errors.New("DELIMITER is a command of the mariadb client and not known here: statements end with a semicolon")
)

// SyntaxError is a mistake in SQL text with its line.
type SyntaxError struct {
	Line int // counts from 1
	Err  error
}

// Error returns the line and the mistake.
func (e *SyntaxError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Err) }

// Unwrap returns the mistake.
func (e *SyntaxError) Unwrap() error { return e.Err }

// Split splits SQL text into statements at semicolons outside of quotes and comments. It
// removes comments except /*! and /*M!, which the servers execute. The error is a
// *SyntaxError.
func Split(text string) ([]string, error) {
	var statements []string
	var b strings.Builder
	flush := func() {
		if s := strings.TrimSpace(b.String()); s != "" {
			statements = append(statements, s)
		}
		b.Reset()
	}
	line, blank := 1, true // blank: the statement has no text yet
	for len(text) > 0 {
		kind, n := token(text)
		switch {
		case n < 0:
			return nil, &SyntaxError{line, errUnclosed}
		case blank && delimiter(text):
			return nil, &SyntaxError{line, errDelimiter}
		case kind == comment:
			b.WriteByte(' ')
		case kind == semicolon:
			flush()
			blank = true
		default:
			b.WriteString(text[:n])
			blank = blank && strings.TrimSpace(text[:n]) == ""
		}
		line += strings.Count(text[:n], "\n")
		text = text[n:]
	}
	flush()
	return statements, nil
}

// delimiter reports whether text begins with the client's command of that name.
func delimiter(text string) bool {
	const word = "delimiter"
	return len(text) > len(word) && strings.EqualFold(text[:len(word)], word) && text[len(word)] <= ' '
}

type tokenKind int

const (
	other tokenKind = iota
	comment
	semicolon
)

// token measures the first token of text: a quoted string, a comment, a semicolon or one
// byte. The length is negative if its end is missing.
func token(text string) (tokenKind, int) {
	switch {
	case text[0] == '\'' || text[0] == '"' || text[0] == '`':
		return other, quoted(text)
	case text[0] == ';':
		return semicolon, 1
	case text[0] == '#', text == "--", len(text) > 2 && text[:2] == "--" && text[2] <= ' ':
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

// quoted measures a quoted string or identifier, including doubled quotes and, in
// strings, backslashes.
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
