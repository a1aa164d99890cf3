package php

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// Served asks a wiki for a page and for the log-in page as a reader would, and
// wants both from that version of MediaWiki (its meta element "generator").
func Served(ctx context.Context, base, host, page, version string) error {
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	for _, title := range []string{page, "Special:UserLogin"} {
		if title == "" {
			continue // a private wiki does not tell
		}
		body, err := follow(ctx, base, "/index.php?title="+url.QueryEscape(strings.ReplaceAll(title, " ", "_")), host)
		if err != nil {
			return fmt.Errorf("ask %s for %q: %w", host, title, err)
		}
		if !bytes.Contains(body, []byte(`content="MediaWiki `+version+`"`)) {
			return fmt.Errorf("ask %s for %q: the page does not come from MediaWiki %s: %q", host, title, version, start(body))
		}
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

// RefusesEdits tries to edit a wiki without a log-in and wants to be told that
// it is read-only (API:Edit, error readonly). A wiki that lets nobody in without
// a log-in says so instead, which has to do.
func RefusesEdits(ctx context.Context, base, host string) error {
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	form := url.Values{"action": {"edit"}, "title": {"Wikictl probe"}, "text": {""}, "token": {`+\`}, "format": {"json"}, "formatversion": {"2"}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/api.php", strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	request.Host = host
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	body, err := do(request)
	if err != nil {
		return fmt.Errorf("try to edit %s: %w", host, err)
	}
	var answer struct{ Error struct{ Code string } }
	if err := json.Unmarshal(body, &answer); err != nil || (answer.Error.Code != "readonly" && answer.Error.Code != "readapidenied") {
		return fmt.Errorf("try to edit %s: it does not say that it is read-only, but %q", host, start(body))
	}
	return nil
}
