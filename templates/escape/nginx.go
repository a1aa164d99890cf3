package escape

import (
	"regexp"
	"strings"
)

// Nginx writes one parameter of an nginx directive. nginx expands $ even inside
// quotes and has no escape for it.
func Nginx(value any) (string, error) {
	return quoted(value, "$", "nginx")
}

// plainInNginx matches text without a special meaning for nginx in any part of a word.
var plainInNginx = regexp.MustCompile(`^[A-Za-z0-9_.:/-]+$`)

// NginxPlain writes a part of a word or of a variable's name.
func NginxPlain(value any) (string, error) {
	return only(value, plainInNginx, "holds other characters than letters, digits and ._:/-, which nginx can't take here")
}

// NginxWords writes the parameters of a directive such as listen, separated by spaces.
func NginxWords(value any) (string, error) {
	s, at, err := plainText(value)
	if err != nil {
		return "", err
	}
	words := strings.Fields(s)
	if len(words) == 0 {
		return "", &Error{Value: s, At: at, Why: "is blank"}
	}
	for i, word := range words {
		if words[i], err = Nginx(word); err != nil {
			return "", err
		}
	}
	return strings.Join(words, " "), nil
}
