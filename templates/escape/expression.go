package escape

import (
	"regexp"
	"strings"

	"wikictl/tenants/mask"
)

// phpToken matches a token of PHP whose content is hidden, or one character. Heredocs are
// not included and fail at their "<<<".
var phpToken = regexp.MustCompile(`(?s)'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|<<<|\?>|<\?|/\*|//|#|.`)

var closing = map[string]string{"(": ")", "[": "]", "{": "}"}

// expression writes { php = "…" } unchanged if it is one complete expression: a comment
// or an open bracket would swallow the following line.
func (w *Code) expression(code string) error {
	unfit := func(why string) error { return &Error{Value: mask.Expression(code), Why: why} }
	var open []string
	for _, token := range phpToken.FindAllString(code, -1) {
		depth := len(open)
		switch token {
		case "(", "[", "{":
			open = append(open, closing[token])
		case ")", "]", "}":
			if depth == 0 || open[depth-1] != token {
				return unfit("has a " + token + " too many")
			}
			open = open[:depth-1]
		case "?>", "<?", "/*", "//", "#", "<<<":
			return unfit("holds " + token + ", which an expression here can't")
		case "'", `"`, "`":
			return unfit("has an open " + token)
		case ";":
			if depth == 0 {
				return unfit("is more than one expression")
			}
		}
	}
	if len(open) > 0 {
		return unfit("lacks a " + open[len(open)-1])
	}
	if strings.TrimSpace(code) == "" {
		return unfit("is not an expression")
	}
	w.b.WriteString(strings.TrimSpace(code))
	return nil
}
