package definitions

import (
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"wikictl/tenants"
)

// readRedirects reads a layer's table of redirects. Its keys are paths in their plainest spelling.
func readRedirects(s *section) map[string]text {
	moves := map[string]text{}
	for _, from := range sorted(s.table) {
		at := s.table[from].Position
		to := s.text(from)
		if !to.set() {
			continue
		}
		if wrong, hint := moveWrong(from, to.value); wrong != "" {
			s.report(at, from, hint, "%s", wrong)
			continue
		}
		to.at = at
		if other, twice := moves[plainest(from)]; twice {
			s.report(at, from, "leave one of them", "is the same path as at %s", other.at)
		}
		moves[plainest(from)] = to
	}
	return moves
}

// moveText matches the allowed characters of a path, and of an address, after
// percent-encoding: none with a meaning for nginx or Apache.
var (
	moveFrom = regexp.MustCompile(`^/(?:[A-Za-z0-9._~&+,;=:@/!'()-]|%[0-9A-F]{2})*$`)
	moveTo   = regexp.MustCompile(`^(?:https?://[a-z0-9.:-]+)?/(?:[A-Za-z0-9._~&+,;=:@/?#!()-]|%[0-9A-F]{2})*$`)
)

// moveWrong returns the mistake of a redirect, and how to correct it.
func moveWrong(from, to string) (wrong, hint string) {
	m := moveOf(from, to)
	switch {
	case !strings.HasPrefix(from, "/"):
		return "\"" + from + "\" is not a path", `begin it with a /, such as "/mw/*"`
	case strings.ContainsAny(from, "?#"):
		return "\"" + from + "\" has a query or a fragment, which are not compared", "leave it out"
	case strings.Contains(m.From, "*") || strings.Contains(m.To, "*"):
		return "a * stands only at the end", `such as "/mw/*" = "/*"`
	case strings.HasSuffix(to, "*") && !m.Below:
		return "\"" + to + "\" ends in a *, and \"" + from + "\" does not", `such as "/mw/*" = "/*"`
	case !moveFrom.MatchString(m.From) || strings.Contains(m.From, "//"):
		return "\"" + from + "\" contains characters that a path can't have", "percent-encode it, such as %20 for a blank"
	case !moveTo.MatchString(m.To) || strings.HasPrefix(m.To, "//"):
		return "\"" + to + "\" is neither a path nor an http or https address", `such as "/wiki/Page" or "https://example.org/"`
	case m.Rest && strings.ContainsAny(m.To, "?#"):
		return "\"" + to + "\" has a query or a fragment before its *", "lead to a path"
	}
	return "", ""
}

// moveOf removes the stars and percent-encodes characters that are not ASCII.
func moveOf(from, to string) (m tenants.Move) {
	m.From, m.Below = strings.CutSuffix(from, "*")
	m.To, m.Rest = strings.CutSuffix(to, "*")
	m.From, m.To = plainest(m.From), encoded(m.To)
	return m
}

// encoded percent-encodes the characters of an address that are not ASCII.
func encoded(address string) string {
	var b strings.Builder
	for _, r := range address {
		if r < 0x80 {
			b.WriteRune(r)
			continue
		}
		b.WriteString(url.PathEscape(string(r)))
	}
	return b.String()
}

// plainest encodes a path as MediaWiki and browsers do, so that redirects from two spellings of
// it are one: a character is encoded only where it has to be (RFC 3986, 6.2.2).
func plainest(path string) string {
	return escapes.ReplaceAllStringFunc(encoded(path), func(code string) string {
		if decoded, err := url.PathUnescape(code); err == nil && decoded != "/" && decoded != "*" && moveFrom.MatchString("/"+decoded) {
			return decoded
		}
		return strings.ToUpper(code)
	})
}

// escapes matches encoded characters.
var escapes = regexp.MustCompile(`%[0-9A-Fa-f]{2}`)

// setMoves merges the redirects of a tenant's layers, the longest paths first, so that
// the first match is the most specific, and refuses cycles.
func (l *loader) setMoves(t *tenants.Tenant, layers []*layer) {
	merged := map[string]text{}
	for _, layer := range layers {
		maps.Copy(merged, layer.redirects)
	}
	froms := slices.SortedFunc(maps.Keys(merged), func(one, other string) int {
		if closer := len(strings.TrimSuffix(other, "*")) - len(strings.TrimSuffix(one, "*")); closer != 0 {
			return closer
		}
		return strings.Compare(one, other)
	})
	for _, from := range froms {
		m := moveOf(from, merged[from].value)
		t.Moves = append(t.Moves, m)
		t.Origins["redirects."+from] = merged[from].at
		if own, taken := takes(m, t); taken {
			l.report(merged[from].at, "redirects."+from, "name the pages that moved, such as \"/mw/*\"", "%q is an address that the wiki itself needs", own)
		}
	}
	server := ""
	if len(t.Hosts) > 0 {
		server = l.farm.Web.AddressOf(t) + t.Path
	}
	for i, from := range froms {
		if circles(t.Moves, t.Moves[i], server) {
			l.report(merged[from].at, "redirects."+from, "browsers would give up", "it leads back to itself")
		}
	}
}

// takes finds an address that a wiki needs itself among redirects.
func takes(m tenants.Move, t *tenants.Tenant) (path string, taken bool) {
	own := []string{"/"}
	for _, entry := range []string{"/index.php", "/api.php", "/load.php", "/rest.php"} {
		own = append(own, entry, t.ScriptPath+entry)
	}
	for _, path := range own {
		if path == m.From || m.Below && strings.HasPrefix(path, m.From) {
			return path, true
		}
	}
	return "", false
}

// circles reports whether a redirect leads back to itself through others. It tries an
// empty text and a word for a *, which suffices to find cycles.
func circles(moves []tenants.Move, m tenants.Move, server string) bool {
	for _, rest := range []string{"", "x"} {
		at, moved := m.From, true
		if m.Below {
			at += rest
		}
		for hops := 0; moved && hops <= len(moves); hops++ {
			at, moved = moveAt(moves, strings.TrimPrefix(at, server))
		}
		if moved {
			return true
		}
	}
	return false
}

// moveAt returns the target of a path of the wiki, if it is redirected.
func moveAt(moves []tenants.Move, path string) (to string, moved bool) {
	path, _, _ = strings.Cut(path, "?")
	for _, m := range moves {
		rest, below := strings.CutPrefix(path, m.From)
		if path != m.From && (!below || !m.Below) {
			continue
		}
		if to = m.To; m.Rest {
			to += rest
		}
		return to, true
	}
	return "", false
}
