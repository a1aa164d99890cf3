package tenants

import (
	"fmt"
	"regexp"
	"strings"
)

// DefaultArticles is the path of pages where a tenant's definitions name none.
const DefaultArticles = "/wiki/$1"

// Move is an address of a wiki that leads elsewhere for good (HTTP status 301).
type Move struct {
	From string // path, percent-encoded, without the * of Below
	To   string // path or full address, percent-encoded, without its *
	// Below makes From a prefix, and the rest of the address is appended to To where Rest is set.
	Below, Rest bool
}

// Pattern is a regular expression (PCRE) that a request for From matches, by its path as it
// was sent, or by its first line. Its group is what follows To. It has no backslash, which
// nginx and Apache read in different ways.
func (m Move) Pattern() string {
	from := `^(?:[A-Z]+ )?` + spelled.ReplaceAllStringFunc(m.From, spellings)
	const end = `(?![^? ])`
	switch {
	case m.Below && m.Rest:
		return from + `([^? ]*)` + end
	case m.Below:
		return from + `[^? ]*()` + end
	}
	return from + `()` + end
}

// spelled matches what a request may spell in more than one way: the digits of an encoded
// character, and marks, which may be encoded or not (RFC 3986, 6.2.2).
var spelled = regexp.MustCompile(`%[0-9A-F]{2}|[^A-Za-z0-9/%]`)

// spellings returns a regular expression for all of them.
func spellings(text string) string {
	if code, encoded := strings.CutPrefix(text, "%"); encoded {
		return "%" + anyCase.ReplaceAllStringFunc(code, func(digit string) string { return "[" + digit + strings.ToLower(digit) + "]" })
	}
	return "(?:[" + text + "]|" + spellings(fmt.Sprintf("%%%02X", text[0])) + ")"
}

// anyCase matches the digits of an encoded character that are letters.
var anyCase = regexp.MustCompile(`[A-F]`)

// Query reports whether the query of a request follows To, which has none of its own.
func (m Move) Query() bool { return !strings.ContainsAny(m.To, "?#") }
