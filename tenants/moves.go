package tenants

import (
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
	from := `^(?:[A-Z]+ )?` + special.ReplaceAllString(m.From, "[$0]")
	const end = `(?![^? ])`
	switch {
	case m.Below && m.Rest:
		return from + `([^? ]*)` + end
	case m.Below:
		return from + `[^? ]*()` + end
	}
	return from + `()` + end
}

// special lists the characters of paths that have a meaning in regular expressions.
var special = regexp.MustCompile(`[.+()?*|]`)

// Query reports whether the query of a request follows To, which has none of its own.
func (m Move) Query() bool { return !strings.ContainsAny(m.To, "?#") }
