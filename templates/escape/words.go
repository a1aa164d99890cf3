package escape

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"wikictl/tenants"
)

// JSON writes text, a number, true or false, or a list of these.
func JSON(value any) (string, error) {
	switch v := value.(type) {
	case tenants.Value:
		text, err := JSON(v.Data)
		if unfit, ok := err.(*Error); ok {
			unfit.At = v.Position
		}
		return text, err
	case string:
		if !utf8.ValidString(v) {
			return "", &Error{Value: v, Why: "is not UTF-8"}
		}
		return marshal(v)
	case []string:
		words := make([]string, len(v))
		for i, one := range v {
			var err error
			if words[i], err = JSON(one); err != nil {
				return "", err
			}
		}
		return "[" + strings.Join(words, ", ") + "]", nil
	case bool, int, int64, float64:
		return marshal(v)
	}
	return "", &Error{Value: fmt.Sprint(value), Why: fmt.Sprintf("is a %T, want text, a number, true or false, or a list of texts", value)}
}

func marshal(value any) (string, error) {
	text, err := json.Marshal(value)
	return string(text), err
}

// plainInHosts matches an address or a name in hosts(5).
var plainInHosts = regexp.MustCompile(`^[A-Za-z0-9_:][A-Za-z0-9._:%-]*$`)

// HostsWord writes an address or a host name.
func HostsWord(value any) (string, error) {
	return only(value, plainInHosts, "is not an address or host name")
}

// plainInConf matches words without a special meaning in the configuration files of most
// programs.
var plainInConf = regexp.MustCompile(`^[A-Za-z0-9_./:][A-Za-z0-9._:/@+,=%~-]*$`)

// ConfWord writes a word that no program expands, quotes or reads as a Comment.
func ConfWord(value any) (string, error) {
	return only(value, plainInConf, "holds other characters than letters, digits and ._:/@+,=%~-")
}
