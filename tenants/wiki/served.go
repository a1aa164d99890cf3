package wiki

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Served requests the main page and the log-in page of a wiki as a reader would, and checks
// that both come from the version of MediaWiki that info has.
func Served(ctx context.Context, base, host string, info SiteInfo) error {
	for _, title := range []string{info.MainPage, LogIn} {
		if err := Page(ctx, base, host, title, info, probeLimit); err != nil {
			return err
		}
	}
	return nil
}

// LogIn is the title of the log-in page, which every wiki shows to everyone.
const LogIn = "Special:UserLogin"

// Page requests a page as a reader would, and checks that it comes from the version of
// MediaWiki that info has (meta element "generator"), within a time limit.
func Page(ctx context.Context, base, host, title string, info SiteInfo, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	at, name := below(base, host)
	body, err := getPage(ctx, info.index(at)+"?title="+url.QueryEscape(strings.ReplaceAll(title, " ", "_")), name)
	if err != nil {
		return fmt.Errorf("request %[2]q of %[1]s: %[3]w", host, title, err)
	}
	if !bytes.Contains(body, []byte(`content="MediaWiki `+info.Version+`"`)) {
		return fmt.Errorf("request %[2]q of %[1]s: the page does not come from MediaWiki %[3]s: %[4]q", host, title, info.Version, words(body))
	}
	return nil
}

// index returns the address of a wiki's index.php. At another path than in its own links,
// MediaWiki may read the path as the name of a page ($wgArticlePath = "/$1").
func (i SiteInfo) index(at string) string {
	u, err := url.Parse(at)
	if err != nil || !strings.HasPrefix(i.Script, "/") {
		return at + "/index.php"
	}
	u.Path = i.Script
	return u.String()
}

// getPage requests a page and follows redirects on the same wiki: special pages have names
// in the wiki's language. A redirect to another host is a movedError.
func getPage(ctx context.Context, at, host string) ([]byte, error) {
	const most = 3
	for range most {
		body, err := get(ctx, at, host)
		var moved movedError
		if !errors.As(err, &moved) {
			return body, err
		}
		to, err := url.Parse(moved.to)
		if err != nil {
			return nil, err
		}
		name, _, _ := strings.Cut(host, ":")
		if to.Hostname() != "" && to.Hostname() != name {
			return nil, moved
		}
		from, err := url.Parse(at)
		if err != nil {
			return nil, err
		}
		at = from.Scheme + "://" + from.Host + to.RequestURI()
	}
	return nil, fmt.Errorf("too many redirects, the last to %s", at)
}

// writes are requests that a read-only wiki refuses with the error readonly before any
// other, in every language, and that change no content on other wikis: the first step of
// a log-in, which visitors of a private wiki may send (API:Login), and an edit of an
// invalid title (API:Edit).
var writes = []url.Values{
	{"action": {"login"}},
	{"action": {"edit"}, "title": {"<>"}, "nocreate": {"1"}, "text": {""}, "token": {`+\`}},
}

// RefusesEdits checks that a wiki refuses to write because it is read-only. It succeeds
// for a wiki whose api.php is closed to visitors, where that is unknown.
func RefusesEdits(ctx context.Context, base, host string) error {
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	var code string
	for _, form := range writes {
		var answer []byte
		var err error
		at, name := below(base, host)
		code, answer, err = write(ctx, at, name, form)
		switch {
		case code == "readonly" || closed(err):
			return nil
		case err != nil:
			return fmt.Errorf("try to write on %s: %w", host, err)
		case code == "": // it succeeded
			return fmt.Errorf("try to write on %s: it does not say that it is read-only, but %q", host, words(answer))
		}
	}
	if code == deniedRead {
		return nil
	}
	return fmt.Errorf("try to write on %s: it does not say that it is read-only, but %q", host, code)
}

// write sends a writing request and returns the error code of its answer, or "", and the
// answer.
func write(ctx context.Context, base, host string, form url.Values) (code string, reply []byte, err error) {
	form = maps.Clone(form)
	form.Set("format", "json")
	form.Set("formatversion", "2")
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/api.php", strings.NewReader(form.Encode()))
	if err != nil {
		return "", nil, err
	}
	request.Host = host
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if reply, err = do(request); err != nil {
		return "", nil, err
	}
	var answer struct{ Error struct{ Code string } }
	if err := json.Unmarshal(reply, &answer); err != nil {
		return "", nil, fmt.Errorf("got %q", words(reply))
	}
	return answer.Error.Code, reply, nil
}
