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

// Served asks a wiki for a page and for the log-in page as a reader would, and
// wants both from that version of MediaWiki (its meta element "generator").
func Served(ctx context.Context, base, host, page, version string) error {
	for _, title := range []string{page, LogIn} {
		if err := Page(ctx, base, host, title, version, probeLimit); err != nil {
			return err
		}
	}
	return nil
}

// LogIn is the title of the log-in page, which each wiki has and shows to everybody.
const LogIn = "Special:UserLogin"

// Page asks a wiki for a page as a reader would, and wants it from that version of
// MediaWiki (its meta element "generator") within a limit.
func Page(ctx context.Context, base, host, title, version string, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	body, err := follow(ctx, base, "/index.php?title="+url.QueryEscape(strings.ReplaceAll(title, " ", "_")), host)
	if err != nil {
		return fmt.Errorf("ask %s for %q: %w", host, title, err)
	}
	if !bytes.Contains(body, []byte(`content="MediaWiki `+version+`"`)) {
		return fmt.Errorf("ask %s for %q: the page does not come from MediaWiki %s: %q", host, title, version, words(body))
	}
	return nil
}

// follow fetches a page and goes where it is sent to, on the same wiki: special
// pages have names of the wiki's language. An answer that sends to another host is
// a movedError.
func follow(ctx context.Context, base, path, host string) ([]byte, error) {
	const most = 3
	for range most {
		body, err := get(ctx, base+path, host)
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
		path = to.RequestURI()
	}
	return nil, fmt.Errorf("it sends from one page to the next, at last to %s", path)
}

// writes are questions that a wiki which is read-only answers with the error readonly
// before anything else, in every language, and that change none of its content where
// it is not: the first step of a log-in, which strangers to a private wiki may ask
// (API:Login), and an edit of a title that can't exist (API:Edit).
var writes = []url.Values{
	{"action": {"login"}},
	{"action": {"edit"}, "title": {"<>"}, "nocreate": {"1"}, "text": {""}, "token": {`+\`}},
}

// RefusesEdits makes sure that a wiki says it is read-only to whoever wants to write.
// Of one whose api.php is closed to strangers that can't be known, which has to do.
func RefusesEdits(ctx context.Context, base, host string) error {
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	var code string
	for _, form := range writes {
		var said []byte
		var err error
		code, said, err = write(ctx, base, host, form)
		switch {
		case code == "readonly" || closed(err):
			return nil
		case err != nil:
			return fmt.Errorf("try to write on %s: %w", host, err)
		case code == "": // it did it
			return fmt.Errorf("try to write on %s: it does not say that it is read-only, but %q", host, words(said))
		}
	}
	if code == deniedRead {
		return nil
	}
	return fmt.Errorf("try to write on %s: it does not say that it is read-only, but %q", host, code)
}

// write sends a request that writes and returns the code of the error in its answer,
// if there is one, and the answer.
func write(ctx context.Context, base, host string, form url.Values) (code string, said []byte, err error) {
	form = maps.Clone(form)
	form.Set("format", "json")
	form.Set("formatversion", "2")
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/api.php", strings.NewReader(form.Encode()))
	if err != nil {
		return "", nil, err
	}
	request.Host = host
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if said, err = do(request); err != nil {
		return "", nil, err
	}
	var answer struct{ Error struct{ Code string } }
	if err := json.Unmarshal(said, &answer); err != nil {
		return "", nil, fmt.Errorf("it answers %q", words(said))
	}
	return answer.Error.Code, said, nil
}
