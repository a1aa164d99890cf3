package wiki

import (
	"bytes"
	"encoding/json"
	"html"
	"regexp"
	"strings"
)

// mostWords bounds what is quoted of an answer, in bytes.
const mostWords = 300

// What of an answer no reader sees, the tags that end a line, and all others.
var (
	unseen = regexp.MustCompile(`(?is)<!--.*?-->|<(?:script|style|title|head)\b[^>]*>.*?</(?:script|style|title|head)>`)
	breaks = regexp.MustCompile(`(?i)<(?:br|/p|/div|/h[1-6]|/li|/tr|/pre)\b[^>]*>`)
	tags   = regexp.MustCompile(`(?s)<[^>]*(?:>|$)`) // the last may be cut off
)

// What a line of an answer says of an error, the most telling first; each has the
// reason as its group. MediaWiki's own are those of MWExceptionRenderer.
var reasons = []*regexp.Regexp{
	regexp.MustCompile(`(?:PHP )?(?:Fatal|Parse) error: +(?:Uncaught )?(.+)`),
	regexp.MustCompile(`(internal_api_error_\w+: .*)`),
	regexp.MustCompile(`Original exception: (.+)`),
	regexp.MustCompile(`(\[[0-9a-f]{8,}\] .+)`),
}

// requestID begins MediaWiki's account of an error: an identifier, and the time or the
// address that was asked for.
var requestID = regexp.MustCompile(`\[[0-9a-f]{8,}\] (?:\S+ [0-9:]{8}: |\[no req\] +|/\S* +)?`)

// words is what an answer says in plain text on one line: the reason of an error where
// it has one, else how it begins. It is empty when the answer says nothing.
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
			if m := reason.FindStringSubmatch(oneLine(line)); m != nil {
				return requestID.ReplaceAllString(m[1], "")
			}
		}
	}
	return oneLine(text)
}

// plainText takes the markup away. Where api.php began to answer before the error, the
// error page is what counts.
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

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
