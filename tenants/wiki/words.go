package wiki

import (
	"bytes"
	"encoding/json"
	"html"
	"regexp"
	"strings"

	"wikictl/tenants"
)

// mostWords is the maximum length of a quoted answer, in bytes.
const mostWords = 300

// The invisible parts of an answer, tags that end a line, and all other tags.
var (
	unseen = regexp.MustCompile(`(?is)<!--.*?-->|<(?:script|style|title|head)\b[^>]*>.*?</(?:script|style|title|head)>`)
	breaks = regexp.MustCompile(`(?i)<(?:br|/p|/div|/h[1-6]|/li|/tr|/pre)\b[^>]*>`)
	tags   = regexp.MustCompile(`(?s)<[^>]*(?:>|$)`) // the last one may be incomplete
)

// reasons match lines that explain an error, the most specific first; the group is the
// reason. MediaWiki's own are those of MWExceptionRenderer.
var reasons = []*regexp.Regexp{
	regexp.MustCompile(`(?:PHP )?(?:Fatal|Parse) error: +(?:Uncaught )?(.+)`),
	regexp.MustCompile(`(internal_api_error_\w+: .*)`),
	regexp.MustCompile(`Original exception: (.+)`),
	regexp.MustCompile(`(\[[0-9a-f]{8,}\] .+)`),
}

// requestID matches the begin of MediaWiki's description of an error: an identifier, and
// the time or the requested address.
var requestID = regexp.MustCompile(`\[[0-9a-f]{8,}\] (?:\S+ [0-9:]{8}: |\[no req\] +|/\S* +)?`)

// words returns the text of an answer on one line: the reason of an error if it has one,
// or else its begin.
func words(body []byte) string {
	text := reasonIn(plainText(body))
	if len(text) > mostWords {
		text = strings.ToValidUTF8(text[:mostWords], "") + "…"
	}
	return strings.ToValidUTF8(text, "?")
}

func reasonIn(text string) string {
	for _, reason := range reasons {
		for line := range strings.Lines(text) {
			if m := reason.FindStringSubmatch(tenants.OneLine(line)); m != nil {
				return requestID.ReplaceAllString(m[1], "")
			}
		}
	}
	return tenants.OneLine(text)
}

// plainText removes the markup. If the error page follows the begin of an answer of
// api.php, it returns the error page.
func plainText(body []byte) string {
	var answer struct{ Error struct{ Code, Info string } }
	if json.NewDecoder(bytes.NewReader(body)).Decode(&answer) == nil && strings.HasPrefix(answer.Error.Code, internalError) {
		return answer.Error.Code + ": " + answer.Error.Info
	}
	if at := bytes.Index(body, []byte("<!DOCTYPE")); at > 0 && body[0] == '{' {
		body = body[at:]
	}
	text := unseen.ReplaceAllString(string(body), " ")
	return html.UnescapeString(tags.ReplaceAllString(breaks.ReplaceAllString(text, "\n"), ""))
}
