package mask

import (
	"regexp"
	"strconv"
	"strings"
)

// escapes matches the escape sequences of a double-quoted string (PHP manual: Strings).
var escapes = regexp.MustCompile(`\\(?:u\{[0-9A-Fa-f]+\}|x[0-9A-Fa-f]{1,2}|[0-7]{1,3}|.)`)

func unescape(escape string) string {
	switch body := escape[1:]; {
	case strings.HasPrefix(body, "u{"):
		if n, err := strconv.ParseUint(body[2:len(body)-1], 16, 32); err == nil {
			return string(rune(n))
		}
	case body[0] == 'x' && len(body) > 1:
		if n, err := strconv.ParseUint(body[1:], 16, 8); err == nil {
			return string([]byte{byte(n)})
		}
	case body[0] >= '0' && body[0] <= '7':
		if n, err := strconv.ParseUint(body, 8, 16); err == nil {
			return string([]byte{byte(n)})
		}
	case strings.ContainsAny(body, "ntrvef"):
		return map[string]string{"n": "\n", "t": "\t", "r": "\r", "v": "\v", "e": "\x1b", "f": "\f"}[body]
	case strings.ContainsAny(body, `\$"`):
		return body
	}
	return escape
}
