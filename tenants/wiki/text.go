package wiki

import (
	"bytes"
	"context"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"time"
	"unicode/utf8"

	"wikictl/tenants"
)

// Text is the visible text of a page, as far as it is comparable between releases.
type Text struct {
	Title  string // of the browser's window
	Length int    // characters of the content, without menus, which differ between releases
}

var (
	titleElement = regexp.MustCompile(`(?is)<title[^>]*>(.*?)</title>`)
	// The begin and end of a page's content in every skin of MediaWiki (OutputPage,
	// Skin::wrapHTML, Skin::printSource).
	contentBegin = []byte(`id="mw-content-text"`)
	contentEnd   = [][]byte{[]byte(`class="printfooter"`), []byte(`id="catlinks"`), []byte(`</main>`)}
)

// ReadText requests the page at a path, such as "/wiki/Report", as a reader would, within
// a time limit.
func ReadText(ctx context.Context, base, host, path string, limit time.Duration) (Text, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	to, err := url.ParseRequestURI(path)
	if err != nil {
		return Text{}, err
	}
	at, name := below(base, host)
	body, err := getPage(ctx, at+to.RequestURI(), name)
	if err != nil {
		return Text{}, fmt.Errorf("request %[2]s of %[1]s: %[3]w", host, path, err)
	}
	return textOf(body), nil
}

func textOf(body []byte) (t Text) {
	if m := titleElement.FindSubmatch(body); m != nil {
		t.Title = tenants.OneLine(html.UnescapeString(string(m[1])))
	}
	content := body
	if at := bytes.Index(body, contentBegin); at >= 0 {
		content = body[at+bytes.IndexByte(body[at:], '>')+1:]
	}
	for _, end := range contentEnd {
		if at := bytes.Index(content, end); at >= 0 {
			content = content[:at]
		}
	}
	t.Length = utf8.RuneCountInString(tenants.OneLine(plainText(content)))
	return t
}
